/** A folder -> the services in its package.json, workspaces and Procfile. */
import { stat } from "node:fs/promises";
import { basename, join } from "node:path";
import { mistakeText } from "../../manifest/layer.ts";
import type { Found, FoundService } from "../../manifest/new-manifest.ts";
import { procfileNames, readProcfile } from "../../manifest/procfile.ts";
import { labelFrom, projectNameFrom } from "../../manifest/project-name.ts";
import type { ServiceType } from "../../manifest/types/own.ts";
import { readText } from "../../system/read-text.ts";

type Package = {
  name?: unknown;
  scripts?: unknown;
  workspaces?: unknown;
  packageManager?: unknown;
};

/** Bytes. */
const longest = 1024 * 1024;

/** The most packages of a project that are read. */
const mostPackages = 200;

/** The usual names of the script that starts a development server, best first. */
const scriptNames = ["dev", "start"];

export type FoundHere = Omit<Found, "composed"> & {
  /** The name in package.json; undefined: `name` is the folder's. */
  own: string | undefined;
};

/** Never rejects: files that cannot be read count as missing. */
export async function foundServices(directory: string): Promise<FoundHere> {
  const [root, procfile] = await Promise.all([packageIn(directory), procfileIn(directory)]);
  const notes: string[] = [];
  const services = new Map<string, FoundService>();
  const offer = (service: FoundService): void => {
    // The first service keeps the name: a Procfile was written for this purpose.
    if (!services.has(service.name)) services.set(service.name, service);
  };
  if (procfile !== undefined) {
    const { tree, mistakes } = readProcfile(procfile.text, procfile.name);
    for (const service of procfileServices(tree, procfile.name)) offer(service);
    notes.push(...mistakes.map((mistake) => `Left out: ${mistakeText(mistake)}`));
  }
  if (root !== undefined) {
    const manager = await managerOf(directory, root);
    const packages = await workspacesOf(directory, root);
    for (const { folder, its } of packages) {
      const label = labelFrom(basename(folder));
      const script = scriptOf(its);
      if (label === undefined || script === undefined) continue;
      const from = `${folder}/package.json, "${script.name}"`;
      offer({ name: label, type: "exec", command: runs(manager, script), workdir: folder, from });
    }
    const script = scriptOf(root);
    // With workspaces, the root's script usually starts all of them.
    if (script !== undefined && services.size > 0 && packages.length > 0) {
      notes.push(
        `package.json has "${script.name}" too, which may start them all: ${runs(manager, script)}`,
      );
    } else if (script !== undefined) {
      const from = `package.json, "${script.name}"`;
      offer({ name: "web", type: "exec", command: runs(manager, script), from });
    }
  }
  const own =
    typeof root?.name === "string" ? labelFrom(root.name.replace(/^@[^/]*\//, "")) : undefined;
  return {
    own,
    name: own ?? projectNameFrom(basename(directory)),
    services: [...services.values()],
    notes,
  };
}

/** The Procfile that `up` would read. */
export async function procfileIn(
  directory: string,
): Promise<{ name: string; text: string } | undefined> {
  for (const name of procfileNames) {
    const text = await textOf(join(directory, name));
    if (text !== undefined) return { name, text };
  }
  return undefined;
}

type Tree = ReturnType<typeof readProcfile>["tree"];

function procfileServices(tree: Tree, file: string): FoundService[] {
  const services = tree.entries.get("services");
  if (services?.kind !== "table") return [];
  return [...services.entries].flatMap(([name, its]): FoundService[] => {
    const command = its.kind === "table" ? its.entries.get("command") : undefined;
    if (command?.kind !== "leaf") return [];
    const written = (key: string): unknown => {
      const node = its.kind === "table" ? its.entries.get(key) : undefined;
      return node?.kind === "leaf" ? node.value : undefined;
    };
    const type = written("type") as ServiceType;
    const disabled = written("disabled") === true;
    return [{ name, type, disabled, command: command.value as string, from: `the ${file}` }];
  });
}

type Script = { name: string; text: string };

function scriptOf({ scripts }: Package): Script | undefined {
  if (!isTable(scripts)) return undefined;
  for (const name of scriptNames) {
    const text = scripts[name];
    if (typeof text === "string" && text.trim() !== "") return { name, text };
  }
  return undefined;
}

type PackageManager = "bun" | "npm" | "pnpm" | "yarn";

function runs(manager: PackageManager, { name, text }: Script): string {
  // Vite and Astro take a port as an option only.
  const deaf = /(?:^|[\s;&|/])(?:vite(?!\s+(?:build|preview|optimize))|astro\s+dev)(?:\s|$)/.test(
    text,
  );
  const port = deaf ? `${manager === "npm" ? " --" : ""} --port $PORT` : "";
  return `${manager} run ${name}${port}`;
}

const lockFiles: [file: string, manager: PackageManager][] = [
  ["bun.lock", "bun"],
  ["bun.lockb", "bun"],
  ["pnpm-lock.yaml", "pnpm"],
  ["yarn.lock", "yarn"],
  ["package-lock.json", "npm"],
];

async function managerOf(directory: string, { packageManager }: Package): Promise<PackageManager> {
  const said = typeof packageManager === "string" ? packageManager.split("@")[0] : undefined;
  for (const [file, manager] of lockFiles) {
    if (said === manager || (await isThere(join(directory, file)))) return manager;
  }
  return "npm";
}

async function workspacesOf(
  directory: string,
  { workspaces }: Package,
): Promise<{ folder: string; its: Package }[]> {
  const pnpm = yamlOf(await textOf(join(directory, "pnpm-workspace.yaml")));
  const listed = isTable(workspaces) ? workspaces.packages : workspaces;
  const globs = [listed, isTable(pnpm) ? pnpm.packages : undefined]
    .flat()
    .filter((its): its is string => typeof its === "string" && !/^!|^\/|\.\./.test(its));
  const folders = new Set<string>();
  for (const glob of globs) {
    const pattern = `${glob.replace(/^\.\//, "").replace(/\/+$/, "")}/package.json`;
    for await (const path of new Bun.Glob(pattern).scan({ cwd: directory })) {
      if (!path.split("/").includes("node_modules"))
        folders.add(path.slice(0, -"/package.json".length));
      if (folders.size >= mostPackages) break;
    }
  }
  const found = [...folders].sort().map(async (folder) => {
    const its = await packageIn(join(directory, folder));
    return its === undefined ? [] : [{ folder, its }];
  });
  return (await Promise.all(found)).flat();
}

async function packageIn(directory: string): Promise<Package | undefined> {
  const text = await textOf(join(directory, "package.json"));
  if (text === undefined) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    return isTable(value) ? value : undefined;
  } catch {
    // An invalid package.json has no scripts to offer; its package manager reports the error.
    return undefined;
  }
}

function yamlOf(text: string | undefined): unknown {
  if (text === undefined) return undefined;
  try {
    return Bun.YAML.parse(text);
  } catch {
    // As with package.json: others will say what is wrong with it.
    return undefined;
  }
}

async function textOf(path: string): Promise<string | undefined> {
  const its = await readText(path, { longest });
  return its.kind === "text" ? its.text.replace(/^\uFEFF/, "") : undefined;
}

async function isThere(path: string): Promise<boolean> {
  return await stat(path).then(
    () => true,
    () => false,
  );
}

function isTable(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
