/** The lines of a build -> a file in its place: of the last build, and of the one before. */
import { closeSync, renameSync, rmSync, writeSync } from "node:fs";
import { join } from "node:path";
import { openToAppendSync } from "../system/regular-file.ts";

export interface BuildLog {
  write(line: string): void;
  /** Twice is harmless. */
  close(): void;
}

/** Bytes of the beginning of a build that are kept as they come, and of its end. */
const most = { head: 3 * 1024 * 1024, tail: 1024 * 1024 };

export function buildLogPath(place: string): string {
  return join(place, "build.log");
}

/**
 * Begins with the first line, so that a build that had nothing to do leaves the last one's. A file that cannot be
 * written costs its lines, and no build.
 */
export function buildLog(place: string, limits = most): BuildLog {
  const path = buildLogPath(place);
  let file: number | "lost" | undefined;
  let size = 0;
  let tail: string[] = [];
  let tailSize = 0;
  let left = 0;
  const put = (text: string): void => {
    try {
      if (file === undefined) {
        renameOld(path);
        file = openToAppendSync(path);
      }
      if (file !== "lost") writeSync(file, text);
    } catch {
      // The disk is full, or the folder is gone: the service's own log still has the lines.
      if (typeof file === "number") closeSync(file);
      file = "lost";
    }
  };
  return {
    write(line) {
      const text = `${line}\n`;
      const length = Buffer.byteLength(text);
      if (size + length <= limits.head) {
        size += length;
        put(text);
        return;
      }
      size = limits.head;
      tail.push(text);
      tailSize += length;
      for (let at = 0; tailSize > limits.tail && at < tail.length - 1; at++) {
        tailSize -= Buffer.byteLength(tail[at]!);
        left++;
        tail[at] = "";
      }
      if (tail[0] === "") tail = tail.filter((its) => its !== "");
    },
    close() {
      if (left > 0) put(`(${left} lines are left out here)\n`);
      for (const text of tail) put(text);
      [tail, tailSize, left] = [[], 0, 0];
      if (typeof file === "number") closeSync(file);
      file = "lost";
    },
  };
}

function renameOld(path: string): void {
  try {
    renameSync(path, `${path}.1`);
  } catch (error) {
    // This is the first build.
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return;
    // A folder at one of the paths: what is in the way there is not a log.
    rmSync(`${path}.1`, { recursive: true, force: true });
    renameSync(path, `${path}.1`);
  }
}
