import { afterAll, expect, test } from "bun:test";
import { mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { unpack } from "../../src/stores/postgres/unpack.ts";
import { tarballOf, type Entry } from "../support/tarball.ts";

const root = mkdtempSync(join(tmpdir(), "localhostess-unpack-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));

const name = "the package of X 1.2";
const links = "package/native/pg-symlinks.json";
const program: Entry = { path: "package/native/bin/x", text: "program", mode: 0o755 };
const library: Entry = { path: "package/native/lib/libx.so.1.2", text: "library" };

function fresh(): string {
  return join(mkdtempSync(join(root, "cache-")), "x", "1.2");
}

function linking(source: unknown, target: unknown): Entry {
  return { path: links, text: JSON.stringify([{ source, target }]) };
}

test("only what is below native is unpacked, with the links of its list and the rights of programs", () => {
  const folder = fresh();
  const list = linking("native/lib/libx.so.1.2", "native/lib/libx.so.1");
  unpack(tarballOf([{ path: "package/dist/a.js" }, program, library, list]), { folder, name });
  expect(readdirSync(folder).sort()).toEqual(["bin", "lib", "pg-symlinks.json"]);
  expect(statSync(join(folder, "bin/x")).mode & 0o777).toBe(0o755);
  expect(statSync(join(folder, "lib/libx.so.1.2")).mode & 0o777).toBe(0o644);
  expect(readlinkSync(join(folder, "lib/libx.so.1"))).toBe("libx.so.1.2");
  expect(readFileSync(join(folder, "lib/libx.so.1"), "utf8")).toBe("library");
  expect(readdirSync(join(folder, ".."))).toEqual(["1.2"]);
});

test("of two that unpack at once one wins, and the other one has the same", () => {
  const folder = fresh();
  const tarball = tarballOf([program]);
  unpack(tarball, { folder, name });
  const { ino } = statSync(folder);
  unpack(tarball, { folder, name });
  expect(statSync(folder).ino).toBe(ino);
  expect(readdirSync(join(folder, ".."))).toEqual(["1.2"]);
});

for (const [what, list] of [
  ["leads up", linking("native/../../etc/passwd", "native/lib/libx.so")],
  ["is made outside", linking("native/lib/libx.so.1.2", "../libx.so")],
  ["leads to an absolute path", linking("/etc/passwd", "native/lib/libx.so")],
  ["has no target", linking("native/lib/libx.so.1.2", undefined)],
  ["stands in no list", { path: links, text: '{"source":"native/a"}' }],
  ["stands in what is no JSON", { path: links, text: "[" }],
] as const) {
  test(`a package with a link that ${what} is refused, and nothing of it stays`, () => {
    const folder = fresh();
    expect(() => unpack(tarballOf([program, library, list]), { folder, name })).toThrow(
      "the package of X 1.2 cannot be unpacked: its list of links is not understood",
    );
    expect(() => statSync(join(folder, "..", ".."))).not.toThrow();
    expect(() => readdirSync(join(folder, ".."))).toThrow("ENOENT");
  });
}

test("a tarball that is no gzip, or is cut in half, is refused with a sentence", () => {
  const tarball = tarballOf([program, library]);
  for (const bytes of [Buffer.from("not found"), tarball.subarray(0, tarball.length / 2)]) {
    expect(() => unpack(bytes, { folder: fresh(), name })).toThrow("cannot be unpacked");
  }
});
