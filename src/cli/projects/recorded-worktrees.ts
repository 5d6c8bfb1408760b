/** A repository -> its worktrees as git has them written down, also those whose folders are gone. */
import { stat } from "node:fs/promises";
import { Failure } from "../shared/failure.ts";
import { type Git, gitWhy } from "./git.ts";

export type RecordedWorktree = {
  /** Absolute. */
  root: string;
  /** Undefined where HEAD is detached. */
  branch: string | undefined;
  isMain: boolean;
  /** The reason for its lock, which may be empty; undefined: it is not locked. */
  locked: string | undefined;
  isGone: boolean;
};

/** Git's exit code for an option that it does not know. */
const usageCode = 129;

/** @throws a Failure where git cannot tell. */
export async function recordedWorktrees(git: Git): Promise<RecordedWorktree[]> {
  let told = await git("worktree", "list", "--porcelain", "-z");
  // Before 2.36, git does not know -z, and a path with a newline cannot be told from two lines.
  if (told.code === usageCode) told = await git("worktree", "list", "--porcelain");
  if (told.code !== 0) throw new Failure("failed", gitWhy(told));
  const all = worktreesIn(told.out).map(async (its) => ({
    ...its,
    isGone: !(await isThere(its.root)),
  }));
  return await Promise.all(all);
}

/** The text of `git worktree list --porcelain`, with `-z` or without. Pure. */
export function worktreesIn(text: string): Omit<RecordedWorktree, "isGone">[] {
  const end = text.includes("\0") ? "\0" : "\n";
  const records = text.split(end + end).filter((record) => record.startsWith("worktree "));
  return records.map((record, index) => {
    const value = (key: string): string | undefined => {
      const line = record.split(end).find((its) => its === key || its.startsWith(`${key} `));
      return line?.slice(key.length + 1);
    };
    const branch = value("branch")?.replace(/^refs\/heads\//, "");
    // The main one comes first; a bare repository has no checkout of its own.
    return { root: value("worktree")!, branch, isMain: index === 0, locked: value("locked") };
  });
}

async function isThere(path: string): Promise<boolean> {
  return await stat(path).then(
    () => true,
    () => false,
  );
}
