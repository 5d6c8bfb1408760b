/** The path of the state directory -> whether what lies there can be relied on; made, and tightened where it may be. */
import { chmodSync, lstatSync, mkdirSync, type Stats, statSync } from "node:fs";

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
      return `the state directory ${path} belongs to another user (uid ${its.uid}), who could pose as our daemon; give us another: LOCALHOSTESS_STATE_DIR, or: sudo chown -R ${uid} '${path}'`;
    }
    // A link's own mode says nothing.
    if (its.isSymbolicLink()) continue;
    if ((its.mode & 0o022) !== 0) {
      return `the state directory ${path} may be written by other users, who could pose as our daemon; to mend it: chmod 700 '${path}'`;
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
}
