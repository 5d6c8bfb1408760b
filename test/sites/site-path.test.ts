import { expect, test } from "bun:test";
import fc from "fast-check";
import { pathOf, sitePath } from "../../src/sites/site-path.ts";

test("a path is the names on the way to a file, and says whether it means a folder", () => {
  expect(sitePath("/")).toEqual({ kind: "names", names: [], folder: true });
  expect(sitePath("/a/b.html")).toEqual({ kind: "names", names: ["a", "b.html"], folder: false });
  expect(sitePath("/a/")).toEqual({ kind: "names", names: ["a"], folder: true });
  expect(sitePath("/caf%C3%A9%20a")).toMatchObject({ names: ["café a"] });
  expect(sitePath("/caf\xc3\xa9")).toMatchObject({ names: ["café"] });
  expect(sitePath("/.well-known/security.txt")).toMatchObject({
    names: [".well-known", "security.txt"],
  });
});

test("no path leads up, to a hidden name, or by a separator that is percent-encoded", () => {
  for (const path of [
    ...["/..", "/../etc/passwd", "/a/../b", "/a/./b", "/%2e%2e/x", "/.%2e/x", "/..%2f..%2fetc"],
    ...["/a%2fb", "/a%2Fb", "/a%5cb", "/a\\b", "/..\\..\\x", "//evil.test/", "/a//b", "//"],
    ...["/.env", "/.git/config", "/a/.htpasswd", "/%2eenv", "/..."],
    ...[`/${"a".repeat(256)}`, `/${"é".repeat(128)}`.replaceAll("é", "%C3%A9"), "/a".repeat(9000)],
  ]) {
    expect({ path, ...sitePath(path) }).toEqual({ path, kind: "absent" });
  }
});

test("what is no percent-encoded UTF-8, or has a NUL, is a bad request", () => {
  for (const path of ["/%", "/%zz", "/%c3", "/%ff", "/%ed%a0%80", "/%00", "/a%00.html", "/\xff"]) {
    expect({ path, ...sitePath(path) }).toMatchObject({ path, kind: "bad" });
  }
});

test("whatever path is sent, each name of it is one name below the folder", () => {
  const piece = fc.oneof(
    fc.constantFrom(
      "..",
      ".",
      "%2e",
      "%2f",
      "%5c",
      "/",
      "\\",
      "%00",
      "%c3%a9",
      "\xc3",
      "a",
      ".git",
    ),
    fc.string({ maxLength: 4 }),
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
      const read = sitePath(`/${pieces.join("")}`.replace(/[^\x21-\xff]/g, "%41"));
      if (read.kind !== "names") return;
      for (const name of read.names) {
        expect(name).not.toBe("");
        expect(/[/\\\0]/.test(name)).toBe(false);
        expect(name.startsWith(".")).toBe(name === ".well-known");
      }
    }),
    { numRuns: 2000 },
  );
});

test("the names of any file come back from the path that links and redirects have", () => {
  const name = fc
    .string({ minLength: 1, maxLength: 20, unit: "grapheme" })
    .filter((its) => !/[/\\\0]|^\./.test(its) && its.isWellFormed());
  fc.assert(
    fc.property(fc.array(name, { minLength: 1, maxLength: 5 }), fc.boolean(), (names, folder) => {
      expect(sitePath(pathOf(names, { folder }))).toEqual({ kind: "names", names, folder });
    }),
  );
});
