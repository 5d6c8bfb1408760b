/** A server without room for another connection, or a process without descriptors: what clients are told, and when. */
import { expect, test } from "bun:test";
import { unlimited } from "../../src/system/descriptor-room.ts";
import { FakeClock } from "../support/fake-clock.ts";
import { connectRaw, type RawEnd } from "../support/raw-end.ts";
import { ok, RawServer } from "../support/raw-server.ts";
import { smallBacklog } from "../support/small-backlog.ts";
import { startTestProxy } from "../support/test-proxy.ts";
import { turns } from "../support/turn.ts";

function get(name: string): string {
  return `GET / HTTP/1.1\r\nHost: ${name}.localhost\r\n\r\n`;
}

test("a request that waits for its turn for 60 s while others have theirs gets 503, by name", async () => {
  const clock = new FakeClock();
  using server = smallBacklog(0);
  await using proxy = await startTestProxy({ services: { api: server }, clock });
  const clients: RawEnd[] = [];
  for (let count = 0; count < 30; count++) {
    clients.push(await connectRaw(proxy.port, { send: get("api") }));
  }
  await turns(20);
  for (let second = 0; second < 60; second += 4) {
    clock.advance(4_000);
    await turns(3);
    await server.accept();
    clock.advance(10);
    await turns(3);
  }
  clock.advance(1_000);
  const last = await clients.at(-1)!.message();
  expect(last.status).toBe(503);
  expect(last.one("retry-after")).toBe("2");
  expect(last.body).toContain("api has more requests than it can take: this one waited 60 s");
  for (const client of clients) client.close();
});

test("with too many files open, a request gets 503 after 5 s, and our own pages go on", async () => {
  const clock = new FakeClock();
  using api = new RawServer({ answer: () => ok() });
  const room = { ...unlimited, forServers: () => false };
  await using proxy = await startTestProxy({ services: { api }, clock, room });
  using client = await connectRaw(proxy.port, { send: get("api") });
  await turns(20);
  using front = await connectRaw(proxy.port, { send: "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n" });
  expect((await front.message()).status).toBe(200);
  clock.advance(6_000);
  const answer = await client.message();
  expect([answer.status, answer.one("retry-after")]).toEqual([503, "2"]);
  expect(answer.body).toContain("too many files are open for another connection to api");
  expect(api.accepted.length).toBe(0);
});

test("the last descriptors go to no further client, which is told so, where none is idle", async () => {
  let free = true;
  using api = new RawServer();
  const room = { ...unlimited, forClients: () => free };
  await using proxy = await startTestProxy({ services: { api }, room });
  using before = await connectRaw(proxy.port, { send: get("api") });
  const upstream = await api.next();
  await upstream.message();
  free = false;
  using late = await connectRaw(proxy.port, { send: get("localhost") });
  const answer = await late.message();
  expect(answer.status).toBe(503);
  expect(answer.body).toContain("no file descriptors left");
  upstream.send(ok("answered"));
  expect((await before.message()).body).toBe("answered");
});

test("200 answers without an end keep nobody from a connection", async () => {
  using api = new RawServer({
    answer: ({ target }) =>
      target === "/events"
        ? "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n"
        : ok("hi"),
  });
  await using proxy = await startTestProxy({ services: { api } });
  const events = await Promise.all(
    Array.from({ length: 200 }, () =>
      connectRaw(proxy.port, { send: get("api").replace("/", "/events") }),
    ),
  );
  await Promise.all(events.map((client) => client.until("event-stream")));
  using client = await connectRaw(proxy.port, { send: get("api") });
  expect((await client.message()).body).toBe("hi");
  for (const each of events) each.close();
});
