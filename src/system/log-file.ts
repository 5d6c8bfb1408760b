/** Text -> lines with the time in a file that stays small; the older ones beside it. */
import { closeSync, lstatSync, renameSync, writeSync } from "node:fs";
import { openToAppendSync } from "./regular-file.ts";

export type LogFile = {
  /** Each line of it gets the time. */
  write(text: string): void;
};

export type LogFileOptions = {
  now(): number;
  /** Bytes beyond which the file is put aside. */
  limit?: number;
  /** How many are kept, with the one that is written. */
  kept?: number;
};

/**
 * Nothing is held open, so that two daemons, of which one is about to go, may write into one file. A disk that
 * fails or is full costs the line and nothing else, as does what is no file.
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
        // There is nowhere left to say it.
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
