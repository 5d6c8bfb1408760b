/** A file -> the form of dump that it is, by its first bytes. */
import { constants, gunzipSync } from "node:zlib";
import { readBeginning } from "../../system/read-text.ts";

export type DumpFile =
  | { kind: "plain" }
  | { kind: "custom" }
  | { kind: "files"; type: string; version: string | null }
  /** `why` follows the path. */
  | { kind: "bad"; why: string };

/** Bytes: those of a first entry with its head, and of SQL enough to see that it is a text. */
const enough = 64 * 1024;

/** The magic of pg_dump's custom format, and of gzip. */
const custom = "PGDMP";
const gzip = [0x1f, 0x8b];

/** The first entry of a compressed tar file of ours, with its size in octal at 124. POSIX, pax. */
const described = "localhostess.json";

export async function dumpIn(path: string): Promise<DumpFile> {
  const head = await readBeginning(path, enough);
  if (head === undefined) return { kind: "bad", why: "cannot be read" };
  return dumpOf(head);
}

/** `head`: the first bytes. */
export function dumpOf(head: Buffer): DumpFile {
  if (head.length === 0) return { kind: "bad", why: "is empty" };
  if (head.subarray(0, custom.length).toString("latin1") === custom) return { kind: "custom" };
  if (gzip.every((byte, at) => head[at] === byte)) return filesOf(head);
  if (head.includes(0)) return { kind: "bad", why: "is no dump that localhostess knows" };
  if (/^-- PostgreSQL database cluster dump/m.test(head.toString("latin1"))) {
    const why = "is a dump of a whole server (pg_dumpall), which does not go into one database";
    return { kind: "bad", why: `${why}; load it yourself: localhostess db psql -- -f <file>` };
  }
  return { kind: "plain" };
}

function filesOf(head: Buffer): DumpFile {
  const why = "is compressed, and no dump of localhostess; if it is one in SQL, gunzip it first";
  const bad: DumpFile = { kind: "bad", why };
  try {
    const bytes = gunzipSync(head, { finishFlush: constants.Z_SYNC_FLUSH });
    const name = bytes.toString("latin1", 0, 100).replace(/\0.*$/s, "");
    const size = Number.parseInt(bytes.toString("latin1", 124, 136), 8);
    if (name !== described) return bad;
    const { type, version } = JSON.parse(bytes.toString("utf8", 512, 512 + size)) as {
      type?: unknown;
      version?: unknown;
    };
    if (typeof type !== "string") return bad;
    return { kind: "files", type, version: typeof version === "string" ? version : null };
  } catch {
    // Cut in half within its first bytes, or another program's.
    return bad;
  }
}
