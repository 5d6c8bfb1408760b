/** The text of a package's manifest -> the name that it has there, and whether it is the root of a workspace. Pure. */

export type Manifest = {
  /** As it is written; undefined: it says none, or cannot be understood. */
  name: string | undefined;
  /** Whether it says that there are packages below it. */
  workspace: boolean;
  /** False: a file that tools put beside code, and that makes no project of its folder. */
  counts: boolean;
  /** `scripts` of package.json. */
  scripts: Readonly<Record<string, string>>;
  /** The text could not be understood: it may be half written. */
  isBroken: boolean;
};

type Found = Partial<Manifest>;

const nothing: Manifest = {
  name: undefined,
  workspace: false,
  counts: true,
  scripts: {},
  isBroken: false,
};

/** Skeletons of frameworks, which are copied whole: their name says nothing of the copy. */
const skeletons = /^(?:laravel|symfony)\//;

/** Names of roots that say only that they are roots. */
const rootWords = /^(?:(?:the-?)?(?:mono-?)?(?:root|repo|workspaces?)|monorepo)$/i;

/** Files that name a package, in the order in which they are asked, and then files that only show that one is there. */
export const manifests: Readonly<Record<string, ((text: string) => Found) | undefined>> = {
  "package.json": fromPackageJson,
  "pyproject.toml": (text) => ({
    name: keyOf(text, "project", "name") ?? keyOf(text, "tool.poetry", "name"),
    workspace: hasTable(text, "tool.uv.workspace"),
  }),
  "Cargo.toml": (text) => ({
    name: keyOf(text, "package", "name"),
    workspace: hasTable(text, "workspace"),
  }),
  "go.mod": (text) => ({ name: lastOfModule(/^[ \t]*module[ \t]+"?([^\s"]+)/m.exec(text)?.[1]) }),
  "mix.exs": (text) => ({
    name: /^[^#\n]*\bapp:[ \t]*:"?([A-Za-z_]\w*)/m.exec(text)?.[1],
    workspace: /^[^#\n]*\bapps_path:/m.test(text),
  }),
  "composer.json": fromComposer,
  "deno.json": fromPackageJson,
  "deno.jsonc": undefined,
  Gemfile: undefined,
  "config.ru": undefined,
  "manage.py": undefined,
  "requirements.txt": undefined,
  "setup.py": undefined,
  Pipfile: undefined,
  "pom.xml": undefined,
  "build.gradle": undefined,
  "build.gradle.kts": undefined,
  "locald.toml": undefined,
};

/** Files whose folder has packages below it. Nothing is read of them. */
export const workspaceFiles: readonly string[] = [
  "pnpm-workspace.yaml",
  "go.work",
  "lerna.json",
  "turbo.json",
  "nx.json",
  "rush.json",
  "settings.gradle",
  "settings.gradle.kts",
];

/** `text`: undefined where it cannot be read, or is too large: it is there, and says nothing. */
export function readManifest(file: string, text: string | undefined): Manifest {
  return text === undefined
    ? { ...nothing, isBroken: true }
    : { ...nothing, ...manifests[file]?.(text) };
}

function textOf(value: unknown): string | undefined {
  return typeof value === "string" && value.trim() !== "" ? value.trim() : undefined;
}

function tableIn(text: string): Readonly<Record<string, unknown>> | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text.replace(/^\uFEFF/, ""));
  } catch {
    // Half written, or with comments: the file is there, and says nothing.
    return undefined;
  }
  const isTable = typeof value === "object" && value !== null && !Array.isArray(value);
  return isTable ? (value as Record<string, unknown>) : {};
}

function isFilled(value: unknown): boolean {
  return typeof value === "object" && value !== null && Object.keys(value).length > 0;
}

function fromPackageJson(text: string): Found {
  const its = tableIn(text);
  if (its === undefined) return { isBroken: true };
  const name = textOf(its.name)?.replace(/^@[^/]*\//, "");
  const workspace = isFilled(its.workspaces) || isFilled(its.workspace);
  const scripts = Object.entries(isFilled(its.scripts) ? (its.scripts as object) : {}).filter(
    (entry): entry is [string, string] => typeof entry[1] === "string",
  );
  // `{"type": "module"}` stands in folders of built code, for Node alone.
  const counts =
    workspace ||
    name !== undefined ||
    [its.scripts, its.dependencies, its.devDependencies, its.tasks, its.imports].some(isFilled);
  const isBare = name !== undefined && rootWords.test(name);
  return {
    name: isBare ? undefined : name,
    workspace,
    counts,
    scripts: Object.fromEntries(scripts.slice(0, 200)),
  };
}

function fromComposer(text: string): Found {
  const its = tableIn(text);
  const name = textOf(its?.name);
  if (its === undefined) return { isBroken: true };
  if (name === undefined || skeletons.test(name)) return {};
  return { name: name.slice(name.lastIndexOf("/") + 1) };
}

/** `github.com/acme/shop/v2` and `gopkg.in/shop.v2` are version two of shop. */
function lastOfModule(path: string | undefined): string | undefined {
  const parts = path?.split("/").filter((part) => part !== "") ?? [];
  if (parts.length > 1 && /^v\d+$/.test(parts.at(-1)!)) parts.pop();
  return parts.at(-1)?.replace(/\.v\d+$/, "");
}

/** Characters; the patterns below are not made for what no person writes. */
const longestLine = 500;

/** A line of TOML with a table's name: `[project]`, `[[bin]]`. */
const header = /^[ \t]*\[\[?[ \t]*([^\]\n]*?)[ \t]*\]\]?/;

/** The tables of a TOML text and the lines in each, without its strings of several lines. */
function* linesOf(text: string): Generator<{ table: string; line: string }> {
  let table = "";
  for (const line of withoutLongStrings(text).split("\n")) {
    if (line.length > longestLine) continue;
    const its = header.exec(line)?.[1];
    if (its === undefined) yield { table, line };
    else {
      table = plainKey(its);
      yield { table, line: "" };
    }
  }
}

/** Lines within such a string look like any others. */
function withoutLongStrings(text: string): string {
  return text.replace(/"""[\s\S]*?(?:"""|$)|'''[\s\S]*?(?:'''|$)/g, '""');
}

function plainKey(key: string): string {
  return key.replace(/["'\s]/g, "");
}

/**
 * A string of a TOML text; undefined where it has none. The parser of configuration takes several milliseconds to be
 * loaded, which `ls` does not have: this reads a plain key in a table, as such files are written.
 */
function keyOf(text: string, table: string, key: string): string | undefined {
  for (const its of linesOf(text)) {
    const pair = /^[ \t]*([\w."' \t-]+?)[ \t]*=[ \t]*(?:"([^"\n]*)"|'([^'\n]*)')/.exec(its.line);
    if (pair === null) continue;
    const path = its.table === "" ? plainKey(pair[1]!) : `${its.table}.${plainKey(pair[1]!)}`;
    if (path === `${table}.${key}`) return textOf(pair[2] ?? pair[3]);
  }
  return undefined;
}

function hasTable(text: string, table: string): boolean {
  for (const its of linesOf(text)) {
    if (its.table === table || its.table.startsWith(`${table}.`)) return true;
  }
  return false;
}
