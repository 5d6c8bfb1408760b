/** Layers and an environment -> the environment that they make of it, by the Buildpacks spec's rules. */
import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { readTextSync } from "../../system/read-text.ts";

export type Environment = Record<string, string>;

export type LayerFolder = {
  /** Absolute, as the variables are to hold it. */
  path: string;
};

export type LayerVariables = {
  phase: "build" | "launch";
  /** The type of the process that is launched. */
  process: string | undefined;
  /** A line for a person. */
  write(line: string): void;
};

/** buildpack.md, Layer Paths. */
const paths = {
  build: [
    ["PATH", "bin"],
    ["LD_LIBRARY_PATH", "lib"],
    ["LIBRARY_PATH", "lib"],
    ["CPATH", "include"],
    ["PKG_CONFIG_PATH", "pkgconfig"],
  ],
  launch: [
    ["PATH", "bin"],
    ["LD_LIBRARY_PATH", "lib"],
  ],
} as const;

/** Bytes. The kernel takes no variable longer than 128 KiB. */
const longest = 128 * 1024;

/**
 * `layers`: of one buildpack, all that are designated for this phase, ascending by name. buildpack.md, Environment,
 * Provided by the Buildpacks. The next buildpack's are applied to what this returns. Variables that only a person may
 * set are for whoever calls this to set again.
 */
export function withLayers(
  env: Environment,
  { layers, ...options }: { layers: readonly LayerFolder[] } & LayerVariables,
): Environment {
  const its = { ...env };
  // Ascending in the result, and each is put in front.
  for (const { path } of layers.toReversed()) {
    for (const [variable, folder] of paths[options.phase]) {
      const whole = join(path, folder);
      if (!isFolder(whole)) continue;
      its[variable] = its[variable] ? `${whole}:${its[variable]}` : whole;
    }
  }
  for (const { path } of layers) {
    const { phase, process, write } = options;
    const folders = ["env", `env.${phase}`];
    if (phase === "launch" && process !== undefined) folders.push(`env.launch/${process}`);
    const delimiters = new Map<string, string>();
    for (const folder of folders) applyFolder(its, join(path, folder), { delimiters, write });
  }
  return its;
}

/** `delimiters`: those of the layer so far: one in `env` counts in `env.launch` too. */
function applyFolder(
  env: Environment,
  folder: string,
  { delimiters, write }: { delimiters: Map<string, string>; write(line: string): void },
): void {
  const files = filesIn(folder);
  const contents = new Map<string, string>();
  for (const file of files) {
    const read = readTextSync(join(folder, file), { longest });
    if (read.kind === "missing") continue;
    if (read.kind === "unreadable" || read.text.includes("\0")) {
      const why = read.kind === "unreadable" ? read.why : "it has a NUL, which no variable has";
      write(`${join(folder, file)} is not used: ${why}`);
      continue;
    }
    if (!/^[^=.]/.test(file) || file.includes("=")) {
      write(`${join(folder, file)} is not used: no variable can have that name`);
      continue;
    }
    contents.set(file, read.text);
  }
  for (const [file, content] of contents) {
    const { name, suffix } = named(file);
    if (suffix === "delim") delimiters.set(name, content);
  }
  for (const [file, content] of contents) {
    const { name, suffix } = named(file);
    if (suffix === "delim") continue;
    const before = env[name] ?? "";
    const between = before === "" ? "" : (delimiters.get(name) ?? "");
    if (suffix === undefined || suffix === "override") env[name] = content;
    else if (suffix === "default") env[name] = before === "" ? content : before;
    else if (suffix === "append") env[name] = `${before}${between}${content}`;
    else if (suffix === "prepend") env[name] = `${content}${between}${before}`;
    else {
      write(
        `${join(folder, file)} is not used: .${suffix} is none of append, default, delim, override and prepend`,
      );
    }
  }
}

/** The name ends at the first period. */
function named(file: string): { name: string; suffix: string | undefined } {
  const at = file.indexOf(".");
  if (at === -1) return { name: file, suffix: undefined };
  return { name: file.slice(0, at), suffix: file.slice(at + 1) };
}

/** Ascending. Folders are none: `env.launch` has one for each type of process. */
function filesIn(folder: string): string[] {
  try {
    return readdirSync(folder, { withFileTypes: true })
      .filter((entry) => !entry.isDirectory())
      .map((entry) => entry.name)
      .sort();
  } catch {
    // Most layers have no such folder.
    return [];
  }
}

function isFolder(path: string): boolean {
  try {
    return statSync(path).isDirectory();
  } catch {
    // As above.
    return false;
  }
}
