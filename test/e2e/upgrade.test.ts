/** `localhostess upgrade` under load: nothing is lost, and a new version that fails gives back. In short. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { kinds } from "../support/restart-load.ts";
import { underUpgrades } from "../support/under-upgrades.ts";

const handsOver = test.skipIf(process.platform !== "linux");

let root: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "localhostess-upgrade-"));
});
afterAll(() => rm(root, { recursive: true, force: true }));

handsOver(
  "two upgrades with TLS, HTTP/2, WebSockets and uploads under way lose nothing, and services stay",
  async () => {
    const prefix = join(root, "well");
    const upload = { size: 48 * 1024 * 1024, least: 3_000 };
    const its = await underUpgrades({ prefix, rounds: 2, upload, trial: "500ms" });
    expect(its.lost).toEqual([]);
    expect(its.versions).toEqual(["9.0.1", "9.0.2"]);
    expect(its.uploads.spanned).toBeGreaterThan(0);
    expect(its.webSockets.echoed).toBeGreaterThan(0);
    for (const kind of kinds) expect(its.answered[kind]).toBeGreaterThan(0);
    // The proxy that was in the environment is the daemon itself.
    const words = `install --global --prefix ${prefix} localhostess@`;
    expect(its.asked).toEqual([`${words}9.0.1, by proxy:`, `${words}9.0.2, by proxy:`]);
  },
  180_000,
);

handsOver(
  "a new version that fails a second after it has taken over is none: the old daemon goes on",
  async () => {
    const prefix = join(root, "ill");
    const upload = { size: 1024 * 1024, least: 500 };
    const its = await underUpgrades({ prefix, rounds: 1, upload, trial: "20s", crash: 1_000 });
    expect(its.lost).toEqual([]);
    expect(its.versions).toEqual(["9.0.0"]);
  },
  180_000,
);
