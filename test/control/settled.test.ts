/** A daemon in trouble: waited for as long as it may mend that by itself, with a word, and no longer. */
import { expect, test } from "bun:test";
import type { Found } from "../../src/control/found/connect.ts";
import type { Door } from "../../src/control/found/probe.ts";
import { settled } from "../../src/control/found/settled.ts";
import { FakeClock } from "../support/fake-clock.ts";
import { registrationOf } from "../support/registration.ts";

const registration = registrationOf({ id: "one" });
const why = "";
const handshake = registration;
const healthy = (by: Door): Found => ({
  kind: "healthy",
  registration,
  handshake,
  credential: "",
  by,
});
const silent: Found = { kind: "silent", why, registration, by: "socket", alive: true };

/** The answer, after how long, and how often a word was said; `each` gets the time that has passed. */
async function ended(
  each: (waited: number) => Found,
  { stopped = false, bySocket = true }: { stopped?: boolean; bySocket?: boolean } = {},
) {
  const clock = new FakeClock();
  const began = clock.now();
  let words = 0;
  let found: Found | undefined;
  void settled(async () => each(clock.now() - began), {
    clock,
    isStopped: () => stopped,
    bySocket,
    waiting: () => void words++,
  }).then((its) => {
    found = its;
  });
  while (found === undefined) {
    await new Promise(setImmediate);
    if (found === undefined) clock.advance(100);
  }
  return { kind: found.kind, waited: clock.now() - began, words };
}

const atOnce: [string, Found][] = [
  ["healthy", healthy("socket")],
  ["absent", { kind: "absent", why, alive: false }],
  ["without a record", { kind: "absent", why, alive: true }],
  ["dead", { kind: "dead", why, registration, alive: false }],
  [
    "of another protocol",
    { kind: "other-protocol", protocol: "x", registration, handshake, alive: true },
  ],
  [
    "a stranger where none of ours is",
    { kind: "stranger", why, registration, by: "port", alive: false },
  ],
  ["unproved, and gone", { kind: "unproved", why, registration, blocked: false, alive: false }],
];

test.each(atOnce)("one that is %s is the answer at once", async (_, found) => {
  expect(await ended(() => found)).toEqual({ kind: found.kind, waited: 0, words: 0 });
});

const mended: [string, Found][] = [
  [
    "does not know our credential",
    { kind: "stranger", why, registration, by: "socket", alive: true },
  ],
  ["is not the record's", { kind: "another", why, registration, handshake, alive: true }],
  ["has a record that cannot be read", { kind: "unreadable", why, alive: true }],
  ["cannot be proved", { kind: "unproved", why, registration, blocked: false, alive: true }],
  ["has no socket", healthy("port")],
];

test.each(mended)("one that %s has a few seconds to mend that", async (_, found) => {
  const at = (end: number) => ended((waited) => (waited >= end ? healthy("socket") : found));
  expect(await at(200)).toEqual({ kind: "healthy", waited: 200, words: 0 });
  expect(await at(2_000)).toEqual({ kind: "healthy", waited: 2_000, words: 1 });
  expect(await ended(() => found)).toEqual({ kind: found.kind, waited: 4_000, words: 1 });
});

test("one that has too much to do has ten seconds; one that is stopped has none", async () => {
  const late = await ended((waited) => (waited >= 8_000 ? healthy("socket") : silent));
  expect(late).toEqual({ kind: "healthy", waited: 8_000, words: 1 });
  expect(await ended(() => silent)).toEqual({ kind: "silent", waited: 10_000, words: 1 });
  expect(await ended(() => silent, { stopped: true })).toMatchObject({ waited: 0, words: 0 });
});

test("whoever needs no socket does not wait for one", async () => {
  expect(await ended(() => healthy("port"), { bySocket: false })).toMatchObject({
    waited: 0,
    words: 0,
  });
});
