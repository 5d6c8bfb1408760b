/** The part of a daemon that gives its services to the next one: in which order, and back again at any moment. */
import { beforeEach, expect, test } from "bun:test";
import { closeSync, openSync, readdirSync } from "node:fs";
import type { Ending } from "../../src/supervisor/family/ending.ts";
import type { Given, Line } from "../../src/supervisor/handed.ts";
import { Handing } from "../../src/supervisor/handing.ts";
import type { Folder } from "../../src/supervisor/project/folder.ts";
import { ownDescriptors } from "../../src/system/own-descriptors.ts";
import { FakeClock } from "../support/fake-clock.ts";
import { turn } from "../support/turn.ts";

let clock: FakeClock;
let did: string[];
let told: unknown[];
let own: Set<number>;
let keepers: Map<number, Line>;
let ready: Promise<void>;
/** Ends the folder's halt. */
let halted: PromiseWithResolvers<void>;
let isSettled: boolean;
let ended: ((pid: number, ending: Ending) => void) | undefined;
let copies: readonly Given[];
/** One that is open, in the place of all that are handed over. */
const descriptor = openSync("/dev/null", "r");
const shell = { HOME: "/home/me", EMPTY: "", GONE: undefined };

function folder(services: number): Folder {
  const its = {
    directory: "/shop",
    get isSettled() {
      return isSettled;
    },
    async halt(_own: unknown, place: (its: typeof shell) => number) {
      did.push("halt");
      await halted.promise;
      const names = Array.from({ length: services }, (_, at) => `service-${at}`);
      const streams = names.map(
        (name) => [name, { terminal: descriptor, notify: descriptor }] as const,
      );
      return { handed: { at: [place(shell), place(shell)] }, streams: new Map(streams) };
    },
    goOn: () => void did.push("go on"),
    leave(tell: typeof ended) {
      did.push("leave");
      ended = tell;
      return new Map([["web", "src/a.ts"]]);
    },
  };
  return its as unknown as Folder;
}

function handing(services = 1): Handing {
  const all = [folder(services)];
  return new Handing({
    clock,
    own,
    folders: () => all,
    snapshots: () => [],
    descriptors: () => ownDescriptors(),
    lock: () => descriptor,
    keepers: () => keepers,
    ready: () => ready,
    onHalt: async () => void did.push("write"),
    onTakeBack: () => void did.push("write again"),
    onGiven: () => void did.push("given"),
    onEnded: (pid, ending) => void told.push({ ended: { pid, ...ending } }),
    onSettled: () => void did.push("settled"),
    onComeBack(batches) {
      did.push("come back");
      copies = batches;
    },
    keep: () => void did.push("keep"),
  });
}

function line(): Line {
  return {
    descriptor: 60,
    tell(value) {
      told.push(value);
      return true;
    },
  };
}

beforeEach(() => {
  clock = new FakeClock();
  did = [];
  told = [];
  own = new Set();
  keepers = new Map();
  ready = Promise.resolve();
  halted = Promise.withResolvers();
  halted.resolve();
  isSettled = true;
  ended = undefined;
});

test("first what there is, without descriptors, then descriptors with their places", async () => {
  keepers.set(4001, { ...line(), descriptor });
  const its = handing();
  const first = await its.give(0);
  expect(first!.descriptors).toEqual([]);
  expect(first!.value).toMatchObject({
    pid: process.pid,
    environments: [{ HOME: "/home/me", EMPTY: "" }],
    folders: [{ at: [0, 0] }],
  });
  expect(await its.give(1)).toEqual({
    value: {
      places: [
        [0, "", "lock"],
        [4001, "", "keeper"],
        [0, "service-0", "terminal"],
        [0, "service-0", "notify"],
      ],
    },
    descriptors: [descriptor, descriptor, descriptor, descriptor],
  });
  expect(await its.give(2)).toBeUndefined();
  expect(did).toEqual(["halt", "write"]);
});

test("hundreds of services come in batches that fit into a packet each, and none is left out", async () => {
  const its = handing(300);
  let count = 0;
  for (let batch = 1; ; batch++) {
    const given = await its.give(batch === 1 ? 0 : batch - 1);
    if (given === undefined) break;
    count += given.descriptors.length;
    if (batch === 1) continue;
    expect(JSON.stringify(given.value).length).toBeLessThan(4000);
    expect(given.descriptors.length).toBeLessThanOrEqual(100);
  }
  expect(count).toBe(601);
});

test("it waits for what is under way, and no longer than ten seconds", async () => {
  isSettled = false;
  const its = handing();
  const given = its.give(0);
  await turn();
  clock.advance(500);
  await turn();
  expect(did).toEqual([]);
  isSettled = true;
  clock.advance(20);
  await given;
  expect(did).toEqual(["halt", "write"]);
  did = [];
  isSettled = false;
  const other = handing();
  const late = other.give(0);
  for (let at = 0; at < 1000 && did.length === 0; at++) {
    await turn();
    clock.advance(20);
  }
  await late;
  expect(did).toEqual(["halt", "write"]);
});

test("taken back, everything goes on, and it may be given to somebody else", async () => {
  const its = handing();
  await its.give(0);
  const answer = its.settled;
  expect(answer).toBeDefined();
  its.takeBack();
  await answer;
  expect(its.settled).toBeUndefined();
  expect(did).toEqual(["halt", "write", "write again", "go on"]);
  expect(await its.give(0)).toBeDefined();
});

test("taken back while it is being halted, it goes on as soon as it is", async () => {
  halted = Promise.withResolvers();
  const its = handing();
  const given = its.give(0);
  await turn();
  its.takeBack();
  expect(did).toEqual(["halt"]);
  halted.resolve();
  await expect(given).rejects.toThrow("is gone");
  expect(did).toEqual(["halt", "write", "write again", "go on"]);
});

test("where one thing fails, nothing is given, and everything goes on", async () => {
  halted.promise.catch(() => {});
  halted = Promise.withResolvers();
  halted.reject(new Error("it is on fire"));
  const its = handing();
  await expect(its.give(0)).rejects.toThrow("on fire");
  expect(did).toEqual(["halt", "write again", "go on"]);
});

test("once given, it tells of ends and changes that only it has seen, and takes nothing back", async () => {
  keepers.set(4001, { ...line(), descriptor });
  const its = handing();
  await its.give(0);
  its.given(line());
  expect(its.isGiven).toBe(true);
  ended!(7, { code: 3, signal: null });
  keepers.get(4001)!.hear!({ ended: { pid: 8 } });
  expect(told).toEqual([
    { changed: { directory: "/shop", service: "web", what: "src/a.ts" } },
    { ended: { pid: 7, code: 3, signal: null } },
    { ended: { pid: 8 } },
  ]);
  its.takeBack();
  expect(did).toEqual(["halt", "write", "given", "leave"]);
  its.settle();
  expect(did).toEqual(["halt", "write", "given", "leave", "settled"]);
});

const opened = () => readdirSync("/proc/self/fd").length;

test.skipIf(process.platform !== "linux")(
  "what it gave comes back as it was, with descriptors of its own; settled, those are closed",
  async () => {
    const its = handing();
    const first = await its.give(0);
    const before = opened();
    const keeper: Line = { ...line(), descriptor };
    const hear = (): void => {};
    keeper.hear = hear;
    keepers.set(4001, keeper);
    its.given(line());
    expect(keeper.hear).not.toBe(hear);
    expect(opened()).toBe(before + 3);
    did = [];
    its.comeBack();
    expect(did).toEqual(["come back"]);
    expect(its.isGiven).toBe(false);
    expect(keeper.hear as unknown).toBe(hear);
    expect(copies[0]!.value).toEqual(first!.value);
    const mine = copies.flatMap(({ descriptors }) => descriptors);
    expect(mine).toHaveLength(3);
    expect(mine).not.toContain(descriptor);
    for (const one of mine) closeSync(one);
    expect(opened()).toBe(before);
    its.settle();
    expect(did).toEqual(["come back"]);
    const other = handing();
    await other.give(0);
    other.given(line());
    expect(opened()).toBeGreaterThan(before);
    other.settle();
    expect(opened()).toBe(before);
  },
);

test("it keeps its children until they have ended, and tells that it does nothing else any more", async () => {
  own.add(7);
  const its = handing();
  expect(its.keeps).toBe(0);
  await its.give(0);
  its.given(line());
  expect(its.keeps).toBe(1);
  did = [];
  told = [];
  let isLeft = false;
  const left = its.left({ stays: false }).then(() => {
    isLeft = true;
  });
  // No program could take its place.
  expect([did, told]).toEqual([["keep"], [{ keeps: process.pid }]]);
  clock.advance(5000);
  await turn();
  expect(isLeft).toBe(false);
  own.delete(7);
  clock.advance(1000);
  await left;
});

test("the first process of a container keeps its children itself", async () => {
  own.add(7);
  const its = handing();
  await its.give(0);
  its.given(line());
  did = [];
  const left = its.left({ stays: true });
  expect(did).toEqual([]);
  own.delete(7);
  clock.advance(1000);
  await left;
});

test("without children, or without anybody who wants to know how they end, it does not stay", async () => {
  const alone = handing();
  await alone.give(0);
  alone.given(line());
  await alone.left({ stays: false });
  own.add(7);
  const lost = handing();
  await lost.give(0);
  const its = line();
  lost.given(its);
  its.ended!();
  await lost.left({ stays: false });
  expect(did).not.toContain("keep");
});
