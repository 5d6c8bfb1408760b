import { expect, test } from "bun:test";
import fc from "fast-check";
import {
  type Facts,
  processFact,
  processFacts,
  type WishEvent,
  type WishState,
  takenUpBy,
  wishEvents,
  wishStates,
  wishStep,
} from "../../src/supervisor/project/wishes.ts";

/**
 * Every pair that does something, written down a second time: what is wanted then, and what is to be done.
 * `where` names the processes that a pair concerns, or what its files say, and the first that holds counts.
 */
const expected: Record<WishState, Partial<Record<WishEvent, string>>> = {
  unwanted: {
    "goes-on": "given",
    up: "due",
    missed: "due",
    "up-lazy": "dozing end",
    restart: "restarting end",
    suspend: "barred end",
  },
  dozing: {
    up: "due",
    request: "due",
    dependent: "due",
    scheduled: "due",
    missed: "due",
    stop: "unwanted end",
    restart: "restarting end",
    suspend: "suspended end",
  },
  due: {
    stop: "unwanted end",
    doze: "dozing end",
    restart: "restarting end",
    started: "given",
    cannot: "refused",
    suspend: "suspended end",
  },
  given: {
    up: "due where ending, rested, down, done, spent",
    "up-lazy": "dozing end where down",
    request: "due where rested",
    dependent: "due where rested",
    scheduled: "due where rested, down, done, spent",
    missed: "due where rested, down",
    stop: "unwanted end",
    doze: "dozing end",
    restart: "renewing where up; restarting end",
    renew: "renewing where up",
    changed: "renewing where up; nothing where working, done; dozing end where lazy; due",
    suspend: "suspended end",
  },
  renewing: {
    stop: "unwanted end",
    doze: "dozing end",
    restart: "renewing",
    renew: "renewing",
    changed: "renewing",
    able: "restarting end",
    ended: "due",
    suspend: "suspended end",
  },
  restarting: {
    stop: "unwanted end",
    doze: "dozing end",
    restart: "restarting end",
    ended: "due",
    suspend: "suspended end",
  },
  refused: {
    up: "due",
    "up-lazy": "dozing end",
    stop: "unwanted end",
    restart: "due",
    scheduled: "due",
    cannot: "refused",
    changed: "dozing end where lazy; due",
    suspend: "suspended end",
  },
  suspended: { stop: "barred end", released: "due" },
  barred: {
    up: "suspended",
    "up-lazy": "suspended",
    missed: "suspended",
    restart: "suspended",
    released: "unwanted end",
  },
};

const allFacts: Facts[] = processFacts.flatMap((process) =>
  [true, false].map((lazy) => ({ process, lazy })),
);

/** The part of a cell's text that holds for these facts. */
function expectedFor(text: string | undefined, { process, lazy }: Facts): string | undefined {
  const words = lazy ? [process, "lazy"] : [process];
  for (const part of text?.split("; ") ?? []) {
    const [what, where] = part.split(" where ");
    if (where !== undefined && !where.split(", ").some((word) => words.includes(word))) continue;
    return what === "nothing" ? undefined : what;
  }
  return undefined;
}

for (const state of wishStates) {
  for (const event of wishEvents) {
    const text = expected[state][event];
    test(`${state}: ${event} ${text === undefined ? "changes nothing" : `-> ${text}`}`, () => {
      for (const facts of allFacts) {
        const found = wishStep(state, event, facts);
        const told = found && [found.next, found.action].filter(Boolean).join(" ");
        expect(told).toBe(expectedFor(text, facts));
      }
    });
  }
}

const nextOf = (state: WishState, event: WishEvent, facts: Facts): WishState =>
  wishStep(state, event, facts)?.next ?? state;

const reachedFrom = (start: WishState): Set<WishState> => {
  const reached = new Set([start]);
  for (const state of reached) {
    for (const event of wishEvents) {
      for (const facts of allFacts) reached.add(nextOf(state, event, facts));
    }
  }
  return reached;
};

test("from every wish every other can be reached", () => {
  for (const state of wishStates)
    expect([...reachedFrom(state)].sort()).toEqual([...wishStates].sort());
});

const suspended: readonly WishState[] = ["suspended", "barred"];

test("a stop leads to unwanted and an up to a start, whatever was wanted before", () => {
  for (const state of wishStates) {
    if (suspended.includes(state)) continue;
    for (const facts of allFacts) {
      expect(nextOf(state, "stop", facts)).toBe("unwanted");
      const wanted = nextOf(state, "up", facts);
      // One that is given and runs has what was asked for; one that is restarted starts when all have ended.
      const runs = facts.process === "up" || facts.process === "working";
      if (state === "given" && runs) expect(wanted).toBe("given");
      else if (state === "restarting" || state === "renewing")
        expect(nextOf(wanted, "ended", facts)).toBe("due");
      else expect(wanted).toBe("due");
    }
  }
});

test("nothing starts a service while its data is in other hands, and then it is as was asked for last", () => {
  for (const facts of allFacts) {
    for (const state of suspended) {
      for (const event of wishEvents) {
        if (event === "released") continue;
        expect(suspended).toContain(nextOf(state, event, facts));
      }
      expect(nextOf(nextOf(state, "up", facts), "released", facts)).toBe("due");
      expect(nextOf(nextOf(state, "stop", facts), "released", facts)).toBe("unwanted");
    }
    for (const state of wishStates) expect(suspended).toContain(nextOf(state, "suspend", facts));
  }
});

test("only a person makes an unwanted service wanted, the restart of one that depends on it, or the daemon before", () => {
  const persons: WishEvent[] = ["up", "up-lazy", "restart", "missed", "goes-on"];
  for (const event of wishEvents) {
    if (persons.includes(event)) continue;
    for (const facts of allFacts) {
      expect(nextOf(nextOf("unwanted", event, facts), "released", facts)).toBe("unwanted");
    }
  }
});

test("only a person, a request, a schedule or a dependent starts a service that dozes", () => {
  const starters: WishEvent[] = ["up", "restart", "request", "scheduled", "dependent", "missed"];
  for (const event of wishEvents) {
    if (starters.includes(event)) continue;
    for (const facts of allFacts) {
      const next = nextOf("dozing", event, facts);
      expect(["dozing", "unwanted", ...(event === "suspend" ? suspended : [])]).toContain(next);
    }
  }
});

test("a service is handed over from due, or by the daemon before, and refused from due only", () => {
  for (const state of wishStates) {
    for (const facts of allFacts) {
      for (const event of wishEvents) {
        const next = nextOf(state, event, facts);
        if (next === "given" && state !== "given")
          expect(["due started", "unwanted goes-on"]).toContain(`${state} ${event}`);
        if (next === "refused" && state !== "refused") {
          expect([state, event]).toEqual(["due", "cannot"]);
        }
      }
    }
  }
});

test("each wish of the daemon before is taken up by its events, as far as nothing has to be done again", () => {
  const taken = wishStates.map((state) => {
    let next: WishState = "unwanted";
    for (const event of takenUpBy[state]) next = nextOf(next, event, { process: "up", lazy: true });
    return [state, next];
  });
  expect(Object.fromEntries(taken)).toEqual({
    unwanted: "unwanted",
    dozing: "dozing",
    due: "due",
    given: "given",
    renewing: "renewing",
    restarting: "due",
    refused: "due",
    suspended: "due",
    barred: "unwanted",
  });
});

test("what may leave a process behind without a wish for it ends it", () => {
  for (const state of wishStates) {
    for (const event of wishEvents) {
      for (const facts of allFacts) {
        const found = wishStep(state, event, facts);
        if (found === undefined || !["unwanted", "dozing", "restarting"].includes(found.next))
          continue;
        expect(found.action).toBe("end");
      }
    }
  }
});

test("a restart ends no process before another one could start in its place", () => {
  for (const event of ["restart", "renew", "changed"] as const) {
    for (const state of ["given", "renewing"] as const) {
      for (const lazy of [true, false]) {
        expect(wishStep(state, event, { process: "up", lazy })).toEqual({ next: "renewing" });
      }
    }
  }
  for (const event of wishEvents) {
    if (["able", "stop", "doze", "suspend"].includes(event)) continue;
    for (const facts of allFacts)
      expect(wishStep("renewing", event, facts)?.action).toBeUndefined();
  }
});

test("what was asked last counts, whatever happened between", () => {
  const event = fc.constantFrom(...wishEvents);
  const facts = fc.record({ process: fc.constantFrom(...processFacts), lazy: fc.boolean() });
  fc.assert(
    fc.property(fc.array(fc.tuple(event, facts), { maxLength: 40 }), (happened) => {
      let state: WishState = "unwanted";
      let stopped = true;
      for (const [what, seen] of happened) {
        // Only heard where nothing was wanted yet.
        if (what === "goes-on" && state === "barred") continue;
        state = nextOf(state, what, seen);
        if (what === "stop") stopped = true;
        if (["up", "up-lazy", "restart", "missed", "goes-on"].includes(what)) stopped = false;
        expect(state === "unwanted" || state === "barred").toBe(stopped);
      }
    }),
    { numRuns: 2000 },
  );
});

test("a lifecycle that was never made is down; one that ended well rests where a request starts it", () => {
  expect(processFact(undefined, { rests: false, task: undefined })).toBe("down");
  expect(processFact("exited", { rests: true, task: undefined })).toBe("rested");
  expect(processFact("exited", { rests: false, task: undefined })).toBe("down");
  expect(processFact("stopping", { rests: false, task: undefined })).toBe("ending");
  for (const state of ["starting", "running", "ready", "unready", "backoff"] as const) {
    expect(processFact(state, { rests: false, task: undefined })).toBe("up");
  }
  for (const state of ["stopped", "failed"] as const) {
    expect(processFact(state, { rests: false, task: undefined })).toBe("down");
  }
});

test("a task works, is done or is spent; one that is being ended, or was never run, is as any other", () => {
  const fact = (state: Parameters<typeof processFact>[0], completed = false) =>
    processFact(state, { rests: false, task: { completed } });
  for (const state of ["starting", "running", "backoff"] as const)
    expect(fact(state)).toBe("working");
  expect(fact("stopping", true)).toBe("ending");
  expect(fact("completed", true)).toBe("done");
  // Another daemon has run it.
  expect(fact(undefined, true)).toBe("done");
  expect(fact("stopped", true)).toBe("done");
  expect(fact("failed")).toBe("spent");
  for (const state of [undefined, "stopped", "completed"] as const)
    expect(fact(state)).toBe("down");
});

test("only a person and its schedule run a task that is completed, works or has failed", () => {
  const typed: WishEvent[] = ["up", "up-lazy", "restart", "stop", "doze", "scheduled"];
  for (const event of wishEvents) {
    // A task has no data that could be in other hands.
    if (typed.includes(event) || event === "suspend") continue;
    for (const process of ["working", "done"] as const) {
      const found = wishStep("given", event, { process, lazy: false });
      expect(found).toBeUndefined();
    }
    const spent = wishStep("given", event, { process: "spent", lazy: false });
    // An edit of what failed is another try of it.
    expect(spent).toEqual(event === "changed" ? { next: "due" } : undefined);
  }
  // A time that comes during a run is left out, and so is an edit.
  for (const event of ["scheduled", "changed"] as const)
    expect(wishStep("given", event, { process: "working", lazy: true })).toBeUndefined();
});
