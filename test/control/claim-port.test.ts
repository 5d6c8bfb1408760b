/**
 * Who may have the port: it is taken over from our own daemon, waited for where that helps, and never had from
 * strangers.
 */
import { beforeEach, expect, test } from "bun:test";
import {
  type Claimed,
  type ClaimOptions,
  claimPort,
  patienceForOthers,
} from "../../src/control/found/claim-port.ts";
import type { Found } from "../../src/control/found/connect.ts";
import type { Registration } from "../../src/control/found/protocol.ts";
import { FakeClock } from "../support/fake-clock.ts";
import { registrationOf } from "../support/registration.ts";

let clock: FakeClock;
/** Port -> who listens there. */
let held: Map<number, "theirs" | "ours" | "forbidden">;
let found: Found;
let published: number[];
let ours: boolean;

const registration = registrationOf({ id: "before" });
const healthy = (its: Partial<Registration> = {}): Found => {
  const record = { ...registration, ...its };
  return { kind: "healthy", registration: record, handshake: record, credential: "", by: "socket" };
};
const absent: Found = { kind: "absent", why: "", alive: false };

beforeEach(() => {
  clock = new FakeClock();
  held = new Map();
  found = absent;
  published = [];
  ours = true;
});

/** Moves the clock on until it is decided; `each` is what happens meanwhile. */
async function claim(
  its: Partial<ClaimOptions<number>> = {},
  each: (milliseconds: number) => void = () => {},
): Promise<Claimed<number> | { error: string; after: number }> {
  let outcome: Claimed<number> | { error: string; after: number } | undefined;
  const began = clock.now();
  claimPort<number>({
    clock,
    port: 9090,
    extras: [],
    unlessRunning: false,
    unlessStopped: true,
    prepare: () => Promise.resolve(),
    find: async () => found,
    inherit: async () => "shells",
    taken: async () => {},
    vacancy(port) {
      const holder = held.get(port);
      if (holder === undefined) return "free";
      return holder === "forbidden" ? "never" : "taken";
    },
    bind(port) {
      const holder = held.get(port);
      if (holder === undefined) return port;
      throw Object.assign(new Error("no"), {
        code: holder === "forbidden" ? "EACCES" : "EADDRINUSE",
      });
    },
    async publish(port) {
      published.push(port);
    },
    stillOurs: () => ours,
    ...its,
  }).then(
    (value) => {
      outcome = value;
    },
    (error) => {
      outcome = { error: error.code, after: clock.now() - began };
    },
  );
  for (let turn = 0; outcome === undefined && turn < 5_000; turn++) {
    await new Promise(setImmediate);
    each(clock.now() - began);
    if (outcome === undefined) clock.advance(20);
  }
  expect(clock.waiting).toBe(0);
  return outcome!;
}

test("a free port is had at once, and nobody is asked to go", async () => {
  expect(await claim()).toEqual({ kind: "bound", bound: 9090, predecessor: undefined });
  expect(published).toEqual([]);
});

test("what our daemon has is had after our record is written and it has gone", async () => {
  found = healthy();
  held.set(9090, "ours");
  const claimed = await claim({}, (waited) => {
    if (waited > 900) held.delete(9090);
  });
  expect(claimed).toEqual({ kind: "bound", bound: 9090, predecessor: registration });
  expect(published).toEqual([9090]);
});

test("so it is of a daemon that speaks another protocol", async () => {
  found = {
    kind: "other-protocol",
    protocol: "x",
    registration,
    handshake: registration,
    alive: true,
  };
  held.set(9090, "ours");
  const asked: string[] = [];
  const inherit = async (its: Found) => {
    asked.push(its.kind);
    return "shells" as const;
  };
  const claimed = await claim({ unlessRunning: true, inherit }, (waited) => {
    if (waited > 900) held.delete(9090);
  });
  expect(claimed).toMatchObject({ kind: "bound", predecessor: { pid: 17 } });
  // The conversation has a version of its own.
  expect(asked).toEqual(["other-protocol"]);
});

test("one that was too busy to answer at first is asked for the port that it has", async () => {
  const silent: Found = { kind: "silent", why: "busy", by: "socket", registration, alive: true };
  found = silent;
  held.set(registration.port, "ours");
  const asked: string[] = [];
  const claimed = await claim(
    {
      port: 0,
      async inherit(its) {
        asked.push(its.kind);
        held.delete(registration.port);
        return "handed";
      },
    },
    (waited) => {
      if (waited > 5_000) found = healthy();
    },
  );
  expect(asked).toEqual(["healthy"]);
  expect(claimed).toMatchObject({ kind: "bound", bound: registration.port });
  // After ten seconds without a word, another port is better than none.
  found = silent;
  held.set(registration.port, "ours");
  const other = await claim({ port: 0 }, (waited) => {
    if (waited > 12_000) found = healthy();
  });
  expect(other).toMatchObject({ kind: "bound", bound: 0 });
});

test("one that does not go is waited for, and then it is an error", async () => {
  found = healthy();
  held.set(9090, "ours");
  expect(await claim()).toMatchObject({ error: "EADDRINUSE", after: expect.any(Number) });
  expect(clock.now() - 1_000_000).toBeGreaterThan(7_500);
});

test("a stranger's port is an error soon, and our daemon on another port stays", async () => {
  found = healthy({ port: 8080 });
  held.set(9090, "theirs");
  const claimed = await claim();
  expect(claimed).toMatchObject({ error: "EADDRINUSE" });
  expect((claimed as { after: number }).after).toBeLessThan(2_000);
  expect(published).toEqual([]);
});

test("a port that needs a right is an error at once, and our daemon stays", async () => {
  found = healthy();
  held.set(80, "forbidden");
  expect(await claim({ port: 80 })).toEqual({ error: "EACCES", after: 0 });
  expect(published).toEqual([]);
});

test("another port than our daemon's is had at once, and it is asked to go", async () => {
  found = healthy({ port: 8080 });
  expect(await claim()).toMatchObject({ kind: "bound", bound: 9090, predecessor: { port: 8080 } });
  expect(published).toEqual([9090]);
});

test("with another port, what else our daemon has is waited for; a stranger's not for long", async () => {
  found = healthy({ port: 8080 });
  held.set(80, "ours");
  let bound = 0;
  await claim({ extras: [80] }, (waited) => {
    bound = waited;
    if (waited >= 1_000) held.delete(80);
  });
  expect(bound).toBeGreaterThanOrEqual(1_000);
  expect(bound).toBeLessThan(1_100);
  held.set(80, "theirs");
  expect(await claim({ extras: [80] }, (waited) => (bound = waited))).toMatchObject({
    kind: "bound",
  });
  expect(bound).toBeLessThan(3_000);
});

test("one that is about to publish is given the time to", async () => {
  held.set(9090, "ours");
  const claimed = await claim({ unlessRunning: true }, (waited) => {
    if (waited > 500) found = healthy();
  });
  expect(claimed).toEqual({ kind: "running", registration });
  expect(published).toEqual([]);
});

test("whoever is displaced while it waits gives way", async () => {
  found = healthy();
  held.set(9090, "ours");
  const claimed = await claim({}, (waited) => {
    if (waited > 300) ours = false;
  });
  expect(claimed).toEqual({ kind: "displaced" });
});

test("any port is the one before, where that can be had", async () => {
  found = { kind: "dead", why: "", alive: false, registration: { ...registration, port: 8080 } };
  expect(await claim({ port: 0 })).toMatchObject({ bound: 8080 });
  held.set(8080, "theirs");
  expect(await claim({ port: 0 })).toMatchObject({ kind: "bound", bound: 0 });
  found = absent;
  expect(await claim({ port: 0 })).toMatchObject({ kind: "bound", bound: 0 });
});

type Inherited = Awaited<ReturnType<ClaimOptions<number>["inherit"]>>;

/** Two daemons take over from one: what the third finds while the second's record stands and the first answers. */
const another = (): Found => ({
  kind: "another",
  why: "",
  registration: { ...registration, id: "second" },
  handshake: registration,
  alive: true,
});

test("of another that takes over at once, all is had once it has all, and nothing before", async () => {
  found = another();
  held.set(9090, "ours");
  const asked: string[] = [];
  let taken = 0;
  const second = { ...registration, id: "second" };
  const claimed = await claim(
    {
      async inherit(its): Promise<Inherited> {
        asked.push(its.handshake.id);
        return its.handshake.id === "second" ? "handed" : "busy";
      },
      async taken() {
        taken += 1;
      },
      bind: (port) => port,
    },
    (waited) => {
      // Its services need all the time that they have to settle.
      if (waited < 12_000) expect(published).toEqual([]);
      else found = healthy(second);
    },
  );
  expect(claimed).toEqual({ kind: "bound", bound: 9090, predecessor: second });
  expect([published, taken]).toEqual([[9090], 1]);
  expect([...new Set(asked)]).toEqual(["before", "second"]);
});

test("whoever is told to wait for ever goes on without the rest", async () => {
  found = another();
  held.set(9090, "ours");
  let since = 0;
  const claimed = await claim({ inherit: async () => "busy" }, (waited) => {
    if (published.length === 0) since = waited;
    else held.delete(9090);
  });
  expect(claimed).toMatchObject({ kind: "bound", bound: 9090, predecessor: { id: "before" } });
  expect(since).toBeGreaterThanOrEqual(patienceForOthers);
});

test("a conversation that breaks is begun again, twice, and not at once", async () => {
  found = healthy();
  held.set(9090, "ours");
  const asked: number[] = [];
  const before = clock.now();
  const inherit = async (): Promise<Inherited> => {
    asked.push(clock.now() - before);
    return "broken";
  };
  const claimed = await claim({ inherit }, () => {
    if (published.length > 0) held.delete(9090);
  });
  expect(claimed).toMatchObject({ kind: "bound", predecessor: { id: "before" } });
  expect(asked).toHaveLength(3);
  expect(asked[1]! - asked[0]!).toBeGreaterThanOrEqual(250);
});

test("where the daemon is told to stop, whoever waits behind others goes too, unless a person waits", async () => {
  for (const last of ["ending", "absent"] as const) {
    for (const unlessStopped of [true, false]) {
      found = healthy();
      published = [];
      held.set(9090, "ours");
      let says: Inherited = "busy";
      const claimed = await claim({ unlessStopped, inherit: async () => says }, (waited) => {
        if (waited < 500) return;
        if (last === "ending") says = "ending";
        else found = absent;
        if (waited > 700) held.delete(9090);
      });
      expect(claimed).toHaveProperty("kind", unlessStopped ? "displaced" : "bound");
      expect(published).toEqual(unlessStopped || last === "absent" ? [] : [9090]);
    }
  }
});

test("where the daemon is killed, whoever waits behind others takes its place", async () => {
  found = healthy();
  held.set(9090, "ours");
  const claimed = await claim({ inherit: async () => "busy" }, (waited) => {
    if (waited < 500) return;
    found = { kind: "dead", why: "", alive: false, registration };
    held.delete(9090);
  });
  expect(claimed).toEqual({ kind: "bound", bound: 9090, predecessor: undefined });
});
