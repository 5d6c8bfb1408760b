/** The hosts file -> the names without a dot that it leads to this machine itself. */
import { closeSync, readSync } from "node:fs";
import { filePrint } from "./file-print.ts";
import { openRegularSync } from "./regular-file.ts";

/** Octets that are looked at: a person's own lines stand in front of what a list of blocked sites adds. */
const longest = 1_048_576;

/** RFC 6761 section 6.3's addresses, then names, up to a comment. hosts(5). */
const loopbackLine = /^[ \t]*(?:127(?:\.\d{1,3}){3}|(?:0{0,4}:){2,7}0{0,3}1)[ \t]+([^#\r\n]*)/gm;

export const hostsPath = "/etc/hosts";

/** Lower case. Pure. */
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
  /** What the file has now; the same set until it changes. Costs one look at its date. */
  names(): ReadonlySet<string>;
}

/** A file that is not there, or cannot be read, has no names. */
export function hostsFile(path: string = hostsPath): HostsFile {
  let known: ReadonlySet<string> = new Set();
  let version = "";
  return {
    names() {
      const seen = filePrint(path);
      if (seen !== version) {
        version = seen;
        known = loopbackNames(seen === "" ? "" : read(path));
      }
      return known;
    },
  };
}

function read(path: string): string {
  const opened = openRegularSync(path, { follow: true });
  // Not ours to read, or gone since: then it vouches for no name, which is the safe side.
  if (opened.kind !== "file") return "";
  const { file, its } = opened;
  try {
    const bytes = Buffer.alloc(Math.min(its.size, longest));
    const length = readSync(file, bytes, 0, bytes.length, 0);
    const text = bytes.toString("latin1", 0, length);
    // What was cut off in the middle of a line may be another name than the line has.
    return length < longest ? text : text.slice(0, text.lastIndexOf("\n") + 1);
  } finally {
    closeSync(file);
  }
}
