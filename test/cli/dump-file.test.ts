import { expect, test } from "bun:test";
import { gzipSync } from "node:zlib";
import { dumpIn, dumpOf } from "../../src/cli/projects/dump-file.ts";

/** A tar file with one entry. */
function tarOf(name: string, text: string): Buffer {
  const head = Buffer.alloc(512);
  head.write(name, 0);
  head.write(`${text.length.toString(8).padStart(11, "0")}\0`, 124);
  const body = Buffer.alloc(512 * Math.ceil(text.length / 512));
  body.write(text);
  return gzipSync(Buffer.concat([head, body, Buffer.alloc(1024)]));
}

test("a dump is known by its first bytes", () => {
  expect(dumpOf(Buffer.from("PGDMP\x01\x0e"))).toEqual({ kind: "custom" });
  expect(dumpOf(Buffer.from("--\n-- PostgreSQL database dump\n--\n"))).toEqual({ kind: "plain" });
  expect(dumpOf(Buffer.from("create table names (name text);"))).toEqual({ kind: "plain" });
  const described = JSON.stringify({ type: "postgres", version: "17" });
  expect(dumpOf(tarOf("localhostess.json", described))).toEqual({
    ...{ kind: "files", type: "postgres", version: "17" },
  });
  // Cut off behind its first entry: the rest is found out when it is unpacked.
  const cut = tarOf("localhostess.json", described).subarray(0, -12);
  expect(dumpOf(cut)).toMatchObject({ kind: "files", type: "postgres" });
});

test("what is no dump is refused with a sentence", async () => {
  const why = (bytes: Buffer) => {
    const found = dumpOf(bytes);
    return found.kind === "bad" ? found.why : found.kind;
  };
  expect(why(Buffer.alloc(0))).toBe("is empty");
  expect(why(Buffer.from([1, 0, 2]))).toContain("no dump");
  expect(why(gzipSync("create table names ();"))).toContain("gunzip it first");
  expect(why(tarOf("other.json", "{}"))).toContain("gunzip it first");
  expect(why(tarOf("localhostess.json", '{"type": 1}'))).toContain("gunzip it first");
  expect(why(Buffer.from([0x1f, 0x8b, 8]))).toContain("gunzip it first");
  expect(why(Buffer.from("--\n-- PostgreSQL database cluster dump\n"))).toContain("pg_dumpall");
  expect(await dumpIn("/nowhere")).toEqual({ kind: "bad", why: "cannot be read" });
});
