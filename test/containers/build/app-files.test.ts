import { afterAll, describe, expect, test } from "bun:test";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type AppFiles, readApp } from "../../../src/containers/build/app-files.ts";

const root = mkdtempSync(join(tmpdir(), "app-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));

let count = 0;

function folder(files: Record<string, string>): string {
  const path = join(root, String(++count));
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(join(path, name, ".."), { recursive: true });
    writeFileSync(join(path, name), text);
  }
  return path;
}

async function app(path: string): Promise<AppFiles> {
  const read = await readApp(path, { note: () => {} });
  if (read.kind === "bad") throw new Error(read.why);
  return read.app;
}

/** Names and owners, by the system's own program. */
async function sent(path: string): Promise<string[]> {
  const owner = { uid: 1001, gid: 1000 };
  const pieces = await Array.fromAsync((await app(path)).archiveFor(owner).archive());
  const { stdout } = Bun.spawnSync(["tar", "-tv", "--numeric-owner"], {
    stdin: Buffer.concat(pieces),
  });
  const lines = stdout.toString().trim().split("\n");
  return lines.map((line) => line.split(/\s+/)).map((its) => `${its[1]} ${its.at(-1)}`);
}

describe("the files of an app", () => {
  test("are sent as the build's user has them, without those that project.toml leaves out", async () => {
    const path = folder({
      "project.toml":
        '[_]\nschema-version = "0.2"\n[io.buildpacks]\nexclude = ["secret", "*.log"]\n',
      "src/a.js": "",
      "src/b.log": "",
      "secret/key": "",
      ".git/HEAD": "",
      "node_modules/x/y": "",
    });
    expect(await sent(path)).toEqual([
      ...["1001/1000 project.toml", "1001/1000 src/", "1001/1000 src/a.js"],
    ]);
  });

  test("are those that project.toml includes, where it does", async () => {
    const path = folder({
      "project.toml": '[_]\nschema-version = "0.2"\n[io.buildpacks]\ninclude = ["src/*.js"]\n',
      "src/a.js": "",
      "src/b.log": "",
    });
    expect(await sent(path)).toEqual(["1001/1000 src/a.js"]);
  });

  test("have a digest of their paths, modes and contents, and of nothing else", async () => {
    const digest = async (path: string) => await (await app(path)).digest();
    const one = folder({ "a/b": "text", c: "other" });
    const first = await digest(one);
    expect(await digest(folder({ "a/b": "text", c: "other" }))).toBe(first);
    utimesSync(join(one, "c"), 1, 1);
    mkdirSync(join(one, "node_modules"));
    expect(await digest(one)).toBe(first);
    chmodSync(join(one, "c"), 0o755);
    const executable = await digest(one);
    expect(executable).not.toBe(first);
    writeFileSync(join(one, "a/b"), "texT");
    expect(await digest(one)).not.toBe(executable);
  });

  for (const [what, path, why] of [
    ["a folder that is not there", () => join(root, "none"), "there is no folder"],
    [
      "a file",
      () => join(folder({ x: "" }), "x"),
      "is no folder; context names the folder of the app",
    ],
    ["a project.toml with a mistake", () => folder({ "project.toml": "[_" }), "project.toml"],
  ] as const) {
    test(`of ${what} are a sentence`, async () => {
      const read = await readApp(path(), { note: () => {} });
      expect(read).toEqual({ kind: "bad", why: expect.stringContaining(why) });
    });
  }
});
