/** A service that cannot be started, whatever is tried: the others are not concerned. */
import { expect, test } from "bun:test";
import { service } from "../manifest/manifest.ts";
import { declared, PlayedProject } from "./fake-project.ts";
import { settled } from "./fake-lifecycle.ts";

const unusable = 'its type "postgre" is unknown; did you mean "postgres"?';
const shop = [
  { name: "db", type: "unknown", unusable },
  { name: "api", dependsOn: ["db"] },
  { name: "web" },
] as const;

test("it is refused with its sentence, those that depend on it wait in vain, and the rest starts", async () => {
  using played = new PlayedProject(shop);
  const up = played.up();
  await settled();
  played.service("web").be("ready");
  expect(await up).toEqual({
    kind: "failed",
    reasons: [
      `shop:db did not start: ${unusable}`,
      `shop:api did not start: db, which it waits for, cannot start: ${unusable}`,
    ],
  });
  expect(played.said).toEqual(["start web"]);
  expect(played.states).toEqual({ db: "failed", api: "failed", web: "ready" });
  expect(played.snapshot("db")).toMatchObject({ type: "unknown", why: unusable });
});

test("once its type is one, up starts it and what waited for it", async () => {
  using played = new PlayedProject(shop);
  const up = played.up();
  await settled();
  played.service("web").be("ready");
  await up;
  await played.project.apply(declared([{ name: "db" }, shop[1], shop[2]]), {});
  const again = played.up();
  await settled();
  played.service("db").be("ready");
  await settled();
  played.service("api").be("ready");
  expect(await again).toEqual({ kind: "ready" });
  expect(played.said).toEqual(["start web", "start db", "start api"]);
});

test("neither a request nor another service's restart starts it", async () => {
  using played = new PlayedProject([{ ...shop[0], restartWith: ["web"] }, { name: "web" }]);
  const up = played.up();
  await settled();
  played.service("web").be("ready");
  expect(await up).toMatchObject({ kind: "failed" });
  played.project.wake("db");
  const again = played.restart("web");
  await settled();
  played.service("web").be("ready");
  expect(await again).toEqual({ kind: "ready" });
  expect(played.said).toEqual(["start web", "stop web", "start web"]);
});

test("the sentence of a managed service stands behind a word that says that it has failed", async () => {
  const search = service('[services.search]\ntype = "container"\nimage = "search"\n', "search");
  using played = new PlayedProject([search, { name: "api", dependsOn: ["search"] }]);
  const up = played.up();
  await settled();
  const why = "no image is named search";
  const lastExit = { code: 69, signal: null, time: 1, lastLines: [why] };
  played.service("search").be("failed", { why, lastExit });
  expect(await up).toEqual({
    kind: "failed",
    reasons: [
      `shop:search failed: ${why}`,
      `shop:api did not start: search, which it waits for, failed: ${why}`,
    ],
  });
});
