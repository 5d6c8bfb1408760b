/** Text -> lines with a timestamp in a file of limited size; older lines are kept in files beside it. */
import { closeSync, lstatSync, renameSync, writeSync } from "node:fs";
import { openToAppendSync } from "./regular-file.ts";

export type LogFile = {
  /** Every line of the text gets a timestamp. */
  write(text: string): void;
};

export type LogFileOptions = {
  now(): number;
  /** Bytes after which the file is rotated. */
  limit?: number;
  /** How many files are kept, including the current one. */
  kept?: number;
};

/**
 * The file is not kept open, so two daemons, one of which is about to stop, can write to it. If the disk fails or is
 * full, or the path is not a regular file, only the line is lost.
 */
export function logFile(
  path: string,
  { now, limit = 1024 * 1024, kept = 3 }: LogFileOptions,
): LogFile {
  return {
    write(text) {
      const time = new Date(now()).toISOString();
      const lines = text.split("\n").filter((line) => line.trim() !== "");
      if (lines.length === 0) return;
      try {
        if (sizeOf(path) > limit) rotate(path, kept);
        const file = openToAppendSync(path);
        try {
          writeSync(file, lines.map((line) => `${time} ${line}\n`).join(""));
        } finally {
          closeSync(file);
        }
      } catch {
        // There is no other place to report this.
      }
    },
  };
}

function sizeOf(path: string): number {
  return lstatSync(path, { throwIfNoEntry: false })?.size ?? 0;
}

function rotate(path: string, kept: number): void {
  for (let number = kept - 1; number >= 1; number--) {
    const from = number === 1 ? path : `${path}.${number - 1}`;
    if (lstatSync(from, { throwIfNoEntry: false }) !== undefined) {
      renameSync(from, `${path}.${number}`);
    }
  }
}
