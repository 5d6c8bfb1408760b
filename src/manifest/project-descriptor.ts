/** The text of a project.toml -> what it says on the build of its folder, or each mistake in it with its line. Pure. */
import { shown } from "../text/shown.ts";
import { unknownKey } from "./config.ts";
import { readPathRules } from "./path-rules.ts";
import { type Path, readToml } from "./toml.ts";
import { TomlValues } from "./toml-values.ts";

/** An inline buildpack: the text of its bin/build. */
export type InlineScript = { api: string; shell: string; inline: string };

/** An entry of a group: one of `uri` and `script`, or neither: `id` is that of a buildpack that is known. */
export type DescribedBuildpack = {
  id: string | undefined;
  version: string | undefined;
  uri: string | undefined;
  script: InlineScript | undefined;
  /** Where it stands in the file. */
  line: number;
};

export type ProjectDescriptor = {
  schema: "0.1" | "0.2";
  builder: string | undefined;
  /** Patterns as in a .gitignore; at most one of both is there. */
  include: readonly string[] | undefined;
  exclude: readonly string[] | undefined;
  group: readonly DescribedBuildpack[];
  /** In front of every group, and behind it. */
  pre: readonly DescribedBuildpack[];
  post: readonly DescribedBuildpack[];
  env: readonly { name: string; value: string }[];
};

export type ReadDescriptor =
  | { kind: "descriptor"; descriptor: ProjectDescriptor }
  /** Sentences, each with the file's name and a line. */
  | { kind: "mistakes"; mistakes: readonly string[] };

/** The descriptor of a folder without a project.toml. */
export const emptyDescriptor: ProjectDescriptor = {
  schema: "0.2",
  builder: undefined,
  include: undefined,
  exclude: undefined,
  group: [],
  pre: [],
  post: [],
  env: [],
};

const file = "project.toml";

/** The default of the spec, which becomes the first line of the program. */
const usualShell = "/bin/sh";

/** Keys of [io.buildpacks]. `env` has been the place of `build.env` in drafts of 0.2, and is found in the wild. */
/** Bytes; a person's has less than 10 KiB. */
export const longestDescriptor = 1024 * 1024;

const keys = [
  ...["schema-version", "builder", "include", "exclude"],
  ...["group", "pre", "post", "build", "env"],
];

/** A project.toml as it was read, `path` for a person -> what it says; an empty one where there is no such file. */
export function descriptorOf(
  its: { kind: "text"; text: string } | { kind: "missing" } | { kind: "unreadable"; why: string },
  path: string,
): ReadDescriptor {
  if (its.kind === "missing") return { kind: "descriptor", descriptor: emptyDescriptor };
  if (its.kind === "text") return readDescriptor(its.text);
  return { kind: "mistakes", mistakes: [`${path} cannot be read: ${its.why}`] };
}

/** Project Descriptor 0.1 and 0.2, of the Buildpacks spec. */
export function readDescriptor(text: string): ReadDescriptor {
  const toml = readToml(text);
  if (toml.kind === "bad") {
    const { line, column } = toml.place;
    return { kind: "mistakes", mistakes: [`${file}:${line}:${column}: invalid TOML: ${toml.why}`] };
  }
  const values = new TomlValues(toml.document);
  const lineOf = (path: Path): number => toml.document.placeOf(path).line;
  const schema = schemaOf(values);
  const descriptor =
    schema === "0.1" ? olderDescriptor(values, lineOf) : newerDescriptor(values, lineOf);
  const { mistakes } = values;
  if (mistakes.length === 0) return { kind: "descriptor", descriptor };
  return {
    kind: "mistakes",
    mistakes: mistakes.map(({ line, what }) => `${file}:${line} ${what}`),
  };
}

/** 0.1 has no word for its version, and no table `_`. */
function schemaOf(values: TomlValues): ProjectDescriptor["schema"] {
  if (!values.has(["_"])) {
    if (!values.has(["io", "buildpacks"])) return "0.1";
    const where = 'stands without its version; write [_] with schema-version = "0.2" above it';
    values.add(["io", "buildpacks"], where);
    return "0.2";
  }
  if (values.table(["_"]) === undefined) return "0.2";
  const path = ["_", "schema-version"];
  const version = values.needed(path);
  if (version === undefined || version === "0.2") return "0.2";
  if (version === "0.1") return "0.1";
  values.add(path, `${shown(version)} is not known; the versions 0.1 and 0.2 are`);
  return "0.2";
}

type LineOf = (path: Path) => number;

function olderDescriptor(values: TomlValues, lineOf: LineOf): ProjectDescriptor {
  values.table(["build"]);
  const group = values.tables(["build", "buildpacks"]).map((path): DescribedBuildpack => {
    const id = values.text([...path, "id"]);
    const version = values.text([...path, "version"]);
    const uri = values.text([...path, "uri"]);
    if ((id === undefined) === (uri === undefined)) {
      values.add(path, "needs either an id or a uri");
    } else if (uri !== undefined && version !== undefined) {
      values.add([...path, "version"], "has no place beside uri, which says all; remove it");
    }
    return { id, version, uri, script: undefined, line: lineOf(path) };
  });
  return {
    ...emptyDescriptor,
    schema: "0.1",
    ...filesIn(values, ["build"]),
    group,
    env: variablesIn(values, ["build", "env"]),
  };
}

function newerDescriptor(values: TomlValues, lineOf: LineOf): ProjectDescriptor {
  const base = ["io", "buildpacks"];
  const table = values.table(base);
  for (const key of Object.keys(table ?? {})) {
    if (!keys.includes(key)) values.add([...base, key], unknownKey(key, keys));
  }
  const groupAt = (path: Path): DescribedBuildpack[] =>
    values.tables(path).map((its) => describedIn(values, { path: its, line: lineOf(its) }));
  for (const key of ["pre", "post", "build", "env"]) values.table([...base, key]);
  return {
    schema: "0.2",
    builder: values.text([...base, "builder"]),
    ...filesIn(values, base),
    group: groupAt([...base, "group"]),
    pre: groupAt([...base, "pre", "group"]),
    post: groupAt([...base, "post", "group"]),
    env: [
      ...variablesIn(values, [...base, "env", "build"]),
      ...variablesIn(values, [...base, "build", "env"]),
    ],
  };
}

function describedIn(
  values: TomlValues,
  { path, line }: { path: Path; line: number },
): DescribedBuildpack {
  const id = values.text([...path, "id"]);
  const version = values.text([...path, "version"]);
  const uri = values.text([...path, "uri"]);
  const script = values.has([...path, "script"])
    ? scriptIn(values, [...path, "script"])
    : undefined;
  const given = ["version", "uri", "script"].filter((key) => values.has([...path, key]));
  if (given.length > 1) {
    values.add(path, `has ${given.join(" and ")}; one of version, uri and script is allowed`);
  } else if (given.length === 0 && id === undefined) {
    values.add(path, "needs a uri, a script, or the id of a buildpack that is given");
  } else if (version !== undefined && id === undefined) values.add(path, "has no id");
  return { id, version, uri, script, line };
}

function scriptIn(values: TomlValues, path: Path): InlineScript | undefined {
  if (values.table(path) === undefined) return undefined;
  const api = values.needed([...path, "api"]);
  // TOML keeps the line ends of Windows, with which no shell reads a script.
  const inline = values.needed([...path, "inline"])?.replaceAll("\r\n", "\n");
  const shell = values.text([...path, "shell"]) ?? usualShell;
  // The shell is the first line of a program: another line would be one of the script.
  if (/[\n\r\0]/.test(shell) || shell.trim() === "") {
    values.add([...path, "shell"], `${shown(shell)} is no program such as /bin/bash`);
  }
  return api === undefined || inline === undefined ? undefined : { api, shell, inline };
}

function filesIn(values: TomlValues, base: Path): Pick<ProjectDescriptor, "include" | "exclude"> {
  const include = values.texts([...base, "include"]);
  const exclude = values.texts([...base, "exclude"]);
  if (include !== undefined && exclude !== undefined) {
    values.add([...base, "exclude"], "stands beside include; only one of both is allowed");
  }
  for (const [key, patterns] of Object.entries({ include, exclude })) {
    for (const { index, what } of readPathRules(patterns ?? []).mistakes) {
      values.add([...base, key, index], what);
    }
  }
  return { include, exclude };
}

function variablesIn(values: TomlValues, path: Path): { name: string; value: string }[] {
  return values.tables(path).flatMap((its) => {
    const name = values.needed([...its, "name"]);
    const value = values.text([...its, "value"]);
    if (!values.has([...its, "value"])) values.add(its, "has no value");
    if (name === undefined || value === undefined) return [];
    if (/[=/\0]/.test(name)) values.add([...its, "name"], `${shown(name)} is no variable's name`);
    if (value.includes("\0")) values.add([...its, "value"], "has a NUL, which no variable has");
    return [{ name, value }];
  });
}
