/** The file of this program, and what stands around it -> who has installed it, and where. Pure. */
import { type Manager, runnerOf } from "../../boot/runner-cache.ts";
import { basename, dirname, join } from "node:path";

export type { Manager };

export type Installed =
  | {
      by: "global";
      manager: Manager;
      /** The folder with the node_modules that hold the package. */
      folder: string;
    }
  | { by: "project"; manager: Manager; folder: string; isBerry: boolean }
  /** A copy in the cache of npx and its like, which goes with the cache. */
  | { by: "runner"; manager: Manager }
  | { by: "debian"; file: string }
  | { by: "homebrew"; prefix: string }
  | { by: "clone"; folder: string }
  /** A program that was unpacked from an archive, or built. */
  | { by: "file"; file: string };

export type Surroundings = {
  /** Absolute, without symbolic links. */
  file: string;
  /** Whether something is at that path. */
  exists(path: string): boolean;
  /** Whether the file belongs to a Debian package of ours. */
  isDebian: boolean;
};

const packageName = "localhostess";

/** Folders of global packages, up to the last `node_modules` that counts. npm's is told by its `lib`. */
const globals: readonly [manager: Manager, folder: RegExp][] = [
  ["pnpm", /^(.*\/pnpm\/global\/[^/]+)\/(?:\.pnpm|node_modules)\//],
  ["yarn", /^(.*\/yarn\/(?:Data\/)?global)\/node_modules\//],
  ["bun", /^(.*\/\.?bun\/install\/global)\/node_modules\//],
  ["npm", /^(.*\/lib)\/node_modules\/(?:localhostess|@localhostess)\//],
];

/** The lock files by which a project's manager is known; the first that is there counts. */
const lockFiles: readonly [file: string, manager: Manager][] = [
  ["pnpm-lock.yaml", "pnpm"],
  ["yarn.lock", "yarn"],
  ["bun.lock", "bun"],
  ["bun.lockb", "bun"],
  ["package-lock.json", "npm"],
  ["npm-shrinkwrap.json", "npm"],
];

export function installedBy({ file, exists, isDebian }: Surroundings): Installed {
  if (isDebian) return { by: "debian", file };
  const cellar = file.indexOf(`/Cellar/${packageName}/`);
  if (cellar !== -1) return { by: "homebrew", prefix: file.slice(0, cellar) };
  const runner = runnerOf(file);
  if (runner !== undefined) return { by: "runner", manager: runner };
  for (const [manager, pattern] of globals) {
    const folder = pattern.exec(file)?.[1];
    // A project may be in a folder `lib`: its own package.json is beside node_modules then.
    const isProject = manager === "npm" && folder !== undefined && isNpmProject(folder, exists);
    if (folder !== undefined && !isProject) return { by: "global", manager, folder };
  }
  const modules = file.indexOf("/node_modules/");
  if (modules !== -1) {
    const folder = projectOf(file.slice(0, modules), exists);
    const manager = lockFiles.find(([name]) => exists(join(folder, name)))?.[1] ?? "npm";
    const isBerry = manager === "yarn" && exists(join(folder, ".yarnrc.yml"));
    return { by: "project", manager, folder, isBerry };
  }
  const root = dirname(dirname(file));
  const isSource = basename(file) === "main.ts" && basename(dirname(file)) === "src";
  if (isSource && exists(join(root, ".git"))) return { by: "clone", folder: root };
  return { by: "file", file };
}

function isNpmProject(folder: string, exists: Surroundings["exists"]): boolean {
  return exists(join(folder, "package.json"));
}

/** The lock file of a workspace's package is in a folder above. */
function projectOf(folder: string, exists: Surroundings["exists"]): string {
  for (let at = folder; ; at = dirname(at)) {
    if (lockFiles.some(([name]) => exists(join(at, name)))) return at;
    if (at === dirname(at)) return folder;
  }
}
