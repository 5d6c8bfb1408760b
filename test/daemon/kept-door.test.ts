/** The port that open pages know: the next daemon is there, at once or as soon as it is free. */
import { afterAll, expect, test } from "bun:test";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { HttpDoor } from "../../src/control/http/http.ts";
import { type KeptDoor, openKept } from "../../src/daemon/kept-door.ts";
import { keepPort, keptPort } from "../../src/dashboard/page-port.ts";
import { eventually } from "../support/eventually.ts";
import { FakeClock } from "../support/fake-clock.ts";

const made: string[] = [];

// Last of all: a port that is written down late would make its directory again.
afterAll(async () => {
  for (const directory of made.splice(0)) await rm(directory, { recursive: true, force: true });
});

/** Doors without sockets: ports are numbers, of which some are taken. */
async function scene({ kept = 0, known = false }: { kept?: number; known?: boolean }) {
  const stateDirectory = await mkdtemp(join(tmpdir(), "localhostess-kept-"));
  made.push(stateDirectory);
  if (kept !== 0) await keepPort(stateDirectory, kept);
  const clock = new FakeClock();
  const taken = new Set<number>();
  const notes: string[] = [];
  let next = 50_001;
  const openAt = (wanted: number): HttpDoor => {
    if (taken.has(wanted)) throw Object.assign(new Error("taken"), { code: "EADDRINUSE" });
    const port = wanted === 0 ? next++ : wanted;
    return {
      url: `http://127.0.0.1:${port}`,
      port,
      connections: 0,
      sockets: [],
      credentialChanged() {},
      leave: async () => {},
      stop: async () => {},
    };
  };
  return {
    clock,
    taken,
    notes,
    open: (): Promise<KeptDoor> =>
      openKept(openAt, { stateDirectory, clock, known, note: (text) => void notes.push(text) }),
    isKept: (port: number) =>
      eventually(`${port} is kept`, async () => (await keptPort(stateDirectory)) === port),
    kept: () => keptPort(stateDirectory),
  };
}

test("where pages of other origins are allowed, the first port is kept, and the next daemon is there", async () => {
  const { open, isKept } = await scene({ known: true });
  const first = await open();
  await isKept(first.http.port);
  await first.stop();
  const second = await open();
  expect(second.http.port).toBe(first.http.port);
  await second.stop();
});

test("otherwise it is not kept before a page is opened", async () => {
  const { open, isKept, kept } = await scene({});
  const door = await open();
  expect(await kept()).toBe(0);
  expect(door.url()).toBe(door.http.url);
  await isKept(door.http.port);
  await door.stop();
});

test("while the last daemon has it, there is another door; pages are opened at the known port once it is free", async () => {
  const { clock, taken, open, kept } = await scene({ kept: 40_000, known: true });
  taken.add(40_000);
  const door = await open();
  expect(door.http.port).not.toBe(40_000);
  taken.delete(40_000);
  clock.advance(250);
  expect(door.url()).toBe("http://127.0.0.1:40000");
  clock.advance(60_000);
  expect(await kept()).toBe(40_000);
  await door.stop();
  expect(clock.waiting).toBe(0);
});

test.each([true, false])(
  "where another program has it for good, pages that are opened then have a port that is kept (known: %p)",
  async (known) => {
    const { clock, taken, notes, open, isKept, kept } = await scene({ kept: 40_000, known });
    taken.add(40_000);
    const door = await open();
    clock.advance(29_999);
    expect(door.url()).toBe(door.http.url);
    expect(await kept()).toBe(40_000);
    clock.advance(1);
    if (!known) door.url();
    await isKept(door.http.port);
    // The program ends after all: pages that were open before find us again, and new ones are opened there.
    taken.delete(40_000);
    clock.advance(250);
    expect(door.url()).toBe("http://127.0.0.1:40000");
    await isKept(40_000);
    await door.stop();
    expect([clock.waiting, notes]).toEqual([0, []]);
  },
);

test("a daemon that takes the doors of the one before over keeps both ports, and waits for none", async () => {
  const { open, isKept, taken, clock } = await scene({ kept: 50_100, known: true });
  taken.add(50_100);
  const door = await open();
  expect(clock.waiting).toBeGreaterThan(0);
  taken.delete(50_100);
  door.adopt({ api: 50_007, page: 50_100, ready: () => undefined });
  expect(door.http.url).toBe("http://127.0.0.1:50007");
  expect(door.url()).toBe("http://127.0.0.1:50100");
  expect(clock.waiting).toBe(0);
  await isKept(50_100);
  await door.stop();
});
