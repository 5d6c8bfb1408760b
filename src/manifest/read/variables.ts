/** `env` tables, `.env` and env files -> the variables that a service declares, each with its place. Pure. */
import { absolute } from "../absolute.ts";
import { type Dotenv, readDotenv } from "../dotenv.ts";
import { type Layer, type Table, tableIn } from "../layer.ts";
import { merged } from "../merge.ts";
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

type VariablesOptions = Pick<ManifestOptions, "directory" | "envFiles" | "nameOf"> & {
  mistakes: Mistakes;
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
      ...this.#inFile(".env"),
      ...namedIn(project).flatMap((named) => this.#inFile(named.path, named.at)),
    ]);
    for (const [name, variable] of found) this.#options.fields.note(["env", name], variable);
    return found;
  }

  /** The shared ones, then the service's env files, then its `env`: the last one wins. */
  ofService(
    name: string,
    { table, shared }: { table: Table; shared: ReadonlyMap<string, Variable> },
  ): Map<string, Variable> {
    const env = new Map(shared);
    for (const { path, at } of namedIn(table)) {
      for (const [key, variable] of this.#inFile(path, at)) {
        env.set(key, { ...variable, shared: false });
      }
    }
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

  /** `named`: the place that asks for the file, where a missing file is an error. */
  #inFile(written: string, named?: At): [string, Variable][] {
    const { directory, envFiles, mistakes, nameOf = String } = this.#options;
    const path = absolute(written, directory);
    const file = envFiles.get(path) ?? { kind: "missing" };
    const name = nameOf(path);
    if (file.kind !== "text") {
      const why = file.kind === "missing" ? "no such file" : file.why;
      if (named !== undefined) mistakes.add(named, `${written}: ${why}`);
      else if (file.kind === "unreadable") mistakes.add(lineOf(name, 1), why);
      return [];
    }
    return this.#read(path, { text: file.text, name }).variables.map(
      ({ name: variable, value, line }) => [
        variable,
        { value, ...lineOf(name, line), path: [variable], shared: true },
      ],
    );
  }

  /** The errors in a file are reported once, however many services name it. */
  #read(path: string, { text, name }: { text: string; name: string }): Dotenv {
    const known = this.#dotenvs.get(path);
    if (known !== undefined) return known;
    const dotenv = readDotenv(text);
    this.#dotenvs.set(path, dotenv);
    for (const { line, what } of dotenv.mistakes) {
      this.#options.mistakes.add(lineOf(name, line), what);
    }
    return dotenv;
  }
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
