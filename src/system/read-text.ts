/** A path that somebody else may have chosen -> the text that is there, as long as it is a file of a sensible size. */
import type { FileHandle } from "node:fs/promises";
import { type Opened, openRegular } from "./regular-file.ts";

export type ReadText =
  /** `uid`: whose it is. */
  | { kind: "text"; text: string; uid: number }
  | { kind: "missing" }
  /** A sentence for a person. */
  | { kind: "unreadable"; why: string };

export type ReadTextOptions = {
  /** Bytes. */
  longest: number;
  /** What is not UTF-8 becomes U+FFFD, and is no reason to refuse the rest. */
  lossy?: boolean;
};

/** The end of a file that may be large, octets as letters: what is before it, and half a line, is left out. Undefined: there is no such file. Never waits, never rejects. */
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
    // Not to be read: whoever asks does without it.
    return undefined;
  } finally {
    await file.close();
  }
}

/** Bytes that are asked for at once. */
const piece = 64 * 1024;

/** Never waits for whoever made what lies there, and never rejects. */
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
    // One more, in case it grows meanwhile.
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

/** Of a file of any size, its first bytes; undefined where there is none to read. Never waits, never rejects. */
export async function readBeginning(path: string, most: number): Promise<Buffer | undefined> {
  const opened = await openRegular(path, { follow: true });
  if (opened.kind !== "file") return undefined;
  try {
    return await beginningOf(opened.file, most);
  } catch {
    // A disk that fails, or a file of a kernel's that is read in another way: there is nothing to go by.
    return undefined;
  } finally {
    await opened.file.close();
  }
}

/** A file of the kernel's says that it is empty, and has something in it: its size is not asked. */
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

function refused(opened: Exclude<Opened<FileHandle>, { kind: "file" }>): ReadText {
  return opened.kind === "absent" ? { kind: "missing" } : unreadable(opened.why);
}

function unreadable(why: string): ReadText {
  return { kind: "unreadable", why };
}
