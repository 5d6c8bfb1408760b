/** Too much, too many, not ours: what is refused, how, and that it stays refused. */
import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { networkInterfaces } from "node:os";
import { eventually } from "../support/eventually.ts";
import { FakeClock } from "../support/fake-clock.ts";
import { startProxyProcess } from "../support/proxy-process.ts";
import { turn } from "../support/turn.ts";
import { connectRaw, type RawEnd } from "../support/raw-end.ts";
import { ok } from "../support/raw-server.ts";
import { scene } from "../support/scene.ts";
import { startTestProxy } from "../support/test-proxy.ts";

const before = "GET / HTTP/1.1\r\nHost: api.localhost\r\nCookie: ";
const after = "\r\n\r\n";
const limit = 65_536;

for (const octetsOver of [-1, 0, 1]) {
  test(`a head of 64 KiB ${octetsOver < 0 ? "less an octet" : octetsOver === 0 ? "exactly" : "and an octet"} is ${octetsOver > 0 ? "431" : "passed on"}`, async () => {
    await using its = await scene({ answer: () => ok() });
    const { api, client } = its;
    const cookie = "c".repeat(limit + octetsOver - before.length - after.length);
    client.send(before + cookie + after);
    const answer = await client.message();
    expect(answer.status).toBe(octetsOver > 0 ? 431 : 200);
    if (octetsOver > 0) {
      expect(answer.one("connection")).toBe("close");
      expect(answer.body).toContain("cookies");
      expect(await client.rest()).toBe("");
      expect(api.accepted.length).toBe(0);
    } else {
      expect(api.requests[0]!.one("cookie")).toBe(cookie);
    }
  });
}

test("a client that goes on sending a head too large still reads its 431", async () => {
  await using proxy = await startTestProxy();
  using client = await connectRaw(proxy.port);
  client.send(before + "c".repeat(2_000_000));
  expect((await client.message()).status).toBe(431);
});

test("a limit is for each head: a second one of 60 KiB behind a first is passed on", async () => {
  await using its = await scene({ answer: () => ok() });
  const { client } = its;
  const one = before + "c".repeat(60_000) + after;
  client.send(one + one + one);
  for (let i = 0; i < 3; i++) expect((await client.message()).status).toBe(200);
});

test("an answer's head of 60 KiB is passed on", async () => {
  const value = "v".repeat(60_000);
  await using its = await scene({ answer: () => ok("hi", [`X-A: ${value}`]) });
  const { client } = its;
  client.send("GET / HTTP/1.1\r\nHost: api.localhost\r\n\r\n");
  expect((await client.message()).one("x-a")).toBe(value);
});

test("trailers of more than 64 KiB end the request, and reach nobody", async () => {
  await using its = await scene();
  const { api, client } = its;
  client.send("POST / HTTP/1.1\r\nHost: api.localhost\r\nTransfer-Encoding: chunked\r\n\r\n");
  const upstream = await api.next();
  await upstream.until("\r\n\r\n");
  client.send(`0\r\nX-A: ${"x".repeat(70_000)}`);
  expect((await client.message()).status).toBeGreaterThanOrEqual(400);
  await upstream.gone();
  expect(upstream.received.toString()).not.toContain("x");
});

for (const [what, text] of [
  ["no Host", "GET / HTTP/1.1\r\n\r\n"],
  ["two Hosts", "GET / HTTP/1.1\r\nHost: api.localhost\r\nHost: api.localhost\r\n\r\n"],
  ["an empty Host", "GET / HTTP/1.1\r\nHost:\r\n\r\n"],
  ["a Host with a path", "GET / HTTP/1.1\r\nHost: api.localhost/x\r\n\r\n"],
  ["a Host with a user", "GET / HTTP/1.1\r\nHost: me@api.localhost\r\n\r\n"],
  ["two names in a Host", "GET / HTTP/1.1\r\nHost: api.localhost, web.localhost\r\n\r\n"],
  ["a space before the colon", "GET / HTTP/1.1\r\nHost : api.localhost\r\n\r\n"],
  ["a folded line", "GET / HTTP/1.1\r\nHost: api.localhost\r\nX-A: 1\r\n 2\r\n\r\n"],
  ["a folded first line", "GET / HTTP/1.1\r\n Host: api.localhost\r\n\r\n"],
  ["a bare CR in a value", "GET / HTTP/1.1\r\nHost: api.localhost\r\nX-A: 1\r2\r\n\r\n"],
  ["a NUL in a value", "GET / HTTP/1.1\r\nHost: api.localhost\r\nX-A: 1\x002\r\n\r\n"],
  ["LF for line ends", "GET / HTTP/1.1\nHost: api.localhost\n\n"],
  ["a name that is no token", "GET / HTTP/1.1\r\nHost: api.localhost\r\nX A: 1\r\n\r\n"],
  ["a line without a colon", "GET / HTTP/1.1\r\nHost: api.localhost\r\nXA\r\n\r\n"],
  ["an underscore twin", "POST / HTTP/1.1\r\nHost: api.localhost\r\nContent_Length: 1\r\n\r\n"],
  ["a target with a space", "GET /a b HTTP/1.1\r\nHost: api.localhost\r\n\r\n"],
  ["a fragment", "GET /a#b HTTP/1.1\r\nHost: api.localhost\r\n\r\n"],
  ["a tab in the request line", "GET\t/ HTTP/1.1\r\nHost: api.localhost\r\n\r\n"],
  ["no method", " / HTTP/1.1\r\nHost: api.localhost\r\n\r\n"],
] as const) {
  test(`a request with ${what} is 400, ends the connection and reaches nobody`, async () => {
    await using its = await scene({ answer: () => ok() });
    const { api, client } = its;
    client.send(text);
    const answer = await client.message();
    expect(answer.status).toBe(400);
    expect(answer.one("connection")).toBe("close");
    expect(await client.rest()).toBe("");
    expect(api.accepted.length).toBe(0);
  });
}

for (const host of [
  "example.com",
  "api.example.com",
  "evil.localhost.example.com",
  "localhost.example.com",
  "93.184.216.34",
  "192.168.1.7:9090",
  "0.0.0.0",
  "2130706433",
  "0x7f000001",
  "127.1",
  "127.0.0.256",
  "[::2]",
  "[::ffff:127.0.0.1]",
  "-api.localhost",
  "a..localhost",
  ".localhost",
]) {
  test(`Host: ${host} is 421`, async () => {
    await using its = await scene({ answer: () => ok() });
    const { api, client } = its;
    client.send(`GET / HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
    const answer = await client.message();
    expect(answer.status).toBe(421);
    expect(await client.rest()).toBe("");
    expect(api.accepted.length).toBe(0);
  });
}

for (const host of [
  "localhost",
  "LOCALHOST:1",
  "127.0.0.1",
  "127.9.8.7",
  "[::1]:80",
  "localhost.",
]) {
  test(`Host: ${host} is our own`, async () => {
    await using proxy = await startTestProxy();
    using client = await connectRaw(proxy.port);
    client.send(`GET /proxy.pac HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
    expect((await client.message()).status).toBe(200);
  });
}

test("TLS is closed without a byte", async () => {
  await using proxy = await startTestProxy();
  using client = await connectRaw(proxy.port);
  client.send("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03");
  expect(await client.rest()).toBe("");
});

test("a client that never closes its own end does not keep its connection counted", async () => {
  const clock = new FakeClock();
  await using proxy = await startTestProxy({ clock });
  const texts = [
    "\x16\x03\x01",
    "nonsense\r\n\r\n",
    "CONNECT nobody:80 HTTP/1.1\r\nHost: x\r\n\r\n",
  ];
  const clients = await Promise.all(texts.map(() => connectRaw(proxy.port)));
  clients.forEach((client, index) => {
    client.send(texts[index]!);
  });
  for (const client of clients) await client.rest();
  clock.advance(4_000);
  for (let turns = 0; turns < 1_000 && proxy.connections > 0; turns++) {
    await turn();
  }
  expect(proxy.connections).toBe(0);
  for (const client of clients) client.reset();
});

test("a client that pipelines without end while its first answer is awaited is not read without end", async () => {
  await using its = await scene();
  const { api, client } = its;
  const one = "GET / HTTP/1.1\r\nHost: api.localhost\r\n\r\n";
  client.send(one);
  const upstream = await api.next();
  await upstream.message();
  // Far more than the kernel's own buffers of both ends.
  client.send(one.repeat(1_000_000));
  for (let turns = 0; turns < 200; turns++) await turn();
  expect(client.unsent).toBeGreaterThan(20_000_000);
});

const outside = Object.values(networkInterfaces())
  .flat()
  .filter((address) => address !== undefined && !address.internal && address.family === "IPv4")
  .map((address) => address!.address);

test.skipIf(outside.length === 0)("nobody is accepted on an address of the network", async () => {
  await using proxy = await startTestProxy();
  expect([...proxy.proxy.addresses]).toEqual(["127.0.0.1", "::1"]);
  for (const address of outside) {
    await expect(connectRaw(proxy.port, { address })).rejects.toThrow();
  }
});

/** Open files that a process of ours may have. */
function openFiles(): number {
  try {
    const limits = readFileSync("/proc/self/limits", "latin1");
    return Number(/^Max open files\s+(\d+)/m.exec(limits)?.[1] ?? 0);
  } catch {
    // Not Linux: proxy-process needs /proc as well.
    return 0;
  }
}

test.skipIf(openFiles() < 10_500)(
  "10,000 connections are held, and the oldest of those that are idle makes room for the next",
  async () => {
    await using proxy = await startProxyProcess({});
    const held: RawEnd[] = [];
    while (held.length < 10_000) {
      held.push(...(await Promise.all(Array.from({ length: 200 }, () => connectRaw(proxy.port)))));
    }
    for (let count = 1; count <= 3; count++) {
      const next = await connectRaw(proxy.port);
      held.push(next);
      next.send("GET /proxy.pac HTTP/1.1\r\nHost: localhost\r\n\r\n");
      expect((await next.message()).status).toBe(200);
      await eventually("one has made room", () => held.filter(({ over }) => over).length === count);
    }
    // Those of a batch may be accepted in any order.
    expect(held.slice(200).some(({ over }) => over)).toBe(false);
    for (const end of held) end.reset();
  },
  20_000,
);
