/** A `.git` file or folder -> the repository behind it, and the branch that is checked out there. */
import { basename, dirname, join, resolve } from "node:path";
import type { GitFiles } from "./git-files.ts";

export type GitFolder = {
  /** The folder of HEAD, absolute. */
  own: string;
  /** The folder of the refs: another one only in a linked worktree. */
  common: string;
  /** Made by `git worktree add`. */
  linked: boolean;
  /** A submodule's, which belongs to the repository around it. */
  submodule: boolean;
};

/** Bytes of `config`. */
const longestConfig = 256 * 1024;
const branchRef = /^ref:\s*refs\/heads\/(.+)$/;
/** Files that tell the branch while HEAD is detached for a rebase or a bisect. */
const heldBranches = ["rebase-merge/head-name", "rebase-apply/head-name", "BISECT_START"];
/** The content of HEAD in a repository with reftable(5). */
const inTables = ".invalid";

/** A linked worktree whose repository was moved or removed, or cannot be read. `common`: where it was. */
export type LostWorktree = { lost: true; common: string };

/**
 * Undefined where there is no repository: git's rule is that a folder without a HEAD is none. `broken`: a `.git` file
 * that leads nowhere, so that nothing above counts either.
 */
export function gitFolderAt(
  path: string,
  files: GitFiles,
): GitFolder | LostWorktree | "broken" | undefined {
  const kind = files.kind(path);
  if (kind === "missing" || kind === "other") return undefined;
  const own = kind === "folder" ? files.real(path) : targetOf(path, files);
  if (own === undefined || files.word(join(own, "HEAD")) === undefined) {
    if (kind === "folder") return undefined;
    const [, common] = /^(\/.+)\/worktrees\/[^/]+$/.exec(own ?? "") ?? [];
    return common === undefined ? "broken" : { lost: true, common };
  }
  const word = files.word(join(own, "commondir"));
  const common = word === undefined ? own : files.real(resolve(own, word));
  // Git makes it in exactly this place: gitrepository-layout(5).
  const linked = common !== own && dirname(own) === join(common, "worktrees");
  if (common !== own && !linked) return "broken";
  const submodule = !linked && kind === "file" && /\/modules\//.test(own);
  return { own, common, linked, submodule };
}

/** The folder that a `.git` file names, whether or not it is there. */
function targetOf(path: string, files: GitFiles): string | undefined {
  const [, target] = /^gitdir:\s*([^\0\n]+)$/.exec(files.word(path) ?? "") ?? [];
  return target === undefined ? undefined : files.real(resolve(dirname(path), target.trim()));
}

/** The branch that is checked out, or that a rebase has set aside; undefined where HEAD is detached. */
export function branchOf(own: string, files: GitFiles): string | undefined {
  const head = files.word(join(own, "HEAD")) ?? "";
  const [, branch] = branchRef.exec(head) ?? [];
  if (branch !== undefined) return branch === inTables ? undefined : branch;
  for (const file of heldBranches) {
    const held = files.word(join(own, file));
    const name = held?.replace(/^refs\/heads\//, "");
    if (name !== undefined && !/^[0-9a-f]{40}|^detached HEAD$/.test(name)) return name;
  }
  return undefined;
}

/** The folder of the main checkout; undefined where there is none, or where nothing tells. */
export function mainOf(common: string, files: GitFiles): string | undefined {
  const core = coreOf(common, files);
  const [, worktree] = /^\s*worktree\s*=\s*"?([^"\n\0]+)"?\s*$/im.exec(core) ?? [];
  if (worktree !== undefined) return files.real(resolve(common, worktree.trim()));
  if (isBare(common, files)) return undefined;
  return basename(common) === ".git" ? dirname(common) : undefined;
}

/** The repository has no checkout but linked worktrees. */
export function isBare(common: string, files: GitFiles): boolean {
  return /^\s*bare\s*=\s*(?:true|yes|on|1)\s*$/im.test(coreOf(common, files));
}

/** The section `[core]` of its configuration. */
function coreOf(common: string, files: GitFiles): string {
  const config = files.text(join(common, "config"), { longest: longestConfig }) ?? "";
  return /^\s*\[core\](?:.|\n)*?(?=^\s*\[|(?![\s\S]))/im.exec(config)?.[0] ?? "";
}
