/** A file of folders -> the projects whose servers get no name from them, as a person has said; and back. */
import { join } from "node:path";
import { readPrivateFile } from "../system/private-file.ts";
import { changeAlone, followedFile } from "../system/shared-file.ts";
import { inForm, listUnder, writeFormed } from "../system/state-format.ts";
import { unwritable } from "../text/unwritable.ts";

export interface ForgottenFolders {
  /** The same set until the file says something else. One call costs one stat(). */
  now(): ReadonlySet<string>;
}

/** Bytes; a thousand folders take less. */
const longest = 1024 * 1024;
export const mostForgotten = 1000;

/** Once a list alone. */
export const forgottenFormat = listUnder("folders");

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
  const broken = (why: string): ReadForgotten => ({
    kind: "broken",
    why: `${path} cannot be used: ${why}`,
    isPassing: its.kind === "unknown",
  });
  if (its.kind !== "text") return broken(reasons[its.kind]);
  let value: unknown;
  try {
    value = JSON.parse(its.text);
  } catch {
    return broken(reasons.text);
  }
  const read = inForm(value, { path, format: forgottenFormat });
  if (read.kind === "newer") return broken(`${read.why}; ${read.fix}`);
  const folders = foldersIn(read.value);
  return folders === undefined ? broken(reasons.text) : { kind: "folders", folders };
}

function foldersIn(value: unknown): readonly string[] | undefined {
  const folders = (value as { folders?: unknown } | null)?.folders;
  const isFolder = (its: unknown) => typeof its === "string" && its.startsWith("/");
  return Array.isArray(folders) && folders.length <= mostForgotten && folders.every(isFolder)
    ? folders
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
      await writeFormed({ folders }, { path, format: forgottenFormat });
      return undefined;
    });
    if (done.kind === "changed") return done.result;
    return `another localhostess is changing ${path}; try again`;
  } catch (error) {
    return unwritable(path, error as NodeJS.ErrnoException);
  }
}
