/** A service with references and what they stand for -> the texts that its process gets. Pure. */
import type { HealthCheck, ServiceSpec } from "./project.ts";
import { type Reference, readTemplate, referenceText } from "./reference.ts";

export type Facts = {
  project: { name: string; domain: string; directory: string };
  /** The variables of the shell that ran `up`. */
  shell: Readonly<Record<string, string | undefined>>;
  /** Variables that the supervisor sets, such as `PORT`; they override those of the file. */
  given: Readonly<Record<string, string>>;
  /** Undefined for an unknown service, and for one without a port. */
  portOf(service: string): number | undefined;
};

export type Filled =
  | {
      kind: "filled";
      /** The spec's variables, filled; without those of the shell and of `given`. */
      env: Record<string, string>;
      command: string;
      health: HealthCheck | undefined;
    }
  /** Sentences that begin with the key: `services.web.env.TOKEN: ...`. */
  | { kind: "mistakes"; mistakes: string[] };

export function fill(spec: ServiceSpec, facts: Facts): Filled {
  const filling = new Filling(spec, facts);
  const env: Record<string, string> = {};
  for (const name of Object.keys(spec.env)) env[name] = filling.variable(name);
  const command = filling.text(spec.command, { key: "command", shell: true });
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
  return { kind: "filled", env, command, health };
}

type TextOptions = { key: string; shell: boolean; variable?: string };

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

  text(template: string, { key, shell, variable }: TextOptions): string {
    const { parts, mistakes } = readTemplate(template, { shell });
    const report = (what: string): void => {
      this.mistakes.add(`services.${this.#spec.name}.${key}: ${what}`);
    };
    for (const what of mistakes) report(what);
    return parts
      .map((part) => (typeof part === "string" ? part : this.#value(part, { variable, report })))
      .join("");
  }

  #value(reference: Reference, options: ValueOptions): string {
    const { project, portOf } = this.#facts;
    if (reference.kind === "project") {
      return reference.field === "dir" ? project.directory : project[reference.field];
    }
    if (reference.kind === "env") return this.#variableFor(reference, options);
    if (reference.field === "host") return "localhost";
    const port = portOf(reference.name);
    if (port === undefined) {
      options.report(`${referenceText(reference)}: ${reference.name} has no port`);
      return "";
    }
    return reference.field === "port" ? String(port) : `http://localhost:${port}`;
  }

  /** The value that the process sees; within its own value, a variable is the shell's. */
  #variableFor(reference: Reference & { kind: "env" }, { variable, report }: ValueOptions): string {
    const { name, fallback } = reference;
    const { given, shell } = this.#facts;
    if (Object.hasOwn(given, name)) return given[name]!;
    if (name !== variable && Object.hasOwn(this.#spec.env, name)) {
      const from = this.#open.indexOf(name);
      if (from === -1) return this.variable(name);
      report(cycleText("reference", [...this.#open.slice(from), name]));
      return "";
    }
    const value = shell[name] ?? fallback;
    if (value === undefined) report(unsetText(name));
    return value ?? "";
  }
}

type ValueOptions = { variable: string | undefined; report: (what: string) => void };

export function unsetText(name: string): string {
  return `\${env.${name}}: ${name} is not set; set it, or give a default: \${env.${name}:-value}`;
}

/** `dependency cycle: web -> db -> web`. */
export function cycleText(
  what: "dependency" | "reference" | "restart",
  path: readonly string[],
): string {
  return `${what} cycle: ${path.join(" -> ")}`;
}
