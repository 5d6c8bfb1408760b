/** `up` of a project without plugins; and a folder's files that plans have written. */
import { afterEach, beforeEach, expect, test } from "bun:test";
import { existsSync, mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ownFiles, removePlansIn } from "../../src/cli/shared/own-files.ts";
import { withPlans } from "../../src/cli/shared/with-plans.ts";
import type { World } from "../../src/cli/shared/world.ts";
import { planRecordPath } from "../../src/plugins/plan-place.ts";
import { noRecord, writePlanRecord } from "../../src/plugins/plan-records.ts";
import { hashOf } from "../../src/plugins/planned-files.ts";
import { readProject } from "../../src/supervisor/project/read-project.ts";

let home = "";
let world: World;

beforeEach(() => {
  home = realpathSync(mkdtempSync(join(tmpdir(), "with-plans-")));
  mkdirSync(join(home, "shop"));
  const env = { LOCALHOSTESS_STATE_DIR: join(home, "state") };
  // Nothing else of it is looked at.
  world = { env, home, platform: process.platform, cwd: home } as unknown as World;
});
afterEach(() => rmSync(home, { recursive: true }));

test("a project whose services are all of our types is as it was read", async () => {
  const directory = join(home, "shop");
  writeFileSync(join(directory, "locald.toml"), '[services.web]\ncommand = "x"\n');
  const read = await readProject(directory, { home });
  expect(await withPlans(read, { directory, flags: {}, world, files: {} })).toBe(read);
  expect(existsSync(join(home, "state"))).toBe(false);
});

test("files of plans in a folder are known, and go with it, but for those that a person has changed", async () => {
  const directory = join(home, "shop");
  const stateDirectory = join(home, "state");
  const files = ["a", "b"].map((path) => ({ service: "x", path, hashes: [hashOf(path)] }));
  await writePlanRecord(stateDirectory, { ...noRecord(directory), files });
  for (const [path, text] of [
    ["a", "a"],
    ["b", "mine"],
  ] as const) {
    writeFileSync(join(directory, path), text);
  }
  expect([...(await ownFiles(home, world))]).toEqual([join(directory, "a")]);
  expect([...(await ownFiles(join(home, "other"), world))]).toEqual([]);
  expect(await removePlansIn(home, world)).toEqual([
    `${directory}: b stays, since you have changed it`,
  ]);
  expect(existsSync(join(directory, "a"))).toBe(false);
  expect(existsSync(planRecordPath(stateDirectory, directory))).toBe(false);
});
