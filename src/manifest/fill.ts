/** A service with references and what they stand for -> the texts that its process gets. Pure. */
import type { HealthCheck, Hooks, ServiceSpec } from "./project.ts";
import type { Own } from "./types/own.ts";
import { type Part, type Reference, readTemplate, referenceText } from "./reference.ts";

export type Facts = {
  project: { name: string; domain: string; directory: string };
  /** The variables of the shell that ran `up`. */
  shell: Readonly<Record<string, string | undefined>>;
  /** Variables that the supervisor sets, such as `PORT`; they override those of the file. */
  given: Readonly<Record<string, string>>;
  /** `${services.<service>.<field>}`. Undefined where the service has nothing of that. */
  fieldOf(service: string, field: string): string | undefined;
  /** Variables that its dependencies offer: below what is declared, and above the shell's. */
  offered?: Readonly<Record<string, string>>;
};

export type Filled =
  | {
      kind: "filled";
      /** The spec's variables, filled; without those of the shell and of `given`. */
      env: Record<string, string>;
      command: string;
      hooks: Hooks;
      own: Own | undefined;
      health: HealthCheck | undefined;
    }
  /** Sentences that begin with the key: `services.web.env.TOKEN: ...`. */
  | { kind: "mistakes"; mistakes: string[] };

export function fill(spec: ServiceSpec, facts: Facts): Filled {
  const filling = new Filling(spec, facts);
  const env: Record<string, string> = {};
  for (const name of Object.keys(spec.env)) {
    if (!filling.isInherited(name)) env[name] = filling.variable(name);
  }
  const command = filling.text(spec.command, { key: "command", shell: true });
  const hooks = Object.fromEntries(
    Object.entries(spec.hooks).map(([key, text]) => [
      key,
      filling.text(text, { key, shell: true }),
    ]),
  );
  const { own } = spec;
  let filledOwn = own;
  if (own?.kind === "built" && own.build.kind === "command") {
    const { command: written } = own.build;
    const command = filling.text(written, build);
    filledOwn = { ...own, build: { ...own.build, command, written } };
  }
  const ask = spec.health?.ask;
  const health =
    spec.health === undefined || ask?.kind !== "command"
      ? spec.health
      : {
          ...spec.health,
          ask: {
            ...ask,
            command: filling.text(ask.command, { key: "health_check", shell: true }),
          },
        };
  if (filling.mistakes.size > 0) return { kind: "mistakes", mistakes: [...filling.mistakes] };
  return { kind: "filled", env, command, hooks, own: filledOwn, health };
}

const build = { key: "build", shell: true };

type TextOptions = { key: string; shell: boolean; variable?: string };

/** Characters. Linux takes no longer variable or argument (MAX_ARG_STRLEN), and references could make them endless. */
const longestText = 128 * 1024;

class Filling {
  readonly mistakes = new Set<string>();
  readonly #spec: ServiceSpec;
  readonly #facts: Facts;
  readonly #done = new Map<string, string>();
  /** Variables that are being filled, outermost first. */
  readonly #open: string[] = [];

  constructor(spec: ServiceSpec, facts: Facts) {
    this.#spec = spec;
    this.#facts = facts;
  }

  /** A variable of the spec, filled. */
  variable(name: string): string {
    const known = this.#done.get(name);
    if (known !== undefined) return known;
    this.#open.push(name);
    const template = this.#spec.env[name]!;
    const filled = this.text(template, { key: `env.${name}`, shell: false, variable: name });
    this.#open.pop();
    this.#done.set(name, filled);
    return filled;
  }

  /** `X = "${shell.X}"` for a variable that the shell has not: it stays unset. */
  isInherited(name: string): boolean {
    return this.#spec.env[name] === inheritedText(name) && this.#shellHas(name) === undefined;
  }

  text(template: string, { key, shell, variable }: TextOptions): string {
    const { parts, mistakes } = readTemplate(template, { shell });
    const report = (what: string): void => {
      this.mistakes.add(`services.${this.#spec.name}.${key}: ${what}`);
    };
    for (const what of mistakes) report(what);
    return this.#joined(parts, { variable, report });
  }

  #joined(parts: readonly Part[], options: ValueOptions): string {
    let text = "";
    for (const part of parts) {
      text += typeof part === "string" ? part : this.#value(part, options);
      if (text.length <= longestText) continue;
      options.report("longer than 128 KiB with its references filled in");
      return "";
    }
    return text;
  }

  #value(reference: Reference, options: ValueOptions): string {
    const { project, fieldOf } = this.#facts;
    if (reference.kind === "project") {
      return reference.field === "dir" ? project.directory : project[reference.field];
    }
    if (reference.kind === "env") return this.#variableFor(reference, options);
    const { name, field } = reference;
    const found = fieldOf(name, field);
    if (found !== undefined) return found;
    if (field === "host") return "localhost";
    options.report(
      `${referenceText(reference)}: ${name} has no ${field === "url" ? "port" : field}`,
    );
    return "";
  }

  #variableFor(reference: Reference & { kind: "env" }, options: ValueOptions): string {
    const value = this.#known(reference, options);
    const { operator, word } = reference.otherwise ?? {};
    const isSet = value !== undefined && !(operator?.startsWith(":") && value === "");
    const otherwise = (): string => this.#joined(word ?? [], options);
    if (operator === "+" || operator === ":+") return isSet ? otherwise() : "";
    if (isSet) return value;
    if (operator === "-" || operator === ":-") return otherwise();
    options.report(unsetText(reference, operator === undefined ? "" : otherwise()));
    return "";
  }

  /** The value that the process sees; within its own value, a variable is the shell's. */
  #known(
    { name, scope }: Reference & { kind: "env" },
    { variable, report }: ValueOptions,
  ): string | undefined {
    const { given } = this.#facts;
    if (Object.hasOwn(given, name)) return given[name]!;
    const own = scope === "service" && name !== variable && Object.hasOwn(this.#spec.env, name);
    if (!own || this.isInherited(name)) return this.#shellHas(name);
    const from = this.#open.indexOf(name);
    if (from === -1) return this.variable(name);
    report(cycleText("reference", [...this.#open.slice(from), name]));
    return "";
  }

  #shellHas(name: string): string | undefined {
    const { shell, offered = {} } = this.#facts;
    if (Object.hasOwn(offered, name)) return offered[name];
    return Object.hasOwn(shell, name) ? shell[name] : undefined;
  }
}

type ValueOptions = { variable: string | undefined; report: (what: string) => void };

/** The value of a variable that is what the shell has, and unset where the shell has none. */
export function inheritedText(name: string): string {
  return `\${shell.${name}}`;
}

/** `why`: the text behind `?` of the reference, filled. */
export function unsetText({ scope, name, otherwise }: Reference & { kind: "env" }, why: string) {
  const reference = `${scope === "shell" ? "shell" : "env"}.${name}`;
  if (why !== "") return `${name} is not set: ${why}`;
  if (otherwise !== undefined) return `${name} is not set, and has to be`;
  return `\${${reference}}: ${name} is not set; set it, or give a default: \${${reference}:-value}`;
}

/** `dependency cycle: web -> db -> web`. */
export function cycleText(
  what: "dependency" | "reference" | "restart",
  path: readonly string[],
): string {
  return `${what} cycle: ${path.join(" -> ")}`;
}
