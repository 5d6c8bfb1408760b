/** The path of the state directory -> whether what lies there can be relied on; made, and tightened where it may be. */
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
import { pastedWord } from "../text/shell-words.ts";

/** Undefined: nothing is wrong with it, also where there is none yet. Otherwise a sentence with the command that mends it. */
export function stateDirectoryProblem(path: string): string | undefined {
  const uid = process.geteuid?.();
  for (const look of [lstatSync, statSync]) {
    let its: Stats;
    try {
      its = look(path);
    } catch {
      // There is none, or it cannot be reached: whoever makes it will say so.
      return undefined;
    }
    if (uid !== undefined && its.uid !== uid) {
      return `the state directory ${path} belongs to another user (uid ${its.uid}), who could pose as our daemon; give us another: LOCALHOSTESS_STATE_DIR, or: sudo chown -R ${uid} ${pastedWord(path)}`;
    }
    // A link's own mode says nothing.
    if (its.isSymbolicLink()) continue;
    if ((its.mode & 0o022) !== 0) {
      return `the state directory ${path} may be written by other users, who could pose as our daemon; to mend it: chmod 700 ${pastedWord(path)}`;
    }
  }
  return undefined;
}

export type PrepareOptions = {
  /** It is ours alone, so nobody needs to read it: not where a person chose the place. */
  tighten: boolean;
};

/** Makes it, mode 0700. @throws an Error for a person, where it must not be used; that of the file system, with `code`. */
export function prepareStateDirectory(path: string, { tighten }: PrepareOptions): void {
  const problem = stateDirectoryProblem(path);
  if (problem !== undefined) throw new Error(problem);
  mkdirSync(path, { recursive: true, mode: 0o700 });
  if (tighten && (statSync(path).mode & 0o077) !== 0) chmodSync(path, 0o700);
  sweep(path);
}

/** As system/atomic-file.ts, system/write-once.ts and control/ipc/ipc.ts name what they have not finished. */
const unfinished = /\.(?:\d+\.[0-9a-f-]{36}|sock\.[0-9a-f]{8})\.tmp$/;
/** Milliseconds: nobody who lives takes this long to write a small file. */
const abandonedAfter = 60_000;

/** What a killed process had half written. Nobody reads it; it only would become more. */
function sweep(path: string): void {
  for (const name of readdirSync(path).filter((its) => unfinished.test(its))) {
    const file = join(path, name);
    const its = lstatSync(file, { throwIfNoEntry: false });
    if (its === undefined || Date.now() - its.mtimeMs < abandonedAfter) continue;
    try {
      unlinkSync(file);
    } catch {
      // Somebody else was quicker, or it stays: it harms nobody.
    }
  }
}
