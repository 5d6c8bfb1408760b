/** Who may connect, and how often: by whose process a client is. */
import { expect, test } from "bun:test";
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
  const api = new RawServer({ answer: () => ok("here") });
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

test("with too many connections the next one is told so, and a place that is free again is given away", async () => {
  await using its = await open("own", { connectionLimit: 4 });
  const four = await Promise.all(Array.from({ length: 4 }, () => its.knock()));
  expect(four.map(({ status }) => status)).toEqual([200, 200, 200, 200]);
  const fifth = await its.knock();
  expect(fifth.status).toBe(503);
  four[0]!.client.close();
  await eventually("there is room", () => its.proxy.connections < 4);
  const sixth = await its.knock();
  expect(sixth.status).toBe(200);
  for (const { client } of [...four, fifth, sixth]) client.close();
});

test("another person has a quarter of the room, the next one a quarter too, and the owner the rest", async () => {
  await using its = await open({ uid: 1001 }, { otherUsers: true, connectionLimit: 8 });
  const statuses: (number | undefined)[] = [];
  const clients: RawEnd[] = [];
  const knock = async (): Promise<void> => {
    const { client, status } = await its.knock();
    statuses.push(status);
    clients.push(client);
  };
  for (let n = 0; n < 3; n++) await knock();
  its.as({ uid: 1002 });
  for (let n = 0; n < 3; n++) await knock();
  its.as("own");
  for (let n = 0; n < 5; n++) await knock();
  expect(statuses).toEqual([200, 200, 403, 200, 200, 403, 200, 200, 200, 200, 503]);
  its.as({ uid: 1001 });
  clients[0]!.close();
  await eventually("there is room", () => its.proxy.connections < 8);
  expect((await its.knock()).status).toBe(200);
  for (const client of clients) client.close();
});
