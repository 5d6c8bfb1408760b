/** A linked worktree's folder that is not at its path any more -> whether it was deleted, or where it was moved to. */
import { readdir, readlink } from "node:fs/promises";
import { dirname, join, relative } from "node:path";
import { folderIdentity, isSameFolder, whereabouts } from "../../system/folder-identity.ts";
import { checkoutsFor } from "./checkout-of.ts";

export type Fate =
  | { kind: "deleted" }
  /** Absolute: the project's folder now. */
  | { kind: "moved"; to: string }
  /** Something is at the path, or its file system is not mounted: nothing is known. */
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
};

/** Folders beside the one that is gone, and above one that a process is in. */
const mostFolders = 1000;

/**
 * `git worktree move` writes the new path down, a folder that was renamed lies beside the old one, and processes take
 * their folder along. Never rejects.
 */
export async function fateOf(worktree: Worktree): Promise<Fate> {
  const { directory, root, identity } = worktree;
  // A branch without the project's folder leaves the worktree where it is.
  const isThere = folderIdentity(root) !== "";
  if (isThere || (await whereabouts(directory, identity)) !== "gone") return { kind: "unknown" };
  if (identity !== undefined) {
    const within = relative(root, directory);
    const roots = [...recordedRoots(worktree), ...(await besides(root))];
    const to = roots
      .map((its) => join(its, within))
      .find((path) => isSameFolder(folderIdentity(path), identity));
    if (to !== undefined) return { kind: "moved", to };
    for (const pid of worktree.pids) {
      const at = await folderOf(pid, identity);
      if (at !== undefined) return { kind: "moved", to: at };
    }
  }
  const { repository, pids } = worktree;
  if (repository === undefined || folderIdentity(repository) !== "") return { kind: "deleted" };
  // All of it was moved, or all of it deleted: only its processes can tell.
  const told = await Promise.all(pids.map((pid) => isInDeleted(pid, root)));
  return told.includes(true) ? { kind: "deleted" } : { kind: "unknown" };
}

function recordedRoots({ repository }: Worktree): string[] {
  if (repository === undefined) return [];
  return checkoutsFor(repository)
    .worktrees(repository)
    .map(({ root }) => root);
}

async function besides(root: string): Promise<string[]> {
  const above = dirname(root);
  const names = await readdir(above, { withFileTypes: true }).catch(() => []);
  return names
    .filter((its) => its.isDirectory())
    .slice(0, mostFolders)
    .map(({ name }) => join(above, name));
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
async function isInDeleted(pid: number, root: string): Promise<boolean> {
  const at = await readlink(`/proc/${pid}/cwd`).catch(() => "");
  return at.startsWith(root) && at.endsWith(" (deleted)");
}
