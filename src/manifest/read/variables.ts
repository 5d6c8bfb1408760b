/** `env` tables, `.env` and env files -> the variables that a service declares, each with its place. Pure. */
import { absolute } from "../../text/absolute.ts";
import { type Dotenv, readDotenv } from "../dotenv.ts";
import { expandDotenv } from "../dotenv-expand.ts";
import { type Layer, type Table, tableIn } from "../layer.ts";
import { merged } from "../merge.ts";
import { type Part, readTemplate } from "../reference.ts";
import { shown } from "../../text/shown.ts";
import type { Path } from "../toml.ts";
import type { Fields, Known } from "./fields.ts";
import type { At, Mistakes } from "./mistakes.ts";
import type { ManifestOptions } from "./options.ts";

/** A variable as it is declared, before references are filled. */
export type Variable = Known<string> & {
  /** Declared for all services, so that what it refers to cannot always be waited for. */
  shared: boolean;
};

/** Set by the supervisor: a reference to one of them is never reported as not set. */
export const given: readonly string[] = [
  ...["PORT", "NAME", "NOTIFY_SOCKET", "TERM", "COLUMNS", "LINES"],
  ...["LOCALHOSTESS_NAME", "LOCALHOSTESS_URL", "LOCALHOSTESS_RUN_ID"],
  ...["INSTANCE", "LOCALHOSTESS_INSTANCE"],
];

/** A place that names an env file, which therefore has to exist. */
type Named = { path: string; at: At };

/** The files that the layers name, absolute, with `.env` first. */
export function envFilesOf(layers: readonly Layer[], directory: string): string[] {
  const tree = merged(layers);
  const services = [...tableIn(tree, "services").entries.values()];
  const tables = [tableIn(tree, "project"), ...services.filter((its) => its.kind === "table")];
  return [
    ...new Set([
      absolute(".env", directory),
      ...tables.flatMap((its) => envFilePaths(its, directory)),
    ]),
  ];
}

/** Absolute: the files that a table's `env_file` names. */
export function envFilePaths(its: Table, directory: string): string[] {
  return namedIn(its).map(({ path }) => absolute(path, directory));
}

type VariablesOptions = Pick<ManifestOptions, "directory" | "envFiles" | "nameOf" | "shell"> & {
  mistakes: Mistakes;
  /** Sentences about the files that do not refuse the project. */
  warnings: Mistakes;
  fields: Fields;
};

export class Variables {
  readonly #options: VariablesOptions;
  readonly #dotenvs = new Map<string, Dotenv>();

  constructor(options: VariablesOptions) {
    this.#options = options;
  }

  /** `[env]`, then `[project] env`, then `.env`, then the project's env files: the last one wins. */
  shared(tree: Table): Map<string, Variable> {
    const project = tableIn(tree, "project");
    const found = new Map([
      ...this.#inTable(tableIn(tree, "env"), { shared: true }),
      ...this.#inTable(tableIn(project, "env"), { shared: true }),
    ]);
    for (const its of [{ path: ".env" }, ...namedIn(project)]) this.#addFile(found, its);
    for (const [name, variable] of found) this.#options.fields.note(["env", name], variable);
    return found;
  }

  /** The shared ones, then the service's env files, then its `env`: the last one wins. */
  ofService(
    name: string,
    { table, shared }: { table: Table; shared: ReadonlyMap<string, Variable> },
  ): Map<string, Variable> {
    const env = new Map(shared);
    for (const named of namedIn(table)) this.#addFile(env, { ...named, shared: false });
    for (const [key, variable] of this.#inTable(tableIn(table, "env"), { shared: false })) {
      env.set(key, variable);
    }
    for (const [key, variable] of env) {
      if (!variable.shared) this.#options.fields.note(["services", name, "env", key], variable);
    }
    return env;
  }

  #inTable(its: Table, { shared }: { shared: boolean }): [string, Variable][] {
    return [...its.entries].flatMap(([name, node]): [string, Variable][] => {
      if (name === "" || name.includes("=") || name.includes("\0")) {
        this.#options.mistakes.add(node, `${shown(name)} is not a valid variable name`);
      }
      if (node.kind !== "leaf") return [];
      const { source, path } = node;
      return [[name, { value: node.value as string, source, path, shared }]];
    });
  }

  /** `at`: the place that asks for the file, where a missing file is an error. */
  #addFile(
    env: Map<string, Variable>,
    { path: written, at, shared = true }: { path: string; at?: At; shared?: boolean },
  ): void {
    const { directory, envFiles, mistakes, warnings, nameOf = String } = this.#options;
    const path = absolute(written, directory);
    const file = envFiles.get(path) ?? { kind: "missing" };
    const name = nameOf(path);
    if (file.kind !== "text") {
      const why = file.kind === "missing" ? "no such file" : file.why;
      if (at !== undefined) mistakes.add(at, `${written}: ${why}`);
      else if (file.kind === "unreadable") mistakes.add(lineOf(name, 1), why);
      return;
    }
    const before = (other: string): readonly Part[] | undefined => {
      const known = env.get(other);
      return known === undefined ? undefined : withoutItself(other, known.value);
    };
    const { variables, mistakes: wrong, asked } = expandDotenv(this.#read(path, file.text), before);
    for (const { line, what, refused } of wrong) {
      (refused ? mistakes : warnings).add(lineOf(name, line), what);
    }
    for (const its of asked) this.#warnIfUnset(its, name);
    for (const { name: key, value, line } of variables) {
      // In the place of its last line.
      env.delete(key);
      env.set(key, { value, ...lineOf(name, line), path: [key], shared });
    }
  }

  #warnIfUnset({ line, name, by }: { line: number; name: string; by: string }, file: string): void {
    const { shell, warnings } = this.#options;
    if (shell === undefined || shell[name] !== undefined || given.includes(name)) return;
    const what = `${by}: ${name} is not set, so $${name} is empty; for a literal $ write $$ or '...'`;
    warnings.add(lineOf(file, line), what);
  }

  /** A file is read once, however many services name it. */
  #read(path: string, text: string): Dotenv {
    const known = this.#dotenvs.get(path) ?? readDotenv(text);
    this.#dotenvs.set(path, known);
    return known;
  }
}

/** Its parts for use in other variables: what is the shell's within its own value stays that. */
function withoutItself(name: string, text: string): readonly Part[] {
  const own = (parts: readonly Part[]): Part[] =>
    parts.map((part) => {
      if (typeof part === "string" || part.kind !== "env") return part;
      const { otherwise } = part;
      return {
        ...part,
        scope: part.name === name ? "shell" : part.scope,
        otherwise: otherwise && { ...otherwise, word: own(otherwise.word) },
      };
    });
  return own(readTemplate(text, { shell: false }).parts);
}

function lineOf(name: string, line: number): At {
  return { source: { name, lineOf: () => line }, path: [] };
}

function namedIn(its: Table): Named[] {
  const node = its.entries.get("env_file");
  if (node?.kind !== "leaf") return [];
  const { value, source, path } = node;
  if (typeof value === "string") return [{ path: value, at: { source, path } }];
  return (value as string[]).map((each, index) => ({
    path: each,
    at: { source, path: [...path, index] as Path },
  }));
}
