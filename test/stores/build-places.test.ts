/** Where builds are kept: each service's own folder, which goes with its project. */
import { afterEach, beforeEach, expect, test } from "bun:test";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { BuildPlaces } from "../../src/stores/build-places.ts";

let all = "";
beforeEach(() => {
  all = mkdtempSync(join(tmpdir(), "build-places-"));
  mkdirSync(join(all, "shop"));
});
afterEach(() => rmSync(all, { recursive: true, force: true }));

const places = () => new BuildPlaces(join(all, "state"));
const shop = (service = "web") => ({ project: "shop", directory: join(all, "shop"), service });

test("each service has a folder of its own, which nobody else may read, and finds it again", () => {
  const place = places().of(shop());
  expect(place).toStartWith(`${join(all, "state/builds")}/shop-`);
  expect(statSync(place).mode & 0o777).toBe(0o700);
  expect(places().of(shop())).toBe(place);
  expect(places().of(shop("api"))).not.toBe(place);
});

test("a project whose folder was renamed keeps its builds", () => {
  const place = places().of(shop());
  writeFileSync(join(place, "result"), "built");
  renameSync(join(all, "shop"), join(all, "store"));
  const now = places().of({ project: "store", directory: join(all, "store"), service: "web" });
  expect(existsSync(join(now, "result"))).toBe(true);
});

test("a project that is forgotten loses them all, and no other does", async () => {
  const its = places();
  const [web, api] = [its.of(shop()), its.of(shop("api"))];
  mkdirSync(join(all, "blog"));
  // Caches of packages may be read-only.
  mkdirSync(join(web, "cache/deep"), { recursive: true });
  chmodSync(join(web, "cache"), 0o555);
  const other = its.of({ project: "blog", directory: join(all, "blog"), service: "web" });
  await its.remove(join(all, "shop"));
  expect([web, api, other].map((path) => existsSync(path))).toEqual([false, false, true]);
  expect(existsSync(its.of(shop()))).toBe(true);
});

test("the removal that a daemon did not finish is finished by the next one", async () => {
  const place = places().of(shop());
  const left = `${join(place, "..")}.removed-1.999999.tmp`;
  renameSync(join(place, ".."), left);
  const notes: string[] = [];
  await places().sweep({ isAlive: () => false, note: (text) => notes.push(text) });
  expect([existsSync(left), notes]).toEqual([false, []]);
});
