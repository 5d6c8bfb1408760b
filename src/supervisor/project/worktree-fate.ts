/** A linked worktree's folder that is not at its path any more -> whether it was deleted, or where it was moved to. */
import { readdir, readlink } from "node:fs/promises";
import { dirname, join, relative, resolve } from "node:path";
import { folderIdentity, isSameFolder, whereabouts } from "../../system/folder-identity.ts";
import { isInside } from "../../routes/name-rights.ts";
import { readText } from "../../system/read-text.ts";
import { checkoutsFor } from "./checkout-of.ts";

export type Fate =
  | { kind: "deleted" }
  /** Absolute: the project's folder now. */
  | { kind: "moved"; to: string }
  /** The folder is at its path, or its file system is not mounted, or it may be somewhere else: nothing is known. */
  | { kind: "unknown" };

export type Worktree = {
  /** Absolute: the project's folder, which may lie within the worktree. */
  directory: string;
  /** The worktree's own folder. */
  root: string;
  repository: string | undefined;
  /** The project's folder at the last `up`; undefined where that is not known. */
  identity: string | undefined;
  /** Processes that were started in it. */
  pids: readonly number[];
  /** Its services are to run. */
  isUp: boolean;
};

/** Bytes of a path. */
const longestLink = 8192;

/** Folders beside the one that is gone, and above one that a process is in. */
const mostFolders = 1000;

/**
 * `git worktree move` writes the new path down, a folder that was renamed lies beside the old one, and processes take
 * their folder along. Never rejects.
 */
export async function fateOf(worktree: Worktree): Promise<Fate> {
  const { directory, root, identity, repository, pids, isUp } = worktree;
  const where = await whereabouts(directory, identity);
  // A branch without the project's folder leaves the worktree where it is.
  const isThere = where === "gone" && folderIdentity(root) !== "";
  if (isThere || (where !== "gone" && where !== "replaced")) return { kind: "unknown" };
  if (identity !== undefined) {
    const within = relative(root, directory);
    const roots = [...recordedRoots(worktree), ...(await besides(root))];
    const to = roots
      .map((its) => join(its, within))
      .find((path) => isSameFolder(folderIdentity(path), identity));
    if (to !== undefined) return { kind: "moved", to };
    for (const pid of pids) {
      const at = await folderOf(pid, identity);
      if (at !== undefined) return { kind: "moved", to: at };
    }
  }
  const told = await Promise.all(pids.map((pid) => isInDeleted(pid, root)));
  if (told.includes(true)) return { kind: "deleted" };
  // Another folder is in its place, or the repository is gone as well: only a process can tell.
  const isRepositoryThere = repository === undefined || folderIdentity(repository) !== "";
  if (where === "replaced" || !isRepositoryThere) return { kind: "unknown" };
  // With its surroundings it may have been moved, but then its services would run there.
  const hasEnded = isUp && pids.length === 0;
  const isSure = folderIdentity(dirname(root)) !== "" || hasEnded || !(await isRecorded(worktree));
  return { kind: isSure ? "deleted" : "unknown" };
}

/** Git has written the worktree down, and forgets those that it removes itself. */
async function isRecorded({ repository, root }: Worktree): Promise<boolean> {
  if (repository === undefined) return true;
  const folder = join(repository, "worktrees");
  const names = await readdir(folder).catch(() => []);
  const links = await Promise.all(
    names.slice(0, mostFolders).map(async (name) => {
      const its = await readText(join(folder, name, "gitdir"), { longest: longestLink });
      return its.kind === "text" ? resolve(folder, name, its.text.trimEnd()) : undefined;
    }),
  );
  return links.includes(join(root, ".git"));
}

function recordedRoots({ repository }: Worktree): string[] {
  if (repository === undefined) return [];
  return checkoutsFor(repository)
    .worktrees(repository)
    .map(({ root }) => root);
}

/** Where it is if one of the folders on the way to it was renamed. */
async function besides(root: string): Promise<string[]> {
  let gone = root;
  while (folderIdentity(dirname(gone)) === "" && dirname(gone) !== gone) gone = dirname(gone);
  const above = dirname(gone);
  const names = await readdir(above, { withFileTypes: true }).catch(() => []);
  return names
    .filter((its) => its.isDirectory())
    .slice(0, mostFolders)
    .map(({ name }) => join(above, name, relative(gone, root)));
}

/** The folder with that identity that a process is in, or in a folder below it. */
async function folderOf(pid: number, identity: string): Promise<string | undefined> {
  // Ended meanwhile, or a system without /proc.
  let here = await readlink(`/proc/${pid}/cwd`).catch(() => "/");
  for (let count = 0; count < mostFolders && here !== "/"; count++) {
    if (isSameFolder(folderIdentity(here), identity)) return here;
    here = dirname(here);
  }
  return undefined;
}

/** Linux says so behind the path that the folder had. */
const deleted = " (deleted)";

async function isInDeleted(pid: number, root: string): Promise<boolean> {
  const at = await readlink(`/proc/${pid}/cwd`).catch(() => "");
  return at.endsWith(deleted) && isInside(at.slice(0, -deleted.length), root);
}
