/** A file of folders -> the projects whose servers get no name from them, as a person has said; and back. */
import { join } from "node:path";
import { writeAtomically } from "../system/atomic-file.ts";
import { fileFingerprint } from "../system/file-fingerprint.ts";
import { readPrivateFile } from "../system/private-file.ts";
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

export type ReadForgotten =
  { kind: "folders"; folders: readonly string[] } | { kind: "broken"; why: string };

/** No file: no folders. Never throws, never waits. */
export function readForgotten(path: string): ReadForgotten {
  const its = readPrivateFile(path, { limit: longest, forbidden: 0o022 });
  if (its.kind === "absent") return { kind: "folders", folders: [] };
  const folders = its.kind === "text" ? foldersIn(its.text) : undefined;
  if (folders !== undefined) return { kind: "folders", folders };
  const why =
    its.kind === "exposed" ? "another user owns it, or may write it" : "its content is not valid";
  return { kind: "broken", why: `${path} cannot be used: ${why}` };
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
  let known = nobody;
  let version = "";
  return {
    now() {
      const seen = fileFingerprint(path);
      if (seen === version) return known;
      version = seen;
      const read = readForgotten(path);
      if (read.kind === "folders") known = new Set(read.folders);
      else note(`${read.why}; no other folder is forgotten`);
      return known;
    },
  };
}

/** A sentence where it failed. */
export async function writeForgotten(
  path: string,
  folders: readonly string[],
): Promise<string | undefined> {
  try {
    await writeAtomically(path, `${JSON.stringify(folders, undefined, 2)}\n`);
    return undefined;
  } catch (error) {
    return unwritable(path, error as NodeJS.ErrnoException);
  }
}
