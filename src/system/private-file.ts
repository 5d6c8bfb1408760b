/** A path -> the text of one of our own small files, or the reason not to trust it. */
import { closeSync, readSync } from "node:fs";
import { openRegularSync } from "./regular-file.ts";

export type PrivateFile =
  | { kind: "text"; text: string }
  | { kind: "absent" }
  /** Another user owns the file, or it has one of the `forbidden` permissions. */
  | { kind: "exposed" }
  /** The path is not a regular file, is a symbolic link, or is longer than `limit`. */
  | { kind: "broken" }
  /** The content cannot be read right now: too many open files, or a failing disk. */
  | { kind: "unknown" };

export type PrivateFileOptions = {
  /** Bytes. */
  limit: number;
  /** Permissions that make the file exposed: `0o077` for a secret, `0o022` for a file that others may read. */
  forbidden: number;
};

/** Errors of a system that is short of a resource; they say nothing about the file. */
const passing = ["EMFILE", "ENFILE", "ENOMEM", "EIO", "EINTR"];

/** Never blocks, whatever the path leads to. */
export function readPrivateFile(
  path: string,
  { limit, forbidden }: PrivateFileOptions,
): PrivateFile {
  // A symbolic link leads to a file that someone else chose.
  const opened = openRegularSync(path, { follow: false });
  if (opened.kind === "absent") return { kind: "absent" };
  if (opened.kind === "unreadable") {
    return { kind: passing.includes(opened.code ?? "") ? "unknown" : "broken" };
  }
  if (opened.kind === "not a file") return { kind: "broken" };
  const { file, its } = opened;
  try {
    if (its.size > limit) return { kind: "broken" };
    if (its.uid !== (process.geteuid?.() ?? its.uid) || (its.mode & forbidden) !== 0) {
      return { kind: "exposed" };
    }
    const bytes = Buffer.alloc(limit + 1);
    const length = readSync(file, bytes, 0, bytes.length, 0);
    return length > limit
      ? { kind: "broken" }
      : { kind: "text", text: bytes.toString("utf8", 0, length) };
  } catch {
    return { kind: "unknown" };
  } finally {
    closeSync(file);
  }
}
