/** What becomes of a link after the last words on it: by each event in each phase, and with real peers. */
import { expect, test } from "bun:test";
import { type LastWordsOptions, lastWords } from "../../src/link/last-words.ts";
import { type Link, nobody } from "../../src/link/link.ts";
import { Deadline } from "../../src/system/deadline.ts";
import { encode } from "../../src/wire/bytes.ts";
import { FakeClock } from "../support/fake-clock.ts";
import { turn } from "../support/turn.ts";
import { linked } from "./linked.ts";

const flush = 60_000;
const linger = 2_000;
/** More than any socket's buffers take at once. */
const much = new Uint8Array(16 * 1_048_576);
const goodbye = encode("goodbye");

/** A link that only notes what is done to it. */
function fakeLink(pending: number) {
  const calls: string[] = [];
  const link = {
    handler: nobody,
    pending,
    write: (bytes: Uint8Array) => calls.push(`write ${Buffer.from(bytes)}`),
    halfClose: () => calls.push("half-close"),
    close: () => calls.push("close"),
    abort: () => calls.push("abort"),
    pause: () => calls.push("pause"),
    resume: () => calls.push("resume"),
  };
  return { calls, link: link as unknown as Link };
}

function fakeScene({ pending = 0, ended = false, flush: limit = flush as number | null } = {}) {
  const clock = new FakeClock();
  const { calls, link } = fakeLink(pending);
  const gone: (Error | undefined)[] = [];
  const options: LastWordsOptions = {
    timer: clock,
    linger,
    ended,
    gone: (cause) => gone.push(cause),
    failed: (fault) => calls.push(`failed ${fault}`),
  };
  if (limit !== null) options.flush = limit;
  lastWords(link, goodbye, options);
  const begun = calls.splice(0);
  return { clock, calls, link, gone, options, begun };
}

type Phase = "flushing" | "flushing, ended" | "lingering" | "closing" | "over";
type Event = "data" | "drained" | "ended" | "late" | "closed" | "failed" | "said again";

/** What is done to the link. */
const done: Record<Phase, Partial<Record<Event, readonly string[]>>> = {
  flushing: {
    data: [],
    drained: ["half-close"],
    ended: [],
    late: ["abort"],
    closed: ["gone"],
    failed: ["failed x"],
    "said again": [],
  },
  "flushing, ended": {
    data: [],
    drained: ["close"],
    ended: [],
    late: ["abort"],
    closed: ["gone"],
    failed: ["failed x"],
    "said again": [],
  },
  lingering: {
    data: [],
    drained: [],
    ended: ["close"],
    late: ["close"],
    closed: ["gone"],
    failed: ["failed x"],
    "said again": [],
  },
  closing: {
    data: [],
    drained: [],
    ended: [],
    late: [],
    closed: ["gone"],
    failed: ["failed x"],
    "said again": [],
  },
  // A link that is gone tells nothing; a timer might, and a caller.
  over: { late: [], "said again": [] },
};

function sceneIn(phase: Phase) {
  const scene = fakeScene({ pending: phase.startsWith("flushing") ? 1 : 0 });
  const { handler } = scene.link;
  if (phase === "flushing, ended") handler.ended();
  if (phase === "closing") handler.ended();
  if (phase === "over") handler.closed(undefined);
  scene.calls.splice(0);
  scene.gone.splice(0);
  return scene;
}

const pairs = Object.entries(done).flatMap(([phase, events]) =>
  Object.entries(events).map(
    ([event, wanted]) => [phase as Phase, event as Event, wanted] as const,
  ),
);

test.each(pairs)("%s, %s: %p", (phase, event, wanted) => {
  const { clock, calls, link, gone, options } = sceneIn(phase);
  const { handler } = link;
  if (event === "data") handler.data(goodbye);
  else if (event === "drained") handler.drained();
  else if (event === "ended") handler.ended();
  else if (event === "late") clock.advance(phase.startsWith("flushing") ? flush : linger);
  else if (event === "closed") handler.closed(undefined);
  else if (event === "failed") handler.failed("x");
  else lastWords(link, encode("more"), options);
  expect([...calls, ...gone.map(() => "gone")]).toEqual([...wanted]);
});

test("what is written goes before the half-close, and a paused link is resumed", () => {
  expect(fakeScene().begun).toEqual(["write goodbye", "resume", "half-close"]);
  expect(fakeScene({ pending: 1 }).begun).toEqual(["write goodbye", "resume"]);
});

test("a peer that had ended before is closed on as soon as it has taken all", () => {
  expect(fakeScene({ ended: true }).begun).toEqual(["write goodbye", "resume", "close"]);
  const { calls, link } = fakeScene({ ended: true, pending: 1 });
  link.handler.drained();
  expect(calls).toEqual(["close"]);
});

test("each wait has its own limit, and a millisecond less is not too late", () => {
  const { clock, calls, link } = fakeScene({ pending: 1 });
  clock.advance(flush - 1);
  expect(calls).toEqual([]);
  link.handler.drained();
  calls.splice(0);
  clock.advance(linger - 1);
  expect(calls).toEqual([]);
  clock.advance(1);
  expect(calls).toEqual(["close"]);
});

test("without a limit a peer may take its time", () => {
  const { clock, calls } = fakeScene({ pending: 1, flush: null });
  expect(clock.waiting).toBe(0);
  clock.advance(24 * 3_600_000);
  expect(calls).toEqual([]);
});

test("no timer outlives the link", () => {
  for (const pending of [0, 1]) {
    const { clock, link } = fakeScene({ pending });
    expect(clock.waiting).toBe(1);
    link.handler.closed(undefined);
    expect(clock.waiting).toBe(0);
  }
});

test("a caller that walks its links gives a deadline and no timer", () => {
  let now = 0;
  const timer = new Deadline(() => now);
  const { calls, link } = fakeLink(1);
  lastWords(link, goodbye, { timer, flush, linger, gone() {}, failed() {} });
  const walked = (milliseconds: number): string[] => {
    calls.splice(0);
    now += milliseconds;
    timer.tick();
    return [...calls];
  };
  expect(walked(500)).toEqual([]);
  link.handler.drained();
  expect(walked(1_500)).toEqual([]);
  expect(walked(500)).toEqual(["close"]);
  expect(walked(flush)).toEqual([]);
});

async function scene(words: Uint8Array = goodbye) {
  const clock = new FakeClock();
  const { link, peer } = await linked();
  const { promise: gone, resolve } = Promise.withResolvers<Error | undefined>();
  const faults: unknown[] = [];
  const say = (): void =>
    lastWords(link, words, {
      timer: clock,
      flush,
      linger,
      gone: resolve,
      failed: (fault) => faults.push(fault),
    });
  return { clock, link, peer, gone, faults, say };
}

test("a peer reads the words and an end, closes, and the link is gone", async () => {
  const { peer, gone, say, clock } = await scene();
  say();
  expect(await peer.rest()).toBe("goodbye");
  expect(peer.broken).toBe(false);
  peer.close();
  expect(await gone).toBeUndefined();
  expect(clock.waiting).toBe(0);
});

test("a peer whose bytes nobody has read reads the words all the same", async () => {
  const { peer, link, gone, say, clock } = await scene();
  link.pause();
  await peer.send(new Uint8Array(64 * 1024)).sent();
  say();
  expect(await peer.rest()).toBe("goodbye");
  expect(peer.broken).toBe(false);
  peer.close();
  await gone;
  expect(clock.waiting).toBe(0);
});

test("a peer that reads late has all of it, and its time to close begins then", async () => {
  const { peer, clock, link, gone, say } = await scene(much);
  peer.pause();
  say();
  expect(link.pending).toBeGreaterThan(0);
  clock.advance(flush - 1);
  peer.resume();
  await peer.rest();
  expect(peer.total).toBe(much.length);
  expect(peer.broken).toBe(false);
  clock.advance(linger - 1);
  expect(clock.waiting).toBe(1);
  peer.close();
  expect(await gone).toBeUndefined();
});

test("a peer that never reads is broken off when its time is up", async () => {
  const { peer, clock, gone, say } = await scene(much);
  peer.pause();
  say();
  clock.advance(flush);
  await gone;
  expect(clock.waiting).toBe(0);
  peer.reset();
});

test("a peer that never closes is closed on when its time is up", async () => {
  const { peer, clock, gone, say } = await scene();
  say();
  expect(await peer.rest()).toBe("goodbye");
  clock.advance(linger);
  await gone;
  peer.close();
});

test("a peer that goes on sending reads the words, and is closed on when its time is up", async () => {
  const { peer, clock, link, gone, say } = await scene();
  say();
  for (let count = 0; count < 20; count++) await peer.send(new Uint8Array(100_000)).sent();
  expect(await peer.rest()).toBe("goodbye");
  expect(link.pending).toBe(0);
  clock.advance(linger);
  let over = false;
  void gone.then(() => {
    over = true;
  });
  while (!over) {
    await peer.send("x").sent();
    await turn();
  }
  peer.reset();
});

test("a peer that half-closed first reads all of it", async () => {
  const { peer, link, gone, say, clock } = await scene(much);
  peer.pause();
  say();
  peer.finish();
  expect(link.pending).toBeGreaterThan(0);
  peer.resume();
  await peer.rest();
  expect(peer.total).toBe(much.length);
  expect(await gone).toBeUndefined();
  expect(clock.waiting).toBe(0);
});

test("a peer that breaks off is told with the cause", async () => {
  const { peer, gone, say, clock } = await scene(much);
  peer.pause();
  say();
  peer.reset();
  await gone;
  expect(clock.waiting).toBe(0);
});

test("words that are said twice are read once", async () => {
  const { peer, gone, say, clock, faults } = await scene();
  say();
  say();
  expect(await peer.rest()).toBe("goodbye");
  peer.close();
  await gone;
  expect(clock.waiting).toBe(0);
  expect(faults).toEqual([]);
});

test("of a peer that goes on sending no more than `most` is read, and then the link is closed", () => {
  const clock = new FakeClock();
  const { calls, link } = fakeLink(0);
  lastWords(link, goodbye, { timer: clock, linger, most: 10, gone() {}, failed() {} });
  calls.splice(0);
  link.handler.data(new Uint8Array(10));
  expect(calls).toEqual([]);
  link.handler.data(new Uint8Array(1));
  expect(calls).toEqual(["pause"]);
  clock.advance(linger);
  expect(calls).toEqual(["pause", "close"]);
});
