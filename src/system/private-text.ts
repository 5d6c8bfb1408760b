/** A path and a short text -> a private file that holds all of it or was not touched, written before this returns. */
import {
  closeSync,
  fsyncSync,
  linkSync,
  openSync,
  renameSync,
  unlinkSync,
  writeFileSync,
} from "node:fs";

/** Replaces what is there. @throws Error of the file system, with `code`; no temporary file is left. */
export function replacePrivateText(path: string, text: string): void {
  const temporary = temporaryFor(path, text);
  try {
    renameSync(temporary, path);
  } catch (error) {
    unlinkSync(temporary);
    throw error;
  }
}

/** Makes the file in exactly one of those who try at once, and leaves one that is there. @throws as above. */
export function makePrivateText(path: string, text: string): "made" | "exists" {
  const temporary = temporaryFor(path, text);
  try {
    // Unlike rename(2), link(2) never replaces a file.
    linkSync(temporary, path);
    return "made";
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return "exists";
    throw error;
  } finally {
    unlinkSync(temporary);
  }
}

function temporaryFor(path: string, text: string): string {
  const temporary = `${path}.${process.pid}.${crypto.randomUUID()}.tmp`;
  const file = openSync(temporary, "wx", 0o600);
  try {
    writeFileSync(file, text);
    fsyncSync(file);
  } catch (error) {
    unlinkSync(temporary);
    throw error;
  } finally {
    closeSync(file);
  }
  return temporary;
}
