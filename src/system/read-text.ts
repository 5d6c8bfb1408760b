/** A path that someone else may have chosen -> its text, if it is a regular file of a sensible size. */
import { closeSync, readSync } from "node:fs";
import type { FileHandle } from "node:fs/promises";
import { type Opened, openRegular, openRegularSync } from "./regular-file.ts";

export type ReadText =
  /** `uid` is the file's owner. */
  | { kind: "text"; text: string; uid: number }
  | { kind: "missing" }
  /** `why` is a sentence for a person. */
  | { kind: "unreadable"; why: string };

export type ReadTextOptions = {
  /** Bytes. */
  longest: number;
  /** Replaces bytes that are not UTF-8 with U+FFFD instead of refusing the file. */
  lossy?: boolean;
};

/**
 * Reads the last `longest` bytes of a file that may be large, as ISO 8859-1 text, without the partial line at the
 * start. Undefined if there is no such file. Never blocks, never rejects.
 */
export async function readEnd(
  path: string,
  { longest }: ReadTextOptions,
): Promise<string | undefined> {
  const opened = await openRegular(path, { follow: true });
  if (opened.kind !== "file") return undefined;
  const { file, its } = opened;
  try {
    const start = Math.max(0, its.size - longest);
    const bytes = Buffer.alloc(Math.min(its.size, longest));
    const { bytesRead } = await file.read(bytes, 0, bytes.length, start);
    const text = bytes.toString("latin1", 0, bytesRead);
    return start === 0 ? text : text.slice(text.indexOf("\n") + 1);
  } catch {
    // The file cannot be read; the caller goes on without it.
    return undefined;
  } finally {
    await file.close();
  }
}

/** Bytes requested per read. */
const piece = 64 * 1024;

/** Never blocks, whatever the path leads to, and never rejects. */
export async function readText(
  path: string,
  { longest, lossy = false }: ReadTextOptions,
): Promise<ReadText> {
  const opened = await openRegular(path, { follow: true });
  if (opened.kind !== "file") return refused(opened);
  const { file, its } = opened;
  const tooLong = `it is larger than ${longest / 1024} KiB`;
  try {
    if (its.size > longest) return unreadable(tooLong);
    // One byte more, in case the file grows while it is read.
    const bytes = await beginningOf(file, longest + 1);
    if (bytes.length > longest) return unreadable(tooLong);
    const text = new TextDecoder("utf-8", { fatal: !lossy }).decode(bytes);
    return { kind: "text", text, uid: its.uid };
  } catch (error) {
    if (error instanceof TypeError) return unreadable("it is not UTF-8 text");
    return unreadable((error as Error).message);
  } finally {
    await file.close();
  }
}

/** The same at once, for a small file that is read seldom. Never blocks, never throws. */
export function readTextSync(path: string, { longest }: { longest: number }): ReadText {
  const opened = openRegularSync(path, { follow: true });
  if (opened.kind !== "file") return refused(opened);
  const { file, its } = opened;
  try {
    if (its.size > longest) return unreadable(`it is larger than ${longest / 1024} KiB`);
    const bytes = Buffer.alloc(its.size);
    const length = readSync(file, bytes, 0, bytes.length, 0);
    const text = new TextDecoder("utf-8", { fatal: true }).decode(bytes.subarray(0, length));
    return { kind: "text", text, uid: its.uid };
  } catch (error) {
    if (error instanceof TypeError) return unreadable("it is not UTF-8 text");
    return unreadable((error as Error).message);
  } finally {
    closeSync(file);
  }
}

/** Reads the first `most` bytes of a file of any size; undefined if it cannot be read. Never blocks, never rejects. */
export async function readBeginning(path: string, most: number): Promise<Buffer | undefined> {
  const opened = await openRegular(path, { follow: true });
  if (opened.kind !== "file") return undefined;
  try {
    return await beginningOf(opened.file, most);
  } catch {
    // The disk fails, or this is a kernel file that has to be read in another way. There is nothing to return.
    return undefined;
  } finally {
    await opened.file.close();
  }
}

/** A file of the kernel reports a size of 0 but has content, so the size is not used. */
async function beginningOf(file: FileHandle, most: number): Promise<Buffer> {
  const pieces: Buffer[] = [];
  let length = 0;
  while (length < most) {
    const room = Buffer.alloc(Math.min(piece, most - length));
    const { bytesRead } = await file.read(room, 0, room.length, length);
    if (bytesRead === 0) break;
    pieces.push(room.subarray(0, bytesRead));
    length += bytesRead;
  }
  return Buffer.concat(pieces);
}

function refused(opened: Exclude<Opened<unknown>, { kind: "file" }>): ReadText {
  return opened.kind === "absent" ? { kind: "missing" } : unreadable(opened.why);
}

function unreadable(why: string): ReadText {
  return { kind: "unreadable", why };
}
