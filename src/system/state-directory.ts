/**
 * The path of the state directory -> whether it can be trusted; created, and its permissions tightened where allowed.
 */
import {
  chmodSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  type Stats,
  statSync,
  unlinkSync,
} from "node:fs";
import { join } from "node:path";
import { unwritableError } from "../text/unwritable.ts";
import { pastedWord } from "../text/shell-words.ts";

/**
 * Undefined if nothing is wrong, also if the directory does not exist yet. Otherwise a sentence with the command that
 * fixes it.
 */
export function stateDirectoryProblem(path: string): string | undefined {
  const uid = process.geteuid?.();
  for (const look of [lstatSync, statSync]) {
    let its: Stats;
    try {
      its = look(path);
    } catch {
      // The directory does not exist or cannot be reached; creating it will report that.
      return undefined;
    }
    if (uid !== undefined && its.uid !== uid) {
      return `the state directory ${path} belongs to another user (uid ${its.uid}), who could pose as our daemon; set LOCALHOSTESS_STATE_DIR to another directory, or: sudo chown -R ${uid} ${pastedWord(path)}`;
    }
    // The mode of a symbolic link itself means nothing.
    if (its.isSymbolicLink()) continue;
    if ((its.mode & 0o022) !== 0) {
      return `the state directory ${path} may be written by other users, who could pose as our daemon; to fix it: chmod 700 ${pastedWord(path)}`;
    }
  }
  return undefined;
}

export type PrepareOptions = {
  /** Removes all permissions of other users. False if a person chose the directory. */
  tighten: boolean;
};

/**
 * Creates the directory with mode 0700. @throws Error with a sentence if it must not be used, or the file system's
 * error with `code`.
 */
export function prepareStateDirectory(path: string, { tighten }: PrepareOptions): void {
  const problem = stateDirectoryProblem(path);
  if (problem !== undefined) throw new Error(problem);
  try {
    mkdirSync(path, { recursive: true, mode: 0o700 });
  } catch (error) {
    throw unwritableError(path, error as NodeJS.ErrnoException);
  }
  if (tighten && (statSync(path).mode & 0o077) !== 0) chmodSync(path, 0o700);
  sweep(path);
}

/** Temporary files as system/atomic-file.ts, system/write-once.ts and control/ipc/ipc.ts name them. */
const unfinished = /\.(?:\d+\.[0-9a-f-]{36}|sock\.[0-9a-f]{8})\.tmp$/;
/** Milliseconds; no running process takes this long to write a small file. */
const abandonedAfter = 60_000;

/** Removes files that a killed process left half-written. Nobody reads them, and they would pile up. */
function sweep(path: string): void {
  for (const name of readdirSync(path).filter((its) => unfinished.test(its))) {
    const file = join(path, name);
    const its = lstatSync(file, { throwIfNoEntry: false });
    if (its === undefined || Date.now() - its.mtimeMs < abandonedAfter) continue;
    try {
      unlinkSync(file);
    } catch {
      // Another process removed it first, or it cannot be removed: it is harmless.
    }
  }
}
