import { describe, expect, test } from "bun:test";
import {
  type ActionName,
  actionOn,
  actions,
  At,
  type EventName,
  events,
  headSeconds,
  idleSeconds,
  moved,
  On,
  secondsIn,
  type StateName,
  states,
  Turn,
  type TurnName,
  turns,
} from "../../../src/proxy/client/states.ts";

/** Every pair that does something, written down a second time. */
const expected: Record<StateName, Partial<Record<EventName, ActionName>>> = {
  sniffing: {
    bytes: "sniff",
    fin: "close",
    gone: "end",
    overdue: "close",
    drain: "close",
    part: "part",
  },
  idle: {
    bytes: "read",
    fin: "close",
    gone: "end",
    overdue: "close",
    drain: "close",
    part: "part",
  },
  reading: { bytes: "read", fin: "close", gone: "end", overdue: "refuse" },
  waiting: { bytes: "hold", fin: "note", gone: "end", news: "ask again", drain: "ask again" },
  exchanging: {
    bytes: "pass on",
    fin: "note or break off",
    gone: "end",
    drained: "resume",
    news: "watch body",
  },
  flushing: { bytes: "hold", fin: "note", gone: "end", drained: "next" },
  tunnelled: { bytes: "look inside", fin: "join", gone: "end", overdue: "join late" },
  joined: { gone: "end" },
  lingering: { gone: "end", news: "count down" },
  closed: {},
};

const leads: Record<StateName, Partial<Record<TurnName, StateName>>> = {
  sniffing: { plain: "idle", linger: "lingering", end: "closed" },
  idle: {
    begin: "reading",
    wait: "waiting",
    exchange: "exchanging",
    flush: "flushing",
    next: "idle",
    grant: "tunnelled",
    linger: "lingering",
    end: "closed",
  },
  reading: {
    begin: "reading",
    wait: "waiting",
    exchange: "exchanging",
    flush: "flushing",
    next: "idle",
    grant: "tunnelled",
    linger: "lingering",
    end: "closed",
  },
  waiting: {
    wait: "waiting",
    exchange: "exchanging",
    next: "idle",
    linger: "lingering",
    end: "closed",
  },
  exchanging: {
    wait: "waiting",
    flush: "flushing",
    next: "idle",
    join: "joined",
    linger: "lingering",
    end: "closed",
  },
  flushing: { next: "idle", linger: "lingering", end: "closed" },
  tunnelled: { next: "idle", join: "joined", linger: "lingering", end: "closed" },
  joined: { grant: "tunnelled", linger: "lingering", end: "closed" },
  lingering: { linger: "lingering", end: "closed" },
  // What comes after the end changes nothing.
  closed: Object.fromEntries(turns.map((turn) => [turn, "closed"])),
};

describe.each([...states])("a connection that is %s", (state) => {
  for (const event of events) {
    const wanted = expected[state][event] ?? "ignore";
    test(`${event}: ${wanted}`, () => {
      expect(actions[actionOn(At[state], On[event])]).toBe(wanted);
    });
  }

  for (const turn of turns) {
    const wanted = leads[state][turn];
    test(`${turn}: ${wanted ?? "is a fault of ours"}`, () => {
      if (wanted === undefined) expect(() => moved(At[state], Turn[turn])).toThrow(state);
      else expect(states[moved(At[state], Turn[turn])]).toBe(wanted);
    });
  }
});

test("every state is reached from the first one, and comes to an end", () => {
  const reached = new Set<StateName>(["sniffing"]);
  for (const state of reached) {
    for (const next of Object.values(leads[state])) reached.add(next);
  }
  expect([...reached].sort()).toEqual([...states].sort());
  for (const state of states) expect(states[moved(At[state], Turn.end)]).toBe("closed");
});

test("nothing but the end of its link ends a connection that still owes an answer", () => {
  for (const state of ["waiting", "exchanging", "flushing"] as const) {
    for (const event of events) {
      if (event === "gone") continue;
      expect(["close", "end", "refuse"]).not.toContain(actions[actionOn(At[state], On[event])]!);
    }
  }
});

test("a client that has said nothing has as long as for a head, one between requests longer", () => {
  const seconds = Object.fromEntries(
    states.map((state) => [state, secondsIn(At[state], { served: 1, held: 1 })]),
  );
  expect(seconds).toEqual({
    sniffing: 30,
    idle: 75,
    reading: 15,
    waiting: Infinity,
    exchanging: Infinity,
    flushing: Infinity,
    tunnelled: 15,
    joined: Infinity,
    lingering: Infinity,
    closed: Infinity,
  });
  expect(secondsIn(At.idle, { served: 0, held: 0 })).toBe(headSeconds);
  expect(secondsIn(At.tunnelled, { served: 1, held: 0 })).toBe(Infinity);
  expect(idleSeconds).toBeGreaterThan(headSeconds);
});
