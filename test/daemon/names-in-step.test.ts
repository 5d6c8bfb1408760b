/** Routes that change, in the usual daemon of a user -> that user's block; nothing is written for any other daemon. */
import { afterEach, beforeEach, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { namesInStep } from "../../src/daemon/names-in-step.ts";
import { routeTable } from "../../src/routes/table.ts";
import { eventually } from "../support/eventually.ts";
import { FakeClock } from "../support/fake-clock.ts";
import { testService, testSupervised } from "../support/test-proxy.ts";

const isRoot = process.getuid?.() === 0;
const usual = "127.0.0.1 localhost\n";

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "localhostess-root-"));
  mkdirSync(join(root, "etc/localhostess"), { recursive: true });
  writeFileSync(join(root, "etc/hosts"), usual);
});
afterEach(() => rmSync(root, { recursive: true }));

const hosts = (): string => readFileSync(join(root, "etc/hosts"), "utf8");

function scene(wanted: boolean | undefined, { tlds = [] as string[] } = {}) {
  const clock = new FakeClock();
  const notes: string[] = [];
  const its = { names: [] as string[], isOurs: true };
  const step = namesInStep({
    clock,
    hostsBlock: { wanted, root },
    routes: {
      get table() {
        return routeTable(
          its.names.map((name) => testService(name, { port: 1 })),
          { tlds },
        );
      },
      supervised: [testSupervised({ service: "db", type: "postgres", routeName: undefined })],
    },
    isOurs: () => its.isOurs,
    note: (text) => notes.push(text),
  });
  return { clock, notes, its, step };
}

test.skipIf(!isRoot)(
  "names come with servers, of projects and their stores too, and go with the daemon",
  async () => {
    const { clock, its, step } = scene(true, { tlds: ["test"] });
    its.names = ["api"];
    step.changed();
    clock.advance(100);
    await eventually("the block", () => hosts().includes("# END localhostess 0"));
    expect(hosts().match(/^127\.0\.0\.1 .*/gm)).toEqual([
      "127.0.0.1 localhost",
      "127.0.0.1 api.localhost",
      "127.0.0.1 api.test",
      "127.0.0.1 db.shop.localhost",
      "127.0.0.1 db.shop.test",
    ]);
    await step.end();
    expect(hosts()).toBe(usual);
  },
);

test.skipIf(!isRoot)(
  "a VPN that writes the file anew is noticed within half a minute",
  async () => {
    const { clock, step } = scene(true);
    step.changed();
    clock.advance(100);
    await eventually("the block", () => hosts().includes("db.shop.localhost"));
    writeFileSync(join(root, "etc/hosts"), usual);
    clock.advance(30_000);
    clock.advance(3_000);
    await eventually("the block again", () => hosts().includes("db.shop.localhost"));
  },
);

test.skipIf(!isRoot)(
  "without a word in config.toml, names are written for whom setup has listed",
  async () => {
    const { clock, step, notes } = scene(undefined);
    step.changed();
    // The look at files that others change, and no call that is due.
    expect(clock.waiting).toBe(1);
    clock.advance(60_000);
    expect(hosts()).toBe(usual);
    expect(notes).toEqual([]);
    writeFileSync(join(root, "etc/localhostess/users"), "0 hosts\n");
    clock.advance(30_000);
    clock.advance(3_000);
    await eventually("the block", () => hosts().includes("db.shop.localhost"));
  },
);

test.skipIf(!isRoot)("with hosts = false, names of an earlier time go", async () => {
  writeFileSync(join(root, "etc/localhostess/users"), "0 hosts\n");
  const block = "# BEGIN localhostess 0\n::1 old.localhost\n# END localhostess 0\n";
  writeFileSync(join(root, "etc/hosts"), usual + block);
  const { clock, step } = scene(false);
  step.changed();
  clock.advance(3_000);
  await eventually("no block", () => hosts() === usual);
});

test.skipIf(!isRoot)(
  "a daemon that another one replaces writes nothing, then or at its end",
  async () => {
    const { clock, its, step } = scene(true);
    step.changed();
    clock.advance(100);
    await eventually("the block", () => hosts().includes("db.shop.localhost"));
    its.isOurs = false;
    its.names = ["api"];
    step.changed();
    clock.advance(60_000);
    await step.end();
    expect(hosts()).not.toContain("api");
    expect(hosts()).toContain("db.shop.localhost");
  },
);

test("what is missing is told once, with the command", async () => {
  const { clock, step, notes } = scene(true);
  writeFileSync(join(root, "etc/hosts"), "# BEGIN localhostess 0\n");
  step.changed();
  for (let minute = 0; minute < 5; minute++) {
    clock.advance(60_000);
    await eventually("a note", () => notes.length > 0);
  }
  expect(notes).toEqual([
    isRoot
      ? expect.stringContaining("names are not kept in /etc/hosts: ")
      : "names are not kept in /etc/hosts: localhostess-hosts is not installed; localhostess setup --hosts",
  ]);
});
