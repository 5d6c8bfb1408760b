/** A path -> the text that is there, as long as it is a file of a sensible size. */
import { constants } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";

export type ReadText =
  /** `uid`: whose it is. */
  | { kind: "text"; text: string; uid: number }
  | { kind: "missing" }
  /** A sentence for a person. */
  | { kind: "unreadable"; why: string };

export type ReadTextOptions = {
  /** Bytes. */
  longest: number;
};

/** The end of a file that may be large, octets as letters: what is before it, and half a line, is left out. Undefined: there is no such file. Never rejects. */
export async function readEnd(
  path: string,
  { longest }: ReadTextOptions,
): Promise<string | undefined> {
  let file: FileHandle | undefined;
  try {
    file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
    // A pipe or a device has no size, so nothing is read of it.
    const its = await file.stat();
    const start = Math.max(0, its.size - longest);
    const bytes = Buffer.alloc(Math.min(its.size, longest));
    const { bytesRead } = await file.read(bytes, 0, bytes.length, start);
    const text = bytes.toString("latin1", 0, bytesRead);
    return start === 0 ? text : text.slice(text.indexOf("\n") + 1);
  } catch {
    // Not there, or not to be read: whoever asks does without it.
    return undefined;
  } finally {
    await file?.close();
  }
}

/** Never rejects. */
export async function readText(path: string, { longest }: ReadTextOptions): Promise<ReadText> {
  let file: FileHandle;
  try {
    // Without waiting: a pipe that nobody writes to would never be opened.
    file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (error) {
    return failed(error);
  }
  try {
    const its = await file.stat();
    if (!its.isFile()) return unreadable("it is no file");
    if (its.size > longest) return unreadable(`it is larger than ${longest / 1024} KiB`);
    // One more, in case it grows meanwhile.
    const bytes = new Uint8Array(longest + 1);
    let length = 0;
    for (;;) {
      const { bytesRead } = await file.read(bytes, length, bytes.length - length, length);
      if (bytesRead === 0) break;
      length += bytesRead;
      if (length > longest) return unreadable(`it is larger than ${longest / 1024} KiB`);
    }
    const text = new TextDecoder("utf-8", { fatal: true }).decode(bytes.subarray(0, length));
    return { kind: "text", text, uid: its.uid };
  } catch (error) {
    if (error instanceof TypeError) return unreadable("it is not UTF-8 text");
    return failed(error);
  } finally {
    await file.close();
  }
}

/** For a person: what the system says, in words. */
const words: Record<string, string> = {
  EACCES: "it is not yours to read; chmod u+r mends that",
  ELOOP: "its links go in a circle",
};

function failed(error: unknown): ReadText {
  const { code, message } = error as NodeJS.ErrnoException;
  // ENOTDIR: something on the way there is a file, so this one is not there either.
  if (code === "ENOENT" || code === "ENOTDIR") return { kind: "missing" };
  return unreadable(words[code ?? ""] ?? message);
}

function unreadable(why: string): ReadText {
  return { kind: "unreadable", why };
}
