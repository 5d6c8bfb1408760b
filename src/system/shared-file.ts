/** A small file that several of our processes write -> its value as of now, and changes to it, one after another. */
import { fileFingerprint } from "./file-fingerprint.ts";
import { lockFile } from "./file-lock.ts";

export type FileValue<Value> =
  | { kind: "value"; value: Value }
  /** `isPassing`: the system is short of something, and the file may be sound. */
  | { kind: "broken"; why: string; isPassing: boolean };

export type FollowedFile<Value> = {
  path: string;
  /** The value where there has never been a file. */
  first: Value;
  read(): FileValue<Value>;
  /** Called once for each version of the file that is broken; the value stays the one before. */
  onBroken(why: string): void;
};

/** Returns the same value until the file says something else. One call costs one stat(). */
export function followedFile<Value>(options: FollowedFile<Value>): () => Value {
  const { path, first, read, onBroken } = options;
  let known = first;
  let version = "";
  return () => {
    const seen = fileFingerprint(path);
    if (seen === version) return known;
    version = seen;
    const its = read();
    if (its.kind === "value") known = its.value;
    // The next look reads it again, and is not told either.
    else if (its.isPassing) version = "";
    else onBroken(its.why);
    return known;
  };
}

/** Milliseconds between attempts while another process changes the file, and for all of them. */
const pause = 10;
const usualPatience = 2_000;

/**
 * Runs `change` while no other process of ours changes the file; `held`: one did all the time. The folder must exist.
 * @throws Error of the file system, and that of `change`.
 */
export async function changeAlone<Result>(
  { path, patience = usualPatience }: { path: string; patience?: number | undefined },
  change: () => Promise<Result>,
): Promise<{ kind: "changed"; result: Result } | { kind: "held" }> {
  for (let waited = 0; ; waited += pause) {
    const lock = lockFile(`${path}.lock`);
    if (lock.kind === "locked") {
      try {
        return { kind: "changed", result: await change() };
      } finally {
        lock.release();
      }
    }
    if (waited >= patience) return { kind: "held" };
    await Bun.sleep(pause);
  }
}
