/** Who may connect, and how often: by whose process a client is. */
import { describe, expect, test } from "bun:test";
import type { ClientUser } from "../../src/discovery/client-user.ts";
import { eventually } from "../support/eventually.ts";
import { FakeClock } from "../support/fake-clock.ts";
import { connectRaw, type RawEnd } from "../support/raw-end.ts";
import { ok, RawServer } from "../support/raw-server.ts";
import { startTestProxy, type TestProxyOptions } from "../support/test-proxy.ts";

const request = "GET / HTTP/1.1\r\nHost: api.localhost\r\n\r\n";

/** A proxy whose clients are who `user` says at the time when they connect. */
async function open(
  first: ClientUser,
  more: Pick<TestProxyOptions, "otherUsers" | "connectionLimit" | "clock"> = {},
) {
  const api = new RawServer({
    answer: ({ target }) => (target === "/hold" ? undefined : ok("here")),
  });
  let user = first;
  const proxy = await startTestProxy({ services: { api }, clientUser: () => user, ...more });
  return {
    proxy,
    as(next: ClientUser) {
      user = next;
    },
    /** The status of one request, on a connection that stays open; undefined where there is no answer. */
    async knock(): Promise<{ client: RawEnd; status: number | undefined }> {
      const client = await connectRaw(proxy.port);
      client.send(request);
      const head = await client.until("\r\n\r\n").catch(() => "");
      return { client, status: Number(head.split(" ")[1]) || undefined };
    },
    /** The status of a request that is not answered while it is served: "held", or that of its refusal. */
    async hold(): Promise<{ client: RawEnd; status: number | "held" }> {
      const before = api.requests.length;
      const client = await connectRaw(proxy.port);
      client.send(request.replace("/", "/hold"));
      await eventually("it is held or refused", () => {
        return api.requests.length > before || client.text.includes("\r\n\r\n");
      });
      return { client, status: Number(client.text.split(" ")[1]) || "held" };
    },
    async [Symbol.asyncDispose]() {
      await proxy.stop();
      api[Symbol.dispose]();
    },
  };
}

test.each<[ClientUser, boolean, number]>([
  ["own", false, 200],
  ["unknown", false, 200],
  ["gone", false, 403],
  [{ uid: 1001 }, false, 403],
  ["own", true, 200],
  ["unknown", true, 200],
  ["gone", true, 403],
  [{ uid: 1001 }, true, 200],
])(
  "a client that is %p, with others served: %p, is answered with %d",
  async (user, otherUsers, status) => {
    await using its = await open(user, { otherUsers });
    using client = (await its.knock()).client;
    client.close();
    const again = await its.knock();
    again.client.close();
    expect(again.status).toBe(status);
  },
);

test("who is turned away reads why, and is not counted among the connections", async () => {
  await using its = await open({ uid: 1001 });
  using client = await connectRaw(its.proxy.port);
  client.send(request);
  const text = await client.rest();
  expect(text).toContain("other_users = true");
  expect(text).not.toContain("api");
  expect(its.proxy.connections).toBe(0);
});

test("a hundred who are turned away and say nothing are broken off", async () => {
  // Nobody is broken off for having waited.
  await using its = await open({ uid: 1001 }, { clock: new FakeClock() });
  const clients = await Promise.all(Array.from({ length: 100 }, () => connectRaw(its.proxy.port)));
  await eventually("some are broken off", () => clients.filter((its) => its.closed).length >= 36);
  its.as("own");
  const { client, status } = await its.knock();
  expect(status).toBe(200);
  for (const one of [...clients, client]) one.close();
});

test("with too many connections at work the next one is told so, and a place that is free again is given away", async () => {
  await using its = await open("own", { connectionLimit: 4 });
  const four: { client: RawEnd }[] = [];
  for (let n = 0; n < 4; n++) four.push(await its.hold());
  const fifth = await its.knock();
  expect(fifth.status).toBe(503);
  four[0]!.client.reset();
  await eventually("there is room", () => its.proxy.connections < 4);
  const sixth = await its.knock();
  expect(sixth.status).toBe(200);
  for (const { client } of [...four, fifth, sixth]) client.reset();
});

test("another person has a quarter of the room, the next one a quarter too, and the owner the rest", async () => {
  await using its = await open({ uid: 1001 }, { otherUsers: true, connectionLimit: 8 });
  const statuses: (number | "held")[] = [];
  const clients: RawEnd[] = [];
  const hold = async (): Promise<void> => {
    const { client, status } = await its.hold();
    statuses.push(status);
    clients.push(client);
  };
  for (let n = 0; n < 3; n++) await hold();
  its.as({ uid: 1002 });
  for (let n = 0; n < 3; n++) await hold();
  its.as("own");
  for (let n = 0; n < 5; n++) await hold();
  const share = ["held", "held", 403];
  expect(statuses).toEqual([...share, ...share, "held", "held", "held", "held", 503] as never);
  its.as({ uid: 1001 });
  clients[0]!.reset();
  await eventually("there is room", () => its.proxy.connections < 8);
  expect((await its.knock()).status).toBe(200);
  for (const client of clients) client.reset();
});

describe("a new connection takes the place of the longest idle one", () => {
  const gone = async (...ends: RawEnd[]): Promise<void> => {
    for (const end of ends) expect(await end.rest()).toEndWith("here");
  };

  test("which is closed without a word, and those at work stay", async () => {
    const clock = new FakeClock();
    await using its = await open("own", { connectionLimit: 4, clock });
    const held = (await its.hold()).client;
    const idle: RawEnd[] = [];
    for (let n = 0; n < 3; n++) {
      idle.push((await its.knock()).client);
      clock.advance(500);
    }
    // The first has just been used again.
    idle[0]!.send(request);
    await idle[0]!.until("here");
    for (const next of [idle[1]!, idle[2]!, idle[0]!]) {
      const { client, status } = await its.knock();
      expect(status).toBe(200);
      await gone(next);
      client.send(request.replace("/", "/hold"));
      await eventually("it is at work", () => its.proxy.connections === 4);
    }
    expect(held.over).toBe(false);
    held.reset();
  });

  test("also one that has never said a byte", async () => {
    await using its = await open("own", { connectionLimit: 2 });
    const silent = await connectRaw(its.proxy.port);
    await eventually("it is there", () => its.proxy.connections === 1);
    const held = (await its.hold()).client;
    const { client, status } = await its.knock();
    expect(status).toBe(200);
    expect(await silent.rest()).toBe("");
    client.reset();
    held.reset();
  });

  test("of the same guest, once a guest's share is full", async () => {
    await using its = await open("own", { otherUsers: true, connectionLimit: 8 });
    const own = (await its.knock()).client;
    its.as({ uid: 1001 });
    const [first, second] = [(await its.knock()).client, (await its.knock()).client];
    const { client, status } = await its.knock();
    expect(status).toBe(200);
    await gone(first);
    for (const one of [own, second, client]) {
      expect(one.over).toBe(false);
      one.close();
    }
  });

  test("of a guest before the person's own, and of the person never for a guest", async () => {
    await using its = await open("own", { otherUsers: true, connectionLimit: 4 });
    const own = [
      (await its.knock()).client,
      (await its.knock()).client,
      (await its.knock()).client,
    ];
    its.as({ uid: 1001 });
    const guest = (await its.knock()).client;
    its.as("own");
    expect((await its.knock()).status).toBe(200);
    await gone(guest);
    its.as({ uid: 1001 });
    expect((await its.knock()).status).toBe(503);
    its.as("own");
    expect((await its.knock()).status).toBe(200);
    await gone(own[0]!);
    for (const one of own.slice(1)) one.close();
  });
});
