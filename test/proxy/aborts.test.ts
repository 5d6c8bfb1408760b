/** One side that breaks off: what the other sees, and that nobody else notices. */
import { expect, test } from "bun:test";
import { FakeClock } from "../support/fake-clock.ts";
import { turn } from "../support/turn.ts";
import { connectRaw, type RawEnd } from "../support/raw-end.ts";
import { ok, RawServer } from "../support/raw-server.ts";
import { scene } from "../support/scene.ts";
import { startTestProxy } from "../support/test-proxy.ts";

const request = "GET / HTTP/1.1\r\nHost: api.localhost\r\n\r\n";

/** A server that ends before a word of its answer is asked whether it speaks TLS, and then whether HTTP/2. */
async function speaksHttp1(api: RawServer): Promise<void> {
  for (const first of ["\x16", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"]) {
    const asked = await api.next();
    expect(await asked.until(first)).toBe(first);
    asked.send("HTTP/1.1 400 Bad Request\r\n\r\n").end();
  }
}

const endings: Record<string, (end: RawEnd) => void> = {
  FIN: (end) => end.finish(),
  RST: (end) => end.reset(),
};

for (const [how, leave] of Object.entries({ ...endings, close: (end: RawEnd) => end.close() })) {
  test(`a client that leaves in the middle of its body (${how}) ends its upstream's request, never as a whole one`, async () => {
    using api = new RawServer();
    await using proxy = await startTestProxy({ services: { api } });
    for (const framing of ["Content-Length: 100", "Transfer-Encoding: chunked"]) {
      using client = await connectRaw(proxy.port);
      client.send(`POST / HTTP/1.1\r\nHost: api.localhost\r\n${framing}\r\n\r\n5\r\nhello\r\n`);
      const upstream = await api.next();
      await upstream.until("hello\r\n");
      leave(client);
      await upstream.gone();
      expect(upstream.received.length).toBe(0);
    }
  });
}

for (const how of ["reset", "close"] as const) {
  test(`a client that leaves in the middle of an answer (${how}) ends its upstream's work`, async () => {
    await using its = await scene();
    const { api, client } = its;
    client.send(request);
    const upstream = await api.next();
    await upstream.message();
    upstream.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n");
    await client.until("hello\r\n");
    client[how]();
    // Whoever closed is found out by the next piece that is written to it.
    while (!upstream.closed) {
      upstream.send("1\r\nx\r\n");
      await turn();
    }
  });
}

test("a client that resets while it waits for an answer closes its upstream's request", async () => {
  await using its = await scene();
  const { api, client } = its;
  client.send(request);
  const upstream = await api.next();
  await upstream.message();
  client.reset();
  await upstream.gone();
});

test("a client that resets while its pipelined next request is held closes its upstream's request", async () => {
  await using its = await scene();
  const { api, client } = its;
  client.send(request + request);
  const upstream = await api.next();
  await upstream.message();
  client.reset();
  await upstream.gone();
});

test("a client that resets an upload that its upstream does not read closes its upstream's request", async () => {
  await using its = await scene();
  const { api, client } = its;
  client.send("POST / HTTP/1.1\r\nHost: api.localhost\r\nContent-Length: 100000000\r\n\r\n");
  const upstream = await api.next();
  await upstream.until("\r\n\r\n");
  upstream.pause();
  client.send(Buffer.alloc(40_000_000));
  expect(client.unsent).toBeGreaterThan(0);
  client.reset();
  await turn();
  upstream.keep = false;
  upstream.resume();
  await upstream.gone();
});

test("a client that resets while the answer waits for it closes its upstream's request", async () => {
  await using its = await scene();
  const { api, client } = its;
  client.send(request);
  const upstream = await api.next();
  await upstream.message();
  client.pause();
  upstream.send("HTTP/1.1 200 OK\r\nContent-Length: 100000000\r\n\r\n");
  upstream.send(Buffer.alloc(40_000_000));
  expect(upstream.unsent).toBeGreaterThan(0);
  client.reset();
  await upstream.gone();
});

test("a client that leaves in the middle of an answer harms no pooled connection", async () => {
  const clock = new FakeClock();
  using api = new RawServer({
    answer: ({ start }) => (start.includes("/hang") ? undefined : ok(start)),
  });
  await using proxy = await startTestProxy({ services: { api }, clock });
  using other = await connectRaw(proxy.port);
  other.send(request);
  await other.message();
  clock.advance(20);
  for (let i = 0; i < 20; i++) {
    using leaver = await connectRaw(proxy.port);
    leaver.send("GET /hang HTTP/1.1\r\nHost: api.localhost\r\n\r\n");
    other.send(`GET /${i} HTTP/1.1\r\nHost: api.localhost\r\n\r\n`);
    expect((await other.message()).body).toBe(`GET /${i} HTTP/1.1`);
    leaver.reset();
    clock.advance(20);
  }
});

for (const [what, head, rest] of [
  ["a Content-Length", "Content-Length: 100\r\n", "part"],
  ["chunks and no end", "Transfer-Encoding: chunked\r\n", "4\r\npart\r\n"],
  ["half a chunk", "Transfer-Encoding: chunked\r\n", "40\r\npart"],
  [
    "chunks whose trailers have no end",
    "Transfer-Encoding: chunked\r\n",
    "4\r\npart\r\n0\r\nX-A: 1\r\n",
  ],
] as const) {
  for (const [how, leave] of Object.entries(endings)) {
    test(`an upstream that dies (${how}) within ${what} is never a short success`, async () => {
      await using its = await scene();
      const { api, client } = its;
      client.send(request);
      const upstream = await api.next();
      await upstream.message();
      upstream.send(`HTTP/1.1 200 OK\r\n${head}\r\n${rest}`);
      await client.until("part");
      leave(upstream);
      // Short framing or a reset: either way no reader takes it for complete.
      const left = await client.rest();
      expect(left).not.toContain("\r\n0\r\n\r\n");
    });
  }
}

test("an upstream that resets a body that ends with the connection is an error, not the body's end", async () => {
  await using its = await scene();
  const { api, client } = its;
  client.send(request);
  const upstream = await api.next();
  await upstream.message();
  upstream.send("HTTP/1.1 200 OK\r\n\r\npart");
  await client.until("part");
  upstream.reset();
  await client.gone();
  expect(client.broken).toBe(true);
});

for (const [what, bytes] of [
  ["garbage", "\x00\x01\x02 garbage\r\n\r\n"],
  ["a bare body", "Unauthorized"],
  ["HTTP/2", "\x00\x00\x12\x04\x00\x00\x00\x00\x00"],
  ["a status of two digits", "HTTP/1.1 20 OK\r\n\r\n"],
  ["a status below 100", "HTTP/1.1 099 OK\r\nContent-Length: 0\r\n\r\n"],
  ["a NUL in a field", "HTTP/1.1 200 OK\r\nX-A: a\0b\r\nContent-Length: 0\r\n\r\n"],
  ["a folded status line", "HTTP/1.1 200 OK\r\n b\r\nContent-Length: 0\r\n\r\n"],
  ["a bare CR", "HTTP/1.1 200 OK\r\nX-A: a\rb\r\nContent-Length: 0\r\n\r\n"],
  ["CR for line ends", "HTTP/1.1 200 OK\rContent-Length: 0\r\r"],
  ["an endless head", `HTTP/1.1 200 OK\r\nX-A: ${"x".repeat(70_000)}`],
] as const) {
  test(`an upstream that answers ${what} is 502, which says who it was`, async () => {
    await using its = await scene();
    const { api, client } = its;
    client.send(request);
    const upstream = await api.next();
    await upstream.message();
    upstream.send(bytes).finish();
    // Asked for HTTP/2, this one does not speak it either.
    if (what === "HTTP/2") (await api.next()).end();
    const answer = await client.message();
    expect(answer.status).toBe(502);
    expect(answer.body).toContain(`127.0.0.1:${api.port}`);
  });
}

for (const [how, leave] of Object.entries(endings)) {
  for (const begun of ["", "HTTP/1.1 200 OK\r\nContent-"]) {
    test(`an upstream that closes (${how}) after ${begun.length} octets of answer is 502`, async () => {
      await using its = await scene();
      const { api, client } = its;
      client.send(request);
      const upstream = await api.next();
      await upstream.message();
      if (begun !== "") upstream.send(begun);
      await upstream.sent();
      leave(upstream);
      if (begun === "") await speaksHttp1(api);
      expect((await client.message()).status).toBe(502);
    });
  }
}

test("an upstream that closes without reading the upload is 502, or its answer if it gave one", async () => {
  await using its = await scene();
  const { api, client } = its;
  client.send("POST / HTTP/1.1\r\nHost: api.localhost\r\nContent-Length: 1000000\r\n\r\n");
  const upstream = await api.next();
  await upstream.until("\r\n\r\n");
  client.send(Buffer.alloc(1_000));
  upstream.reset();
  await speaksHttp1(api);
  expect((await client.message()).status).toBe(502);
});

test("one bad connection of each kind ends only itself", async () => {
  using api = new RawServer({ answer: ({ start }) => ok(start) });
  await using proxy = await startTestProxy({ services: { api } });
  using good = await connectRaw(proxy.port);
  const bad = [
    "\x16\x03\x01\x02\x00\x01\x00",
    "\x00\x00\x00\x00",
    "\xff".repeat(100_000),
    "GET / HTTP/1.1\r\nHost: api.localhost\r\nHost: b\r\n\r\n",
    "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "POST / HTTP/1.1\r\nHost: api.localhost\r\nTransfer-Encoding: chunked\r\n\r\nzzz",
    "CONNECT api:80 HTTP/1.1\r\nHost: api\r\n\r\n\0\0\0",
    "CONNECT nobody:80 HTTP/1.1\r\nHost: nobody\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: [::\r\n\r\n",
    `GET /${"x".repeat(70_000)} HTTP/1.1\r\n`,
    "\r\n".repeat(40_000),
  ];
  for (const bytes of bad) {
    using one = await connectRaw(proxy.port);
    one.send(bytes);
    good.send(request);
    expect((await good.message()).status).toBe(200);
    one.reset();
    good.send(request);
    expect((await good.message()).status).toBe(200);
  }
});
