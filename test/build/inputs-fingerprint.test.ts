import { afterAll, beforeEach, describe, expect, test } from "bun:test";
import {
  chmodSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  renameSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { inputsFingerprint } from "../../src/build/inputs-fingerprint.ts";

const all = mkdtempSync(join(tmpdir(), "inputs-"));
afterAll(() => rmSync(all, { recursive: true, force: true }));

let folder = "";
let count = 0;
const write = (path: string, text: string): void => {
  const its = join(folder, path);
  mkdirSync(dirname(its), { recursive: true });
  writeFileSync(its, text);
};
const of = (...inputs: string[]): Promise<string> => inputsFingerprint(inputs, folder);

beforeEach(() => {
  folder = join(all, String(++count));
  write("sql/1.sql", "one");
  write("sql/deep/2.sql", "two");
  write("readme.md", "read");
});

type Change = [what: string, change: () => void];

const changes: Change[] = [
  ["another content of the same length", () => write("sql/1.sql", "eno")],
  ["a new file", () => write("sql/3.sql", "")],
  ["a file less", () => rmSync(join(folder, "sql/1.sql"))],
  ["another name", () => renameSync(join(folder, "sql/1.sql"), join(folder, "sql/9.sql"))],
  [
    "a file that moved a folder up",
    () => renameSync(join(folder, "sql/deep/2.sql"), join(folder, "sql/2.sql")),
  ],
  [
    "an end of one file that is the beginning of the next",
    () => {
      write("sql/1.sql", "onet");
      write("sql/deep/2.sql", "wo");
    },
  ],
  ["a file of more than one piece", () => write("sql/1.sql", "x".repeat(200_000))],
  ["a link to another file", () => symlinkSync("../readme.md", join(folder, "sql/link.sql"))],
];

for (const inputs of [["sql"], ["sql/**/*.sql"], ["./sql/**"], ["*.none", "sql/"]]) {
  describe(`inputs = ${JSON.stringify(inputs)}`, () => {
    test.each(changes)("notices %s", async (_, change) => {
      const before = await of(...inputs);
      change();
      expect(await of(...inputs)).not.toBe(before);
    });
  });
}

test("dates, other files, what is excluded and other people's folders are no change", async () => {
  const inputs = ["sql", "!sql/**/*.tmp"];
  const before = await of(...inputs);
  utimesSync(join(folder, "sql/1.sql"), 1, 1);
  write("readme.md", "other");
  write("sql/deep/a.tmp", "x");
  write("sql/.git/HEAD", "x");
  write("sql/node_modules/a.sql", "x");
  expect(await of("sql/**/*.sql")).toBe(await of("sql/**/*.sql"));
  expect(await of(...inputs)).toBe(before);
});

test("the same files in a folder of another name are the same", async () => {
  const before = await of("sql");
  const copy = join(all, "copy");
  cpSync(folder, copy, { recursive: true });
  expect(await inputsFingerprint(["sql"], copy)).toBe(before);
});

test("nothing that matches is a fingerprint too, and a first file changes it", async () => {
  const none = await of("generated/**");
  expect(none).toMatch(/^[0-9a-f]{32}$/);
  expect(await inputsFingerprint([], folder)).toMatch(/^[0-9a-f]{32}$/);
  write("generated/a.ts", "");
  expect(await of("generated/**")).not.toBe(none);
});

test("a pipe, a link in a circle and a link to a folder are passed over, and nobody waits", async () => {
  const before = await of("sql");
  symlinkSync("circle", join(folder, "sql/circle"));
  symlinkSync("..", join(folder, "sql/up"));
  Bun.spawnSync(["mkfifo", join(folder, "sql/pipe.sql")]);
  expect(await of("sql")).toBe(before);
});

test.skipIf(process.getuid?.() === 0)(
  "a file that cannot be read is one, until it can",
  async () => {
    chmodSync(join(folder, "sql/1.sql"), 0);
    const hidden = await of("sql");
    chmodSync(join(folder, "sql/1.sql"), 0o600);
    expect(await of("sql")).not.toBe(hidden);
  },
);
