/** An entry of an archive -> the blocks in front of its bytes: ustar, and pax where that is too small. Pure. */

export type TarEntry = {
  /** Relative, with slashes; a folder's without one at its end. */
  path: string;
  kind: "file" | "folder" | "link";
  /** Permission bits. */
  mode: number;
  /** Bytes; 0 unless it is a file. */
  size: number;
  /** Seconds since the epoch. */
  modified: number;
  /** The path that a link leads to, as it is written. */
  target?: string | undefined;
  /** Undefined: root's, as the `docker` command sends it, since numbers of users here mean nothing inside. */
  owner?: { uid: number; gid: number } | undefined;
};

/** POSIX.1-2024, pax, "ustar Interchange Format". */
export const tarBlock = 512;

const flags = { file: "0", link: "2", folder: "5" } as const;
/** An extended header, for the entry behind it. */
const extended = "x";
/** Bytes of a path, and of a link's, in a ustar header. */
const longestPath = 100;
/** Eleven octal digits. */
const largest = 8 ** 11 - 1;

const encoder = new TextEncoder();

export function tarHead(entry: TarEntry): Uint8Array {
  const path = entry.kind === "folder" ? `${entry.path}/` : entry.path;
  const target = entry.target ?? "";
  const records = [
    ...(isPlain(path) ? [] : [["path", path] as const]),
    ...(isPlain(target) ? [] : [["linkpath", target] as const]),
    ...(entry.size <= largest ? [] : [["size", String(entry.size)] as const]),
  ];
  const head = block({ ...entry, path, target, flag: flags[entry.kind] });
  if (records.length === 0) return head;
  const body = joined(records.map(([key, value]) => paxRecord(key, value)));
  const its = { mode: 0o644, size: body.length, modified: entry.modified, target: "" };
  const front = block({ ...its, path: "pax", flag: extended });
  return joined([front, body, padding(body.length), head]);
}

/** The zeros behind an entry's bytes. */
export function padding(size: number): Uint8Array {
  return new Uint8Array((tarBlock - (size % tarBlock)) % tarBlock);
}

/** The end of an archive. */
export const tarEnd: Uint8Array = new Uint8Array(2 * tarBlock);

type Block = Omit<TarEntry, "kind" | "target"> & { target: string; flag: string };

function block({ path, mode, size, modified, target, flag, owner }: Block): Uint8Array {
  const bytes = new Uint8Array(tarBlock);
  const put = (text: string, at: number, most: number): void => {
    bytes.set(encoder.encode(text).subarray(0, most), at);
  };
  const number = (value: number, at: number, digits: number): void => {
    const known = value >= 0 && value < 8 ** digits ? value : 0;
    put(Math.floor(known).toString(8).padStart(digits, "0"), at, digits);
  };
  put(path, 0, longestPath);
  number(mode & 0o7777, 100, 7);
  number(owner?.uid ?? 0, 108, 7);
  number(owner?.gid ?? 0, 116, 7);
  number(size, 124, 11);
  number(modified, 136, 11);
  // The sum is made as if its own eight bytes were spaces.
  put(" ".repeat(8), 148, 8);
  put(flag, 156, 1);
  put(target, 157, longestPath);
  put("ustar\u000000", 257, 8);
  const sum = bytes.reduce((all, byte) => all + byte, 0);
  put(`${sum.toString(8).padStart(6, "0")}\0 `, 148, 8);
  return bytes;
}

function isPlain(text: string): boolean {
  return text.length <= longestPath && !/[^\x20-\x7e]/.test(text);
}

/** The length in front counts itself: `18 path=some/where\n`. */
function paxRecord(key: string, value: string): Uint8Array {
  const rest = encoder.encode(` ${key}=${value}\n`);
  let length = rest.length + 1;
  while (String(length).length + rest.length !== length) {
    length = String(length).length + rest.length;
  }
  return joined([encoder.encode(String(length)), rest]);
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(parts.reduce((sum, its) => sum + its.length, 0));
  let at = 0;
  for (const its of parts) {
    all.set(its, at);
    at += its.length;
  }
  return all;
}
