import { expect, test } from "bun:test";
import { readTar } from "../../src/wire/tar.ts";
import { type Entry, tarOf } from "../support/tarball.ts";

const deep = `package/native/${"folder/".repeat(20)}file`;

function pathsIn(entries: readonly Entry[]): unknown {
  const read = readTar(tarOf(entries));
  return read.kind === "bad" ? read : read.files.map(({ path }) => path);
}

test("files have their bytes and their right to run; folders and headers of pax are no files", () => {
  const read = readTar(
    tarOf([
      { path: "package", type: "5" },
      { path: "package/bin/run", text: "x".repeat(700), mode: 0o755 },
      { path: "package/empty" },
      { path: "pax_global_header", type: "g", text: "27 comment=abcdefghijklmnop\n" },
    ]),
  );
  expect(read.kind).toBe("files");
  const files = read.kind === "files" ? read.files : [];
  expect(files.map(({ path, executable, bytes }) => [path, executable, bytes.length])).toEqual([
    ["package/bin/run", true, 700],
    ["package/empty", false, 0],
  ]);
});

test("long names are read as pax and as GNU write them, and count for one entry", () => {
  const record = `path=${deep}\n`;
  const length = record.length + 4;
  expect(
    pathsIn([
      { path: "PaxHeader", type: "x", text: `${length} ${record}` },
      { path: "cut", text: "a" },
      { path: "././@LongLink", type: "L", text: `${deep}2\0` },
      { path: "cut", text: "b" },
      { path: "package/short", text: "c" },
    ]),
  ).toEqual([deep, `${deep}2`, "package/short"]);
});

for (const path of [
  "../outside",
  "package/../../outside",
  "/etc/passwd",
  "package//file",
  "package/./file",
  "package\\..\\outside",
  "",
]) {
  test(`a file that would be written to ${JSON.stringify(path)} refuses the whole archive`, () => {
    expect(pathsIn([{ path: "package/a" }, { path }])).toMatchObject({ kind: "bad" });
    const record = `path=${path}\n`;
    const text = `${record.length + 3} ${record}`;
    if (path === "") return;
    expect(pathsIn([{ path: "h", type: "x", text }, { path: "package/a" }])).toMatchObject({
      kind: "bad",
    });
  });
}

test("links, devices and pipes refuse the whole archive", () => {
  for (const type of ["1", "2", "3", "4", "6", "7"]) {
    expect(pathsIn([{ path: "package/a", type }])).toMatchObject({ kind: "bad" });
  }
});

test("where links are taken, they are apart from the files, and lead to somewhere inside", () => {
  const linked = (...entries: readonly Entry[]) => {
    const read = readTar(tarOf(entries), { links: true });
    return read.kind === "bad" ? read.why : read.links;
  };
  const link = (path: string, target: string): Entry => ({ path, type: "2", target });
  expect(
    linked({ path: "./bin/run" }, link("./bin/build", "run"), link("up", "bin/../bin")),
  ).toEqual([
    { path: "bin/build", target: "run" },
    { path: "up", target: "bin/../bin" },
  ]);
  const record = `linkpath=${deep}\n`;
  const pax = { path: "h", type: "x", text: `${record.length + 4} ${record}` };
  expect(
    linked(pax, link("a", "cut"), { path: "K", type: "K", text: `${deep}2\0` }, link("b", "cut")),
  ).toEqual([
    { path: "a", target: deep },
    { path: "b", target: `${deep}2` },
  ]);
  for (const target of ["/etc", "../a", "../../a", "b/../../..", ""]) {
    expect(linked(link("bin/a", target === "../a" ? "../../a" : target))).toContain(
      "would lead from",
    );
  }
  expect(linked(link("../a", "b"))).toContain("would lead from");
  expect(linked({ path: "a/b" }, link("a", "c"))).toBe('"a/b" is below a link');
  expect(linked(link("p/q", ".."), link("p/q/r", "x"))).toBe('"p/q/r" is below a link');
});

test("an archive that is cut off anywhere is bad, and so is one with a damaged header", () => {
  const whole = tarOf([{ path: "package/a", text: "x".repeat(600) }, { path: "package/b" }]);
  for (let length = 0; length < whole.length - 1024; length += 100) {
    expect(readTar(whole.subarray(0, length)).kind).toBe("bad");
  }
  const damaged = Buffer.from(whole);
  damaged[3]! ^= 1;
  expect(readTar(damaged)).toEqual({ kind: "bad", why: "a header of it is damaged" });
});
