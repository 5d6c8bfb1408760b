/** A path -> the text of a small file of ours, or what keeps us from believing it. */
import { closeSync, readSync } from "node:fs";
import { openRegularSync } from "./regular-file.ts";

export type PrivateFile =
  | { kind: "text"; text: string }
  | { kind: "absent" }
  /** Another user owns it, or it has permissions among `forbidden`. */
  | { kind: "exposed" }
  /** Not a file, a symbolic link, longer than `limit`. */
  | { kind: "broken" }
  /** What it holds cannot be known now: too many files are open, the disk fails. */
  | { kind: "unknown" };

export type PrivateFileOptions = {
  /** Bytes. */
  limit: number;
  /** Permissions that nobody may have on it: `0o077` for a secret, `0o022` for what others may read. */
  forbidden: number;
};

/** Errors of a system that is short of something, which say nothing of the file. */
const passing = ["EMFILE", "ENFILE", "ENOMEM", "EIO", "EINTR"];

/** Never waits, whatever lies there. */
export function readPrivateFile(
  path: string,
  { limit, forbidden }: PrivateFileOptions,
): PrivateFile {
  // A link leads to what somebody else chose.
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
