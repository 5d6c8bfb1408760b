/** The hosts file -> the names without a dot that it maps to loopback addresses. */
import { closeSync, readSync } from "node:fs";
import { fileFingerprint } from "./file-fingerprint.ts";
import { openRegularSync } from "./regular-file.ts";

/** Bytes that are read. A person's own lines come before what a block list of sites adds. */
const longest = 1_048_576;

/** A loopback address (RFC 6761 section 6.3), then names, up to a comment. hosts(5). */
const loopbackLine = /^[ \t]*(?:127(?:\.\d{1,3}){3}|(?:0{0,4}:){2,7}0{0,3}1)[ \t]+([^#\r\n]*)/gm;

export const hostsPath = "/etc/hosts";

/** The names, in lower case. Pure. */
export function loopbackNames(text: string): Set<string> {
  const names = new Set<string>();
  for (const [, line] of text.matchAll(loopbackLine)) {
    for (const name of line!.toLowerCase().split(/\s+/)) {
      if (/^[a-z0-9_-]+$/.test(name)) names.add(name);
    }
  }
  return names;
}

export interface HostsFile {
  /** The names currently in the file; the same set until the file changes. One call costs one stat(). */
  names(): ReadonlySet<string>;
}

/** A file that is missing or unreadable has no names. */
export function hostsFile(path: string = hostsPath): HostsFile {
  let known: ReadonlySet<string> = new Set();
  let version = "";
  return {
    names() {
      const seen = fileFingerprint(path);
      if (seen !== version) {
        version = seen;
        known = loopbackNames(seen === "" ? "" : read(path));
      }
      return known;
    },
  };
}

function read(path: string): string {
  const its = readHosts(path, { longest });
  // A file that cannot be read, or is gone by now, vouches for no name, which is the safe side.
  if (its.kind === "unreadable") return "";
  // The last line may be cut in the middle of a name, which would then be another name.
  return its.isCut ? its.text.slice(0, its.text.lastIndexOf("\n") + 1) : its.text;
}

export type ReadHosts =
  /** Latin-1 stands for bytes. `isCut`: the file is longer. */
  | { kind: "text"; text: string; isCut: boolean }
  /** `why` is a clause. */
  | { kind: "unreadable"; why: string };

/** `longest`: bytes from its beginning. Never throws. */
export function readHosts(path: string, { longest: most }: { longest: number }): ReadHosts {
  const opened = openRegularSync(path, { follow: true });
  if (opened.kind === "absent") return { kind: "unreadable", why: `there is no file ${path}` };
  if (opened.kind !== "file") return { kind: "unreadable", why: `${path}: ${opened.why}` };
  const { file, its } = opened;
  try {
    const bytes = Buffer.alloc(Math.min(its.size, most));
    const length = readSync(file, bytes, 0, bytes.length, 0);
    return { kind: "text", text: bytes.toString("latin1", 0, length), isCut: its.size > length };
  } catch (error) {
    return { kind: "unreadable", why: (error as Error).message };
  } finally {
    closeSync(file);
  }
}
