/** Dials of one server: as many at once as it has room for, in turn, and none for those that have left. */
import { afterEach, expect, test } from "bun:test";
import { join } from "node:path";
import {
  type Upstream,
  type UpstreamPool,
  upstreamPool,
} from "../../../src/proxy/upstream/pool.ts";
import type { DescriptorRoom } from "../../../src/system/descriptor-room.ts";
import { unlimited } from "../../../src/system/descriptor-room.ts";
import { knocks } from "../../../src/system/knock.ts";
import { listensAtPath } from "../../../src/system/unix-listeners.ts";
import { FakeClock } from "../../support/fake-clock.ts";
import { ok, RawServer } from "../../support/raw-server.ts";
import { type SmallBacklog, smallBacklog } from "../../support/small-backlog.ts";
import { throwawayStateDirectory } from "../../support/throwaway-certificate-authority.ts";
import { turns } from "../../support/turn.ts";

type Outcome = { upstream?: Upstream; code?: string; cancel(): void; client: string };

/** The room of a queue of connections is what listen(2) was told, and one more. */
const backlog = 2;
const room = backlog + 1;

const ends: Disposable[] = [];
afterEach(() => {
  for (const end of ends.splice(0)) end[Symbol.dispose]();
});

function keep<T extends Disposable>(end: T): T {
  ends.push(end);
  return end;
}

class World {
  readonly clock = new FakeClock();
  readonly outcomes: Outcome[] = [];
  readonly pool: UpstreamPool;
  readonly #clients = new Map<string, object>();
  readonly #address: string;

  constructor(
    readonly port: number,
    options: { room?: DescriptorRoom; knocking?: boolean; path?: string } = {},
  ) {
    const { room = unlimited, knocking = true, path } = options;
    this.#address = path ?? "127.0.0.1";
    const peek = (): "quiet" => "quiet";
    const pool = upstreamPool({
      clock: this.clock,
      peek,
      room,
      knocks: knocking ? knocks("linux") : undefined,
      listensAt: listensAtPath,
    });
    this.pool = pool;
    keep({
      [Symbol.dispose]: () => {
        pool.stop();
        for (const { upstream } of this.outcomes) upstream?.link.abort();
      },
    });
  }

  dial(client = "one", { fresh = false }: { fresh?: boolean } = {}): Outcome {
    if (!this.#clients.has(client)) this.#clients.set(client, {});
    const endpoint = { address: this.#address, port: this.port, dial: [this.#address] };
    const outcome: Outcome = { cancel() {}, client };
    outcome.cancel = this.pool.dial(
      { endpoint, key: "key", tls: undefined, client: this.#clients.get(client)!, fresh },
      {
        connected: (upstream) => Object.assign(outcome, { upstream }),
        failed: ({ code }) => Object.assign(outcome, { code }),
      },
    );
    this.outcomes.push(outcome);
    return outcome;
  }

  /** Time for the pool to look again. */
  async pass(milliseconds = 10): Promise<void> {
    this.clock.advance(milliseconds);
    await turns(3);
  }

  get open(): Outcome[] {
    return this.outcomes.filter(({ upstream }) => upstream !== undefined);
  }

  get failed(): (string | undefined)[] {
    return this.outcomes.map(({ code }) => code).filter((code) => code !== undefined);
  }
}

function full(): { server: SmallBacklog; world: World } {
  const server = keep(smallBacklog(backlog));
  return { server, world: new World(server.port) };
}

test("a server with room for 3 is dialled for 3 of 20 requests, and for the next as it accepts one", async () => {
  const { server, world } = full();
  for (let count = 0; count < 20; count++) world.dial();
  await turns(3);
  expect(world.open.length).toBe(room);
  await world.pass(100);
  expect(world.open.length).toBe(room);
  for (let more = 1; more <= 5; more++) {
    expect(await server.accept()).toBeDefined();
    await world.pass();
    expect(world.open.length).toBe(room + more);
  }
  expect(world.failed).toEqual([]);
});

test("a unix socket with room for 3 is dialled like a port with room for 3, where its queue refuses", async () => {
  await using folder = await throwawayStateDirectory();
  const path = join(folder.path, "s");
  const server = keep(smallBacklog(backlog, { path }));
  const world = new World(0, { path });
  for (let count = 0; count < 10; count++) world.dial();
  await turns(3);
  await world.pass(100);
  expect(world.open.length).toBe(room);
  for (let more = 1; more <= 5; more++) {
    expect(await server.accept()).toBeDefined();
    await world.pass();
    expect(world.open.length).toBe(room + more);
  }
  expect(world.failed).toEqual([]);
  expect(world.outcomes.slice(0, room + 5).every((its) => its.upstream !== undefined)).toBe(true);
  server[Symbol.dispose]();
  await world.pass();
  expect(world.failed).toEqual(["ECONNREFUSED", "ECONNREFUSED"]);
});

test("what is taken back in the turn in which it was asked for is never dialled", async () => {
  const { server, world } = full();
  for (let count = 0; count < 1_000; count++) world.dial().cancel();
  await turns(3);
  await world.pass(100);
  expect(await server.accept()).toBeUndefined();
  const kept = world.dial();
  await turns(3);
  expect(kept.upstream).toBeDefined();
});

test("those that leave the queue are not dialled when there is room again", async () => {
  const { server, world } = full();
  const all = Array.from({ length: 20 }, () => world.dial());
  await turns(3);
  for (const outcome of all.slice(room, -1)) outcome.cancel();
  await server.accept();
  await world.pass();
  expect(all.filter(({ upstream }) => upstream !== undefined)).toEqual([
    ...all.slice(0, room),
    all.at(-1)!,
  ]);
});

test("clients take turns, however many requests one of them has", async () => {
  const { server, world } = full();
  for (let count = 0; count < 20; count++) world.dial("many");
  await turns(3);
  world.dial("few");
  world.dial("tunnel", { fresh: true });
  for (let more = 0; more < 3; more++) {
    await server.accept();
    await world.pass();
  }
  const clients = world.open.slice(room).map(({ client }) => client);
  expect(clients.toSorted()).toEqual(["few", "many", "tunnel"]);
});

test("a server that accepts nothing for 5 s is given up, one that does is waited for", async () => {
  const { server, world } = full();
  for (let count = 0; count < room + 3; count++) world.dial();
  await turns(3);
  await world.pass(4_000);
  world.pool.tick();
  expect(world.failed).toEqual([]);
  await server.accept();
  await world.pass();
  expect(world.open.length).toBe(room + 1);
  await world.pass(4_000);
  world.pool.tick();
  expect(world.failed).toEqual([]);
  await world.pass(1_000);
  world.pool.tick();
  expect(world.failed).toEqual(["ETIMEDOUT", "ETIMEDOUT"]);
});

test("a request has no turn for 60 s: it is told so, though others have theirs", async () => {
  const { server, world } = full();
  for (let count = 0; count < 40; count++) world.dial();
  await turns(3);
  for (let second = 0; second < 59; second += 4) {
    await world.pass(4_000);
    world.pool.tick();
    await server.accept();
    await world.pass();
  }
  world.pool.tick();
  expect(new Set(world.failed)).toEqual(new Set(["EQUEUE"]));
});

test("a connection that comes back serves one that waits, after it was silent for 10 ms, but no tunnel", async () => {
  const { world } = full();
  for (let count = 0; count < room; count++) world.dial();
  await turns(3);
  const tunnel = world.dial("tunnel", { fresh: true });
  const request = world.dial("request");
  await turns(3);
  const { upstream } = world.outcomes[0]!;
  world.pool.release(upstream!);
  await world.pass(9);
  expect(request.upstream).toBeUndefined();
  await world.pass();
  expect(request.upstream).toBe(upstream);
  expect(tunnel.upstream).toBeUndefined();
});

test("a connection whose client has left is the next one's, else it rests where the server keeps connections", async () => {
  // Without a look at the server's queue, a connection takes a while.
  using server = new RawServer({ answer: () => ok() });
  const world = new World(server.port, { knocking: false });
  const first = world.dial();
  await turns(20);
  world.pool.release(first.upstream!);
  await world.pass(20);
  expect(world.pool.take("key", { own: undefined, safe: true })).toBe(first.upstream);

  const left = world.dial();
  await Promise.resolve();
  left.cancel();
  await turns(20);
  expect(left.upstream).toBeUndefined();
  expect(world.pool.idleCount).toBe(1);
  await world.pass(20);
  const spare = world.pool.take("key", { own: undefined, safe: true });
  expect(spare!.rested).toBe(true);
  spare!.link.abort();
  expect(server.accepted.length).toBe(2);
});

test("where a server has kept no connection, one that nobody needs is closed at once", async () => {
  using server = new RawServer({ answer: () => ok() });
  const world = new World(server.port, { knocking: false });
  const left = world.dial();
  await Promise.resolve();
  left.cancel();
  await turns(20);
  expect(world.pool.idleCount).toBe(0);
  expect(await server.accepted[0]!.rest()).toBe("");
});

test("without a look at the server's queue, six are dialled at once", async () => {
  const server = keep(smallBacklog(backlog));
  const world = new World(server.port, { knocking: false });
  for (let count = 0; count < 100; count++) world.dial();
  await turns(20);
  const outcomes = world.open.length;
  expect(outcomes).toBe(room);
  await world.pass(5_000);
  // Those under way, which the kernel goes on with.
  expect(world.failed.length).toBeLessThanOrEqual(2 * 6);
});

test("without room for descriptors requests wait, and are told so after 5 s", async () => {
  using server = new RawServer({ answer: () => ok() });
  let free = false;
  const world = new World(server.port, { room: { ...unlimited, forServers: () => free } });
  const first = world.dial();
  await world.pass(4_000);
  world.pool.tick();
  expect(first.code).toBeUndefined();
  await world.pass(1_000);
  world.pool.tick();
  expect(first.code).toBe("EMFILE");
  const second = world.dial();
  await turns(3);
  free = true;
  await world.pass();
  expect(second.upstream).toBeDefined();
});

test("nobody listens: each is told the system's reason", async () => {
  const server = smallBacklog(1);
  const { port } = server;
  server[Symbol.dispose]();
  const world = new World(port);
  for (let count = 0; count < 20; count++) world.dial();
  for (let waits = 0; waits < 100 && world.failed.length < 20; waits++) await turns(2);
  expect(world.failed).toEqual(Array.from({ length: 20 }, () => "ECONNREFUSED"));
});

test("a pool that is stopped looks no more", async () => {
  const { world } = full();
  for (let count = 0; count < 20; count++) world.dial();
  await turns(3);
  world.pool.stop();
  expect(world.clock.waiting).toBe(0);
});

test("a connection that opens once the pool is stopped is closed, also where the server would keep it", async () => {
  using server = new RawServer({ answer: () => ok() });
  const world = new World(server.port, { knocking: false });
  const first = world.dial();
  await turns(20);
  world.pool.release(first.upstream!);
  const left = world.dial("two", { fresh: true });
  await Promise.resolve();
  left.cancel();
  world.pool.stop();
  await turns(20);
  expect(world.pool.idleCount).toBe(0);
  expect(await server.accepted[1]!.rest()).toBe("");
});

test("a connection that has waited for room at one server is no other's at the same place", async () => {
  const closed: number[] = [];
  let next = 0;
  let state: "pending" | "open" = "pending";
  const clock = new FakeClock();
  const pool = upstreamPool({
    clock,
    peek: () => "quiet",
    knocks: {
      begin: () => ++next,
      look: (descriptor) => (descriptor === 1 ? state : "pending"),
      close: (descriptor) => closed.push(descriptor),
    },
  });
  keep({ [Symbol.dispose]: () => pool.stop() });
  const outcome = { connected() {}, failed() {} };
  const dial = (sockets: number[]) => {
    const endpoint = { address: "127.0.0.1", port: 1, dial: ["127.0.0.1"], sockets };
    return pool.dial({ endpoint, key: "key", tls: undefined, client: {}, fresh: true }, outcome);
  };
  const leave = dial([1]);
  await turns(3);
  state = "open";
  dial([2]);
  leave();
  clock.advance(10);
  await turns(3);
  expect(closed).toEqual([1]);
});
