/** A plan of a plugin -> the order of its steps, and every mistake in it at once. Pure. */
import { cycleText } from "../manifest/fill.ts";
import { cycles } from "../manifest/graph.ts";
import { serviceNameMistake } from "../manifest/project-name.ts";
import { newTypes } from "../manifest/types/own.ts";
import { listed } from "../text/list.ts";
import { didYouMean } from "../text/nearest.ts";
import { shown } from "../text/shown.ts";
import { shownSize } from "../text/size.ts";
import { longestRendered, type Outputs, outputsOf, plainOf } from "./evaluate.ts";
import { filePathMistake, foldedPath } from "./file-path.ts";
import { imageMistake } from "./image-reference.ts";
import {
  type Capability,
  capabilities,
  type Entries,
  type Expression,
  type Get,
  irVersions,
  isCapability,
  type Operation,
  type Plan,
  type Step,
  usualCapabilities,
} from "./plan.ts";
import { settingMistakes } from "./service-settings.ts";
import { readTemplate } from "./template.ts";

export type ValidateOptions = {
  /** Beside the usual capabilities. */
  granted: readonly Capability[];
  /** The service that the plan is for. */
  service: string;
  /** The names of the project's other services. */
  taken: readonly string[];
};

export type Validated = {
  /** Sentences, in the order of the steps. */
  mistakes: readonly string[];
  /** Capabilities that the plan needs and the plugin has not: no mistake of the plan's. */
  missing: readonly Capability[];
  /** Each step after those that it needs; otherwise as they stand in the plan. Complete where there is no mistake. */
  order: readonly Step[];
};

/** Far more than a plan for one service has. */
const mostSteps = 100;
const mostSettings = 200;
/** Bytes. */
const longestText = 64 * 1024;
const longestContents = 256 * 1024;
const longestPlan = 1024 * 1024;
/** Characters of a word for which the one that was meant is looked for. */
const longestTypo = 64;
/** Sentences, of which a person reads the first ones. */
const mostMistakes = 100;
const idForm = /^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/;
const portName = /^[a-z0-9](?:[a-z0-9_-]{0,61}[a-z0-9])?$/;

/** Words that a record of plans cannot have as its keys: objects have them already. */
const unusableNames = ["__proto__", "constructor", "prototype"];

export function validatePlan(plan: Plan, options: ValidateOptions): Validated {
  const { irVersion, steps } = plan;
  const mistakes: string[] = [];
  if (!(irVersions as readonly number[]).includes(irVersion)) {
    const known = listed(irVersions, { conjunction: "or" });
    mistakes.push(`the plan has IR version ${irVersion}; this localhostess understands ${known}`);
  }
  if (steps.length === 0) mistakes.push("the plan has no steps");
  const tooLarge = tooLargeText(plan);
  // Nothing that is so large is looked at in detail.
  if (tooLarge !== undefined) {
    return { mistakes: [...mistakes, tooLarge], missing: [], order: [] };
  }
  const { missing, ...used } = capabilitiesOf(plan, options);
  const reader = new StepReader(plan, options);
  mistakes.push(...used.mistakes);
  const { made } = reader;
  if (made <= longestPlan) mistakes.push(...reader.mistakes());
  else {
    const most = `at most ${shownSize(longestPlan)} are allowed`;
    mistakes.push(`the services and files of the plan have ${shownSize(made)}; ${most}`);
  }
  return { mistakes, missing, order: reader.order };
}

function tooLargeText(plan: Plan): string | undefined {
  const { requestedCapabilities, steps } = plan;
  const wanted = requestedCapabilities.length;
  const size = sizeOf(plan);
  const at = steps.findIndex(({ needs }) => needs.length > mostSteps);
  if (steps.length > mostSteps) {
    return `the plan has ${steps.length} steps; at most ${mostSteps} are allowed`;
  }
  if (wanted > mostSteps) {
    return `the plan requests ${wanted} capabilities, and there are ${capabilities.length}`;
  }
  if (at !== -1) {
    return `step ${at + 1}: it needs ${steps[at]!.needs.length} steps; at most ${mostSteps} are allowed`;
  }
  if (size <= longestPlan) return undefined;
  return `the plan has ${shownSize(size)}; at most ${shownSize(longestPlan)} are allowed`;
}

/** As `didYouMean`, which takes as long as both words are. */
function meant(word: string, known: readonly string[], otherwise = ""): string {
  if (word.length > longestTypo) return otherwise;
  return didYouMean(word, known, { quoted: true, otherwise });
}

function capabilitiesOf(
  { requestedCapabilities, steps }: Plan,
  { granted }: ValidateOptions,
): { mistakes: string[]; missing: Capability[] } {
  const mistakes: string[] = [];
  const requested = requestedCapabilities.map((its) => its.replaceAll("_", "-"));
  const used = new Set(steps.flatMap(({ operation }) => needed(operation)));
  for (const [index, word] of requested.entries()) {
    if (!isCapability(word)) {
      const otherwise = `; the capabilities are ${listed(capabilities)}`;
      const near = meant(word, capabilities, otherwise);
      mistakes.push(
        `the plan requests an unknown capability ${shown(requestedCapabilities[index])}${near}`,
      );
    } else if (requested.indexOf(word) !== index) {
      mistakes.push(`the plan requests ${word} twice`);
    } else if (!used.has(word) && !usualCapabilities.includes(word)) {
      mistakes.push(`the plan requests ${word}, and no step uses it`);
    }
  }
  for (const word of capabilities) {
    if (!used.has(word) || usualCapabilities.includes(word) || requested.includes(word)) continue;
    const { id } = steps.find(({ operation }) => needed(operation).includes(word))!;
    mistakes.push(`step ${shown(id)} uses ${word}, which the plan does not request`);
  }
  const has = [...usualCapabilities, ...granted];
  return { mistakes, missing: capabilities.filter((its) => used.has(its) && !has.includes(its)) };
}

/** The capabilities of an operation. A service with an image has it pulled, also one that builds its own. */
function needed(operation: Operation): Capability[] {
  if (operation.kind !== "declare-service") return [operation.kind];
  const pulls = operation.settings.some(([key]) => key === "image" || key === "build.builder");
  return pulls ? ["declare-service", "oci-pull"] : ["declare-service"];
}

class StepReader {
  readonly order: readonly Step[];
  readonly #plan: Plan;
  readonly #options: ValidateOptions;
  readonly #mistakes: string[] = [];
  /** The first step of each id. */
  readonly #byId = new Map<string, Step>();
  readonly #outputs: Outputs;
  /** All steps that a step needs, also by others. */
  readonly #needed = new Map<Step, ReadonlySet<string>>();

  constructor(plan: Plan, options: ValidateOptions) {
    this.#plan = plan;
    this.#options = options;
    for (const step of plan.steps) if (!this.#byId.has(step.id)) this.#byId.set(step.id, step);
    this.order = inOrder(plan.steps);
    // Every port is as good as another here.
    let port = 20_000;
    this.#outputs = outputsOf(this.order, { portOf: () => port++ });
  }

  /** Bytes of the values of all services and files. A template makes more of a value than there was. */
  get made(): number {
    const sizeIn = (its: Expression): number => {
      const plain = plainOf(its, this.#outputs);
      return typeof plain === "string" || plain instanceof Uint8Array ? bytesOf(plain) : 0;
    };
    return this.#plan.steps.reduce((sum, { operation }) => {
      if (operation.kind === "write-file") return sum + sizeIn(operation.contents);
      if (operation.kind !== "declare-service") return sum;
      return operation.settings.reduce((all, [, its]) => all + sizeIn(its), sum);
    }, 0);
  }

  mistakes(): readonly string[] {
    const { steps } = this.#plan;
    for (const [index, step] of steps.entries()) if (!this.#isEnough) this.#step(step, index);
    const found = cycles(this.#graph()).slice(0, mostMistakes);
    for (const path of found) this.#mistakes.push(cycleText("dependency", path));
    const declares = steps.some(({ operation }) => operation.kind === "declare-service");
    if (steps.length > 0 && !declares) this.#mistakes.push("no step declares a service");
    return this.#mistakes;
  }

  get #isEnough(): boolean {
    return this.#mistakes.length >= mostMistakes;
  }

  #step(step: Step, index: number): void {
    const { id, needs, operation } = step;
    const isKnown = idForm.test(id) && this.#byId.get(id) === step;
    const at = isKnown ? `step ${shown(id)}` : `step ${index + 1}`;
    const wrong = (what: string): void => void this.#mistakes.push(`${at}: ${what}`);
    if (id === "") wrong("its id is empty");
    else if (!idForm.test(id))
      wrong(
        `its id ${shown(id)} is none; expected at most 100 letters, digits, ".", "_" and "-", the first a letter or digit`,
      );
    else if (!isKnown) wrong(`its id ${shown(id)} is that of an earlier step`);
    for (const need of new Set(needs)) {
      if (!this.#byId.has(need) && !this.#isEnough) wrong(`needs ${this.#noStep(need)}`);
    }
    this.#operation(operation, { step, wrong });
  }

  #operation(operation: Operation, { step, wrong }: At): void {
    switch (operation.kind) {
      case "declare-service":
        this.#service(operation, { step, wrong });
        break;
      case "allocate-port":
        this.#port(operation, { step, wrong });
        break;
      case "oci-pull":
        this.#image(operation, { step, wrong });
        break;
      case "render-template":
        this.#template(operation, { step, wrong });
        break;
      case "write-file":
        this.#file(operation, { step, wrong });
    }
  }

  #port({ name }: Operation & { kind: "allocate-port" }, { step, wrong }: At): void {
    if (!portName.test(name) || unusableNames.includes(name)) {
      const form = 'expected at most 63 lower-case letters and digits, with "_" and "-" between';
      wrong(`the port's name ${shown(name)} is none; ${form}`);
    } else if (this.#isLater(step, (its) => its.kind === "allocate-port" && its.name === name)) {
      wrong(`another step has a port named ${shown(name)} too`);
    }
  }

  #image({ image }: Operation & { kind: "oci-pull" }, { step, wrong }: At): void {
    const why = imageMistake(image);
    if (why !== undefined) wrong(`the image ${shown(image)} ${why}`);
    else if (!this.#isImageUsed(step)) wrong("no service has its image");
  }

  #service(
    { name, runtime, settings }: Operation & { kind: "declare-service" },
    { step, wrong }: At,
  ): void {
    const { taken, service } = this.#options;
    const why = serviceNameMistake(name);
    if (why !== undefined) wrong(why);
    else if (unusableNames.includes(name)) wrong(`no service of a plan is named ${shown(name)}`);
    else if (taken.includes(name) && name !== service) {
      wrong(
        `the service ${shown(name)} is declared already; the plugin has to choose another name`,
      );
    } else if (this.#isLater(step, (its) => its.kind === "declare-service" && its.name === name)) {
      wrong(`another step declares ${shown(name)} too`);
    }
    const type = newTypes.find((its) => its === runtime);
    if (type === undefined) {
      const otherwise = `; the runtimes are ${listed(newTypes)}`;
      wrong(`unknown runtime ${shown(runtime)}${meant(runtime, newTypes, otherwise)}`);
    }
    const isWhole = this.#entries(settings, { step, wrong, what: "setting", longest: longestText });
    if (type === undefined || !isWhole) return;
    for (const what of settingMistakes(settings, { type, outputs: this.#outputs })) wrong(what);
  }

  #template(
    { template, values }: Operation & { kind: "render-template" },
    { step, wrong }: At,
  ): void {
    this.#bounded(template, { wrong, what: "the template", longest: longestContents });
    this.#entries(values, { step, wrong, what: "value", longest: longestText });
    if (values.length > mostSettings) return;
    const names = values.map(([key]) => key);
    for (const name of names.filter((its, index) => names.indexOf(its) !== index)) {
      wrong(`value ${shown(name)} is given twice`);
    }
    for (const [key, its] of values) {
      if (its.kind === "literal" && ["null", "bytes"].includes(its.value.kind)) {
        wrong(`value ${shown(key)}: expected a text, a number or a boolean, got ${its.value.kind}`);
      } else if (its.kind === "literal" && plainOf(its, this.#outputs) === undefined) {
        const number = "value" in its.value ? String(its.value.value) : "";
        wrong(`value ${shown(key)}: the number ${number} is too large, or none`);
      }
    }
    const { parts, mistakes } = readTemplate(template);
    for (const what of mistakes) wrong(`the template, ${what}`);
    const unknown = parts.flatMap((part) =>
      part.kind === "name" && !names.includes(part.name) ? [part.name] : [],
    );
    const isWhole = bytesOf(template) <= longestContents && this.order.includes(step);
    if (isWhole && this.#outputs.get(step.id)?.rendered === undefined) {
      wrong(`the template, filled in, has more than ${shownSize(longestRendered)}`);
    }
    for (const name of new Set(unknown)) {
      if (this.#isEnough) return;
      const otherwise =
        names.length === 0
          ? "; it has no values"
          : `; the values are ${listed(names, { most: 20 })}`;
      wrong(`the template has no value ${shown(name)}${meant(name, names, otherwise)}`);
    }
  }

  #file({ path, contents }: Operation & { kind: "write-file" }, { step, wrong }: At): void {
    const why = filePathMistake(path);
    if (why !== undefined) wrong(`the path ${shown(path)} ${why}`);
    const folded = foldedPath(path);
    const isSame = (its: Operation): boolean =>
      its.kind === "write-file" && foldedPath(its.path) === folded;
    if (this.#isLater(step, isSame)) wrong(`another step writes ${shown(path)} too`);
    const others = this.#plan.steps.flatMap(({ operation }) =>
      operation.kind === "write-file" && folded.startsWith(`${foldedPath(operation.path)}/`)
        ? [operation.path]
        : [],
    );
    for (const other of new Set(others))
      wrong(`the path ${shown(path)} is in ${shown(other)}, which is a file`);
    if (contents.kind === "get") {
      if (!this.#get(contents, { step, wrong, what: "the contents" })) return;
      const plain = plainOf(contents, this.#outputs);
      if (typeof plain === "number")
        wrong(`the contents: expected a text, got ${getText(contents)}, a number`);
      return;
    }
    const { kind } = contents.value;
    if (kind !== "text" && kind !== "bytes")
      wrong(`the contents: expected a text or bytes, got ${kind}`);
    this.#literal(contents, { wrong, what: "the file", longest: longestContents });
  }

  /** False where a reference in them leads nowhere. */
  #entries(
    entries: Entries,
    { step, wrong, what, longest }: At & { what: string; longest: number },
  ): boolean {
    if (entries.length > mostSettings) {
      wrong(`${entries.length} ${what}s are too many; at most ${mostSettings} are allowed`);
      return false;
    }
    let isWhole = true;
    for (const [key, its] of entries) {
      if (this.#isEnough) return false;
      const named = `${what} ${shown(key)}`;
      if (its.kind === "literal") this.#literal(its, { wrong, what: named, longest });
      else isWhole = this.#get(its, { step, wrong, what: named }) && isWhole;
    }
    return isWhole;
  }

  #literal(its: Expression, { wrong, what, longest }: Pick<At, "wrong"> & Bounded): void {
    if (its.kind !== "literal") return;
    const { value } = its;
    if (
      "value" in value &&
      (typeof value.value === "string" || value.value instanceof Uint8Array)
    ) {
      this.#bounded(value.value, { wrong, what, longest });
    }
  }

  #bounded(text: string | Uint8Array, { wrong, what, longest }: Pick<At, "wrong"> & Bounded): void {
    const size = bytesOf(text);
    if (size > longest)
      wrong(`${what} has ${shownSize(size)}; at most ${shownSize(longest)} are allowed`);
  }

  /** False where it leads nowhere, which is reported. */
  #get(its: Get, { step, wrong, what }: At & { what: string }): boolean {
    const { stepId, path } = its;
    const other = this.#byId.get(stepId);
    const report = (why: string): false => {
      wrong(`${what}: ${why}`);
      return false;
    };
    if (other === undefined) return report(this.#noStep(stepId));
    if (other === step) return report("a step cannot use its own output");
    const fields = fieldsOf(other.operation);
    const [selector, ...more] = path;
    if (selector === undefined) {
      return report(`expected a field of step ${shown(stepId)}, which gives ${listed(fields)}`);
    }
    if (!("field" in selector) || more.length > 0) {
      return report(`step ${shown(stepId)} gives ${listed(fields)}, and none of them has parts`);
    }
    const { field } = selector;
    if (!fields.includes(field)) {
      const otherwise = `; it gives ${listed(fields)}`;
      const near = meant(field, fields, otherwise);
      return report(
        `step ${shown(stepId)} (${other.operation.kind}) gives no ${shown(field)}${near}`,
      );
    }
    if (!this.#isNeeded(stepId, step)) {
      return report(`step ${shown(stepId)} is not among the steps that it needs`);
    }
    return true;
  }

  #noStep(id: string): string {
    const ids = [...this.#byId.keys()].filter((its) => idForm.test(its));
    return `an unknown step ${shown(id)}${meant(id, ids)}`;
  }

  /** Directly, or by a step that it needs. */
  #isNeeded(id: string, step: Step): boolean {
    const known = this.#needed.get(step);
    if (known !== undefined) return known.has(id);
    const all = new Set(step.needs);
    // A set goes on with what is added while it is walked.
    for (const its of all) for (const more of this.#byId.get(its)?.needs ?? []) all.add(more);
    this.#needed.set(step, all);
    return all.has(id);
  }

  /** Whether an earlier step is so too. */
  #isLater(step: Step, isSuch: (operation: Operation) => boolean): boolean {
    return this.#plan.steps.find(({ operation }) => isSuch(operation)) !== step;
  }

  #isImageUsed({ id }: Step): boolean {
    return this.#plan.steps.some(
      ({ operation }) =>
        operation.kind === "declare-service" &&
        operation.settings.some(
          ([key, its]) => key === "image" && its.kind === "get" && its.stepId === id,
        ),
    );
  }

  #graph(): Map<string, string[]> {
    return new Map([...this.#byId].map(([id, { needs }]) => [id, [...new Set(needs)]]));
  }
}

type At = { step: Step; wrong(what: string): void };
type Bounded = { what: string; longest: number };

/** `the port of step "cache-port"`. */
function getText({ stepId, path }: Get): string {
  const words = path.map((its) => ("field" in its ? its.field : String(its.index)));
  return `${words.join(".")} of step ${shown(stepId)}`;
}

function fieldsOf(operation: Operation): readonly string[] {
  switch (operation.kind) {
    case "declare-service":
      return operation.settings.some(([key]) => key === "port") ? ["name", "port"] : ["name"];
    case "allocate-port":
      return ["port", "host"];
    case "oci-pull":
      return ["image"];
    case "render-template":
      return ["rendered"];
    case "write-file":
      return ["path"];
  }
}

/** Kahn's: of the steps that can be next, the one that stands first. Steps of a cycle, and behind it, are left out. */
function inOrder(steps: readonly Step[]): Step[] {
  const ids = new Set(steps.map(({ id }) => id));
  const done = new Set<string>();
  const order: Step[] = [];
  const isReady = ({ id, needs }: Step): boolean =>
    !done.has(id) && needs.every((need) => done.has(need) || !ids.has(need));
  for (let next = steps.find(isReady); next !== undefined; next = steps.find(isReady)) {
    order.push(next);
    done.add(next.id);
  }
  return order;
}

function bytesOf(text: string | Uint8Array): number {
  return typeof text === "string" ? Buffer.byteLength(text) : text.length;
}

/** Bytes of all its texts. */
function sizeOf({ requestedCapabilities, steps }: Plan): number {
  const textsOf = ({ id, needs, operation }: Step): (string | Uint8Array)[] => {
    const entries =
      operation.kind === "declare-service"
        ? operation.settings
        : operation.kind === "render-template"
          ? operation.values
          : operation.kind === "write-file"
            ? [["", operation.contents] as const]
            : [];
    const own = Object.values(operation).filter((its) => typeof its === "string");
    return [id, ...needs, ...own, ...entries.flatMap(([key, its]) => [key, ...textsIn(its)])];
  };
  return [...requestedCapabilities, ...steps.flatMap(textsOf)].reduce(
    (sum, its) => sum + bytesOf(its),
    0,
  );
}

function textsIn(its: Expression): (string | Uint8Array)[] {
  if (its.kind === "get") return [its.stepId];
  const value = "value" in its.value ? its.value.value : undefined;
  return typeof value === "string" || value instanceof Uint8Array ? [value] : [];
}
