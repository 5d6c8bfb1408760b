/** The compose files of a folder -> services for its locald.toml, each as text; or the errors in them. Pure. */
import { cycleText } from "../fill.ts";
import { cycles } from "../graph.ts";
import { addressMistake, labelFrom, labelOf, serviceNameMistake } from "../project-name.ts";
import { buildOf } from "./build.ts";
import { isAbsent, type ServiceFacts } from "./context.ts";
import { composeParts, filledNow } from "./interpolate.ts";
import { entryOf, loadCompose, type LoadOptions, scalarText } from "./load.ts";
import { asMapping } from "./merge.ts";
import { offerOf } from "./offer.ts";
import { containerOf } from "./service.ts";
import { comment, inlineText, unsafeKeys, type WrittenService } from "./written.ts";
import { type Entry, type Mapping, type Node, placeText } from "./yaml.ts";

export { longestFile } from "./yaml.ts";

export type ComposeOptions = LoadOptions &
  Pick<ServiceFacts, "dotenv" | "exists"> & {
    /** Relative to the project's folder; later ones are merged over earlier ones. */
    paths: readonly string[];
    /** The names of services that are declared by other files. */
    taken: readonly string[];
  };

export type ComposedService = {
  name: string;
  /** `compose.yaml:4`. */
  from: string;
  /** The image; undefined: it is built. */
  image: string | undefined;
  /** Its table, with comments. */
  text: string;
};

export type Composed =
  | {
      kind: "done";
      /** The name that the file gives the project. */
      name: string | undefined;
      services: ComposedService[];
      /** Lines of comments: parts of the files that no service of ours has. */
      comments: string[];
    }
  /** Sentences with file and line. */
  | { kind: "mistakes"; mistakes: string[] };

/** Top-level keys that are for compose alone, or that services take from. */
const silent = ["version", "name", "services", "secrets", "configs"];

export function composed(options: ComposeOptions): Composed {
  const loaded = loadCompose(options.paths, options);
  if (loaded.kind === "mistakes") return loaded;
  const { root } = loaded;
  const services = root.entries.get("services");
  if (services !== undefined && services.node.kind !== "mapping" && !isAbsent(services.node)) {
    const what = "services takes a mapping of names and services";
    return { kind: "mistakes", mistakes: [`${placeText(services.at)}: ${what}`] };
  }
  const all = services?.node.kind === "mapping" ? services.node.entries : new Map<string, Entry>();
  const mistakes = mistakesIn(all);
  if (mistakes.length > 0) return { kind: "mistakes", mistakes };
  return new Conversion(root, { all, options }).whole();
}

function mistakesIn(all: ReadonlyMap<string, Entry>): string[] {
  const mistakes = [...all].flatMap(([name, { at, node }]) => {
    if (node.kind === "mapping") return [];
    return [`${placeText(at)}: services.${name} takes a mapping, such as { image: busybox }`];
  });
  const graph = new Map([...all].map(([name, { node }]) => [name, [...needsOf(node).keys()]]));
  for (const path of cycles(graph)) {
    mistakes.push(`${placeText(all.get(path[0]!)!.at)}: ${cycleText("dependency", path)}`);
  }
  return mistakes;
}

function needsOf(service: Node): ReadonlyMap<string, Entry> {
  const needs = entryOf(service, "depends_on")?.node;
  const its = needs === undefined ? undefined : asMapping(needs);
  return its?.kind === "mapping" ? its.entries : new Map();
}

class Conversion {
  readonly #root: Mapping;
  readonly #all: ReadonlyMap<string, Entry>;
  readonly #options: ComposeOptions;
  readonly #comments: string[] = [];

  constructor(
    root: Mapping,
    { all, options }: { all: ReadonlyMap<string, Entry>; options: ComposeOptions },
  ) {
    this.#root = root;
    this.#all = all;
    this.#options = options;
  }

  whole(): Composed {
    const { names, foreign } = this.#names();
    const ended = new Set<string>();
    for (const { node } of this.#all.values()) {
      for (const [needed, its] of needsOf(node)) {
        const condition = scalarText(entryOf(its.node, "condition")?.node);
        const ours = names.get(needed);
        if (condition === "service_completed_successfully" && ours !== undefined) ended.add(ours);
      }
    }
    const facts = { ...this.#options, names, foreign, ended, files: this.#files() };
    for (const [key, { at, node }] of this.#root.entries) {
      if (key.startsWith("x-") || silent.includes(key) || isAbsent(node)) continue;
      if (key === "volumes") this.#volumes(node);
      else this.#comments.push(comment(`${placeText(at)}: ${key}: ${inlineText(node)}`));
    }
    const services: ComposedService[] = [];
    const owners = new Map<string, string>();
    const claimed: ServiceFacts["claim"] = ({ outside, protocol }, name) => {
      const key = `${outside}/${protocol}`;
      const owner = owners.get(key);
      if (outside === undefined || owner === name) return undefined;
      if (owner === undefined) owners.set(key, name);
      return owner;
    };
    for (const [written, { at, node }] of this.#all) {
      const name = names.get(written);
      if (node.kind !== "mapping") continue;
      const isTaken = name !== undefined && foreign.has(name);
      const claim = name === undefined || isTaken ? () => undefined : claimed;
      const its = containerOf(node, { ...facts, name: name ?? written, claim });
      if (name === undefined || isTaken) {
        const why = isTaken
          ? `${written} is declared here already; as a container it would be:`
          : `${written} has no image, and no folder to build one from:`;
        this.#comments.push(comment(`${placeText(at)}: ${why}`));
        const lines = its
          .toml(name ?? written)
          .trimEnd()
          .split("\n");
        this.#comments.push(...lines.map((line) => (line.startsWith("#") ? line : `# ${line}`)));
        continue;
      }
      if (name !== written) {
        its.note(
          at,
          `${written} is ${name} here, as an address has only letters, digits and hyphens`,
        );
      }
      services.push({ ...this.#service(its, name), from: placeText(at) });
    }
    const name = scalarText(this.#root.entries.get("name")?.node);
    const filled = name === undefined ? "" : filledNow(composeParts(name), this.#options.variables);
    return { kind: "done", name: labelFrom(filled), services, comments: this.#comments };
  }

  #service(its: WrittenService, name: string): Omit<ComposedService, "from"> {
    const image = its.get("image") as string | undefined;
    const offer = image === undefined ? undefined : offerOf(image);
    if (offer !== undefined) its.advice.push(offer);
    return { name, image, text: its.toml(name) };
  }

  /** Every name as it is here; undefined where the service cannot be started, and is a comment. */
  #names(): { names: Map<string, string | undefined>; foreign: Set<string> } {
    const names = new Map<string, string | undefined>();
    const labels = new Map(this.#options.taken.map((name) => [labelOf(name) ?? name, name]));
    const foreign = new Set<string>();
    for (const [written, { node }] of this.#all) {
      const taken = labels.get(labelOf(written) ?? "");
      if (taken !== undefined && this.#options.taken.includes(taken)) {
        names.set(written, taken);
        foreign.add(taken);
        continue;
      }
      const build = entryOf(node, "build");
      const image = scalarText(entryOf(node, "image")?.node);
      const isBuilt = build !== undefined && !isAbsent(build.node) && buildOf(build) !== undefined;
      const hasImage = image !== undefined && this.#now(image).trim() !== "";
      names.set(written, isBuilt || hasImage ? this.#named(written, labels) : undefined);
    }
    return { names, foreign };
  }

  #named(written: string, labels: Map<string, string>): string {
    const isValid =
      serviceNameMistake(written) === undefined &&
      addressMistake(written) === undefined &&
      !unsafeKeys.includes(written);
    const near = labelFrom(written) ?? "service";
    const wanted = isValid ? written : unsafeKeys.includes(near) ? `${near}-1` : near;
    for (let count = 1; ; count++) {
      const name = count === 1 ? wanted : `${wanted.slice(0, 55)}-${count}`;
      const label = labelOf(name) ?? name;
      if (labels.has(label)) continue;
      labels.set(label, name);
      return name;
    }
  }

  #now(text: string): string {
    return filledNow(composeParts(text), this.#options.variables);
  }

  #files(): Map<string, Entry> {
    const files = new Map<string, Entry>();
    for (const kind of ["secrets", "configs"]) {
      const its = this.#root.entries.get(kind)?.node;
      if (its?.kind !== "mapping") continue;
      for (const [name, entry] of its.entries) files.set(`${kind}.${name}`, entry);
    }
    return files;
  }

  /** A volume is the project's own here, without settings. */
  #volumes(node: Node): void {
    if (node.kind !== "mapping") return;
    for (const [name, its] of node.entries) {
      if (isAbsent(its.node) || (its.node.kind === "mapping" && its.node.entries.size === 0))
        continue;
      this.#comments.push(
        comment(`${placeText(its.at)}: volumes.${name}: ${inlineText(its.node)}`),
      );
    }
  }
}
