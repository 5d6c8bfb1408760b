import { afterAll, describe, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { folderBuildpacks } from "../../../src/containers/build/folder-buildpacks.ts";

const directory = mkdtempSync(join(tmpdir(), "buildpacks-"));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

function written(name: string, toml: string): string {
  mkdirSync(join(directory, name, "bin"), { recursive: true });
  writeFileSync(join(directory, name, "buildpack.toml"), toml);
  writeFileSync(join(directory, name, "bin/detect"), "#!/bin/sh\n", { mode: 0o755 });
  return `./${name}`;
}

const read = (...wanted: string[]) => folderBuildpacks(wanted, { directory, note: () => {} });

describe("buildpacks in folders", () => {
  test("are what their buildpack.toml says, with their files where a builder looks for them", async () => {
    const path = written("own", 'api = "0.10"\n[buildpack]\nid = "tests/own"\nversion = "1.2"\n');
    const its = await read("heroku/nodejs", path, "urn:cnb:builder:x");
    if (its.kind === "bad") throw new Error(its.why);
    const [buildpack, ...others] = its.found;
    expect(others).toEqual([]);
    expect(buildpack).toMatchObject({ id: "tests/own", version: "1.2", written: "./own" });
    const pieces = await Array.fromAsync(buildpack!.archiveIn("cnb/buildpacks").archive());
    const { stdout } = Bun.spawnSync(["tar", "-t"], { stdin: Buffer.concat(pieces) });
    expect(stdout.toString().trim().split("\n")).toEqual([
      "cnb/buildpacks/tests_own/1.2/bin/",
      "cnb/buildpacks/tests_own/1.2/bin/detect",
      "cnb/buildpacks/tests_own/1.2/buildpack.toml",
    ]);
  });

  for (const [toml, why] of [
    ["[buildpack", "buildpack.toml:1 "],
    ['[buildpack]\nid = "x"\n', "has no [buildpack] with an id and a version"],
    [
      '[buildpack]\nid = "../../etc"\nversion = "1"\n',
      "has no [buildpack] with an id and a version",
    ],
    ['[buildpack]\nid = "a"\nversion = "1/../.."\n', "has no [buildpack] with an id and a version"],
  ] as const) {
    test(`with ${JSON.stringify(toml)} are refused with a sentence`, async () => {
      const its = await read(written("bad", toml));
      expect(its).toEqual({ kind: "bad", why: expect.stringContaining(why) });
    });
  }

  test("that are not there are refused with a sentence", async () => {
    const its = await read("./none");
    expect(its).toMatchObject({ why: expect.stringContaining("./none is no buildpack") });
  });
});
