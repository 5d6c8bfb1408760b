/** A file of folders -> the projects whose servers get no name from them, as a person has said; and back. */
import { join } from "node:path";
import { writeAtomically } from "../system/atomic-file.ts";
import { readPrivateFile } from "../system/private-file.ts";
import { changeAlone, followedFile } from "../system/shared-file.ts";
import { unwritable } from "../text/unwritable.ts";

export interface ForgottenFolders {
  /** The same set until the file says something else. One call costs one stat(). */
  now(): ReadonlySet<string>;
}

/** Bytes; a thousand folders take less. */
const longest = 1024 * 1024;
export const mostForgotten = 1000;

const nobody: ReadonlySet<string> = new Set();

export function forgottenPath(stateDirectory: string): string {
  return join(stateDirectory, "forgotten-folders.json");
}

/** `isPassing`: the system is short of something, and the file may be sound. */
export type ReadForgotten =
  | { kind: "folders"; folders: readonly string[] }
  | { kind: "broken"; why: string; isPassing: boolean };

const reasons = {
  text: "its content is not valid",
  exposed: "another user owns it, or may write it",
  broken: `it is not a regular file, or larger than ${longest / 1024} KiB`,
  unknown: "the system cannot read it now",
} as const;

/** No file: no folders. Never throws, never waits. */
export function readForgotten(path: string): ReadForgotten {
  const its = readPrivateFile(path, { limit: longest, forbidden: 0o022 });
  if (its.kind === "absent") return { kind: "folders", folders: [] };
  const folders = its.kind === "text" ? foldersIn(its.text) : undefined;
  if (folders !== undefined) return { kind: "folders", folders };
  const why = `${path} cannot be used: ${reasons[its.kind]}`;
  return { kind: "broken", why, isPassing: its.kind === "unknown" };
}

function foldersIn(text: string): readonly string[] | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // Torn: whoever asks says so.
    return undefined;
  }
  const isFolder = (its: unknown) => typeof its === "string" && its.startsWith("/");
  return Array.isArray(value) && value.length <= mostForgotten && value.every(isFolder)
    ? value
    : undefined;
}

/** `note` gets the reason once for each version of the file that is broken; the folders stay those of before. */
export function forgottenFolders(path: string, note: (text: string) => void): ForgottenFolders {
  return {
    now: followedFile({
      path,
      first: nobody,
      read() {
        const its = readForgotten(path);
        return its.kind === "folders" ? { kind: "value", value: new Set(its.folders) } : its;
      },
      onBroken: (why) => note(`${why}; no other folder is forgotten`),
    }),
  };
}

/** A broken file is left as it is. The folder must exist. @returns a sentence where it failed. */
export async function changeForgotten(
  path: string,
  change: (before: readonly string[]) => readonly string[],
): Promise<string | undefined> {
  try {
    const done = await changeAlone({ path }, async () => {
      const read = readForgotten(path);
      if (read.kind === "broken") return read.why;
      const folders = change(read.folders);
      await writeAtomically(path, `${JSON.stringify(folders, undefined, 2)}\n`);
      return undefined;
    });
    if (done.kind === "changed") return done.result;
    return `another localhostess is changing ${path}; try again`;
  } catch (error) {
    return unwritable(path, error as NodeJS.ErrnoException);
  }
}
