/** Upstream connections: used again where that is safe, and only there. */
import { expect, test } from "bun:test";
import { FakeClock } from "../support/fake-clock.ts";
import { connectRaw, type RawEnd } from "../support/raw-end.ts";
import { ok, RawServer } from "../support/raw-server.ts";
import { scene } from "../support/scene.ts";
import { startTestProxy } from "../support/test-proxy.ts";

function get(path: string, name = "api"): string {
  return `GET ${path} HTTP/1.1\r\nHost: ${name}.localhost\r\n\r\n`;
}

test("clients one after another share one upstream connection", async () => {
  const clock = new FakeClock();
  using api = new RawServer({ answer: ({ start }) => ok(start) });
  await using proxy = await startTestProxy({ services: { api }, clock });
  for (let i = 0; i < 20; i++) {
    using client = await connectRaw(proxy.port);
    client.send(get(`/${i}`));
    expect((await client.message()).body).toBe(`GET /${i} HTTP/1.1`);
    clock.advance(10);
  }
  expect(api.accepted.length).toBe(1);
});

test("another client gets a connection only after it was silent for 10 ms, its own client at once", async () => {
  const clock = new FakeClock();
  using api = new RawServer({ answer: () => ok() });
  await using proxy = await startTestProxy({ services: { api }, clock });
  using one = await connectRaw(proxy.port);
  using two = await connectRaw(proxy.port);
  one.send(get("/"));
  await one.message();
  one.send(get("/"));
  await one.message();
  expect(api.accepted.length).toBe(1);
  clock.advance(9);
  two.send(get("/"));
  await two.message();
  expect(api.accepted.length).toBe(2);
});

for (const [what, answer] of [
  ["says close", ok("hi", ["Connection: close"])],
  ["says close among others", ok("hi", ["Connection: X-A, CLOSE"])],
  ["is HTTP/1.0", ok("hi").replace("HTTP/1.1", "HTTP/1.0")],
  ["has bytes behind it", `${ok("hi")}HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil`],
  ["has a line end behind it", `${ok("hi")}\r\n`],
  ["has a body although it is 304", `HTTP/1.1 304 Not Modified\r\nContent-Length: 4\r\n\r\nevil`],
  ["has a body although it is 204", `HTTP/1.1 204 No Content\r\n\r\nevil`],
] as const) {
  test(`a connection whose answer ${what} is never used again, and its client sees the answer only`, async () => {
    await using its = await scene({ answer: () => answer });
    const { api, client, clock } = its;
    for (let i = 1; i <= 3; i++) {
      client.send(get(`/${i}`));
      expect((await client.message()).body).toBe(answer.includes("\r\n\r\nhi") ? "hi" : "");
      expect(api.accepted.length).toBe(i);
      clock.advance(20);
    }
    expect(client.received.length).toBe(0);
  });
}

test("a connection that speaks while it is idle is closed, and nobody sees what it said", async () => {
  await using its = await scene({ answer: () => ok("hi") });
  const { api, client, clock } = its;
  client.send(get("/1"));
  await client.message();
  api.accepted[0]!.send("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil");
  await api.accepted[0]!.gone();
  clock.advance(20);
  client.send(get("/2"));
  expect((await client.message()).body).toBe("hi");
  expect(api.accepted.length).toBe(2);
});

test("a server caught answering twice has no connection shared between clients any more", async () => {
  const clock = new FakeClock();
  using api = new RawServer({ answer: () => ok("hi") });
  await using proxy = await startTestProxy({ services: { api }, clock });
  using one = await connectRaw(proxy.port);
  one.send(get("/1"));
  await one.message();
  api.accepted[0]!.send("stray");
  await api.accepted[0]!.gone();
  one.send(get("/2"));
  await one.message();
  clock.advance(20);
  using two = await connectRaw(proxy.port);
  two.send(get("/3"));
  await two.message();
  expect(api.accepted.length).toBe(3);
});

test.each<[how: string, act: (end: RawEnd) => void]>([
  ["spoke", (end) => end.send("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil")],
  ["closed", (end) => end.finish()],
  ["broke off", (end) => end.reset()],
])(
  "a request that comes just before the news that the server %s on it takes no idle connection",
  async (_, act) => {
    const clock = new FakeClock();
    using api = new RawServer({ answer: () => ok("hi") });
    await using proxy = await startTestProxy({ services: { api }, clock });
    using one = await connectRaw(proxy.port);
    one.send(get("/1"));
    await one.message();
    clock.advance(20);
    using two = await connectRaw(proxy.port);
    // In one turn of the event loop, and in this order: the proxy reads the request first.
    two.send("POST / HTTP/1.1\r\nHost: api.localhost\r\nContent-Length: 2\r\n\r\nhi");
    act(api.accepted[0]!);
    const message = await two.message();
    expect([message.status, message.body]).toEqual([200, "hi"]);
    expect(api.accepted.length).toBe(2);
  },
);

test("a connection that the server closed while it was idle is not used", async () => {
  await using its = await scene({ answer: () => ok("hi") });
  const { api, client } = its;
  for (const how of ["finish", "reset"] as const) {
    client.send(get("/"));
    await client.message();
    const upstream = api.accepted.at(-1)!;
    upstream[how]();
    await upstream.gone();
    client.send("POST / HTTP/1.1\r\nHost: api.localhost\r\nContent-Length: 2\r\n\r\nhi");
    expect((await client.message()).status).toBe(200);
  }
});

/** Answers the first request of every connection, and breaks the connection off at the second. */
function dyingServer(how: "finish" | "reset") {
  const seen = new Set<unknown>();
  return new RawServer({
    answer: ({ start }, end) => {
      if (!seen.has(end)) {
        seen.add(end);
        return ok(start);
      }
      end[how]();
      return undefined;
    },
  });
}

for (const how of ["finish", "reset"] as const) {
  for (const method of ["GET", "HEAD", "PUT", "DELETE", "OPTIONS"]) {
    test(`a ${method} that finds its pooled connection dead (${how}) is asked once more on a fresh one`, async () => {
      using api = dyingServer(how);
      await using proxy = await startTestProxy({ services: { api } });
      using client = await connectRaw(proxy.port);
      client.send(get("/first"));
      await client.message();
      client.send(
        `${method} /second HTTP/1.1\r\nHost: api.localhost\r\nContent-Length: 4\r\n\r\nbody`,
      );
      expect((await client.message({ head: method === "HEAD" })).status).toBe(200);
      expect(api.requests.map(({ start }) => start)).toEqual([
        "GET /first HTTP/1.1",
        `${method} /second HTTP/1.1`,
        `${method} /second HTTP/1.1`,
      ]);
      expect(api.requests[2]!.raw).toEqual(api.requests[1]!.raw);
    });
  }

  for (const method of ["POST", "PATCH", "PROPPATCH", "get"]) {
    test(`a ${method} that finds its pooled connection dead (${how}) is 502 and is asked once only`, async () => {
      using api = dyingServer(how);
      await using proxy = await startTestProxy({ services: { api } });
      using client = await connectRaw(proxy.port);
      client.send(get("/first"));
      await client.message();
      client.send(
        `${method} /second HTTP/1.1\r\nHost: api.localhost\r\nContent-Length: 4\r\n\r\nbody`,
      );
      expect((await client.message()).status).toBe(502);
      expect(api.requests.length).toBe(2);
    });
  }
}

test("a PUT in chunks with trailers is asked once more octet for octet", async () => {
  using api = dyingServer("finish");
  await using proxy = await startTestProxy({ services: { api } });
  using client = await connectRaw(proxy.port);
  client.send(get("/first"));
  await client.message();
  client.send(
    "PUT /second HTTP/1.1\r\nHost: api.localhost\r\nTransfer-Encoding: chunked\r\n\r\n4;a=1\r\nbody\r\n0\r\nX-Sum: 1\r\nContent-Length: 9\r\n\r\n",
  );
  expect((await client.message()).status).toBe(200);
  expect(api.requests[2]!.raw).toEqual(api.requests[1]!.raw);
  expect(api.requests[2]!.trailerLines).toEqual(["X-Sum: 1"]);
});

test("a GET whose second try dies too is 502 after two tries", async () => {
  let served = 0;
  using api = new RawServer({
    answer: (_, end) => {
      if (served++ === 0) return ok();
      end.reset();
      return undefined;
    },
  });
  await using proxy = await startTestProxy({ services: { api } });
  using client = await connectRaw(proxy.port);
  client.send(get("/first"));
  await client.message();
  client.send(get("/second"));
  expect((await client.message()).status).toBe(502);
  expect(api.requests.length).toBe(3);
});

test("a GET that dies on a fresh connection is 502 after one try", async () => {
  using api = new RawServer({
    answer: (_, end) => {
      end.reset();
      return undefined;
    },
  });
  await using proxy = await startTestProxy({ services: { api } });
  using client = await connectRaw(proxy.port);
  client.send(get("/"));
  expect((await client.message()).status).toBe(502);
  expect(api.requests.length).toBe(1);
});

test("a GET whose answer has begun is not asked again", async () => {
  let served = 0;
  using api = new RawServer({
    answer: () => (end) => {
      if (served++ === 0) end.send(ok());
      else end.send("HTTP/1.1 2").finish();
    },
  });
  await using proxy = await startTestProxy({ services: { api } });
  using client = await connectRaw(proxy.port);
  client.send(get("/first"));
  await client.message();
  client.send(get("/second"));
  expect((await client.message()).status).toBe(502);
  expect(api.requests.length).toBe(2);
});

test("a GET that is asked again while the client has pipelined more keeps the order", async () => {
  using api = dyingServer("reset");
  await using proxy = await startTestProxy({ services: { api } });
  using client = await connectRaw(proxy.port);
  client.send(get("/1"));
  await client.message();
  client.send(get("/2") + get("/3") + get("/4"));
  for (const path of ["/2", "/3", "/4"]) {
    expect((await client.message()).body).toBe(`GET ${path} HTTP/1.1`);
  }
});

test("an idle connection is let go of after 4 s, before servers do it at 5 s", async () => {
  await using its = await scene({ answer: () => ok() });
  const { api, client, clock } = its;
  client.send(get("/"));
  await client.message();
  clock.advance(5_000);
  expect(await api.accepted[0]!.rest()).toBe("");
});

test("a POST takes no connection that was idle for a second, a GET does", async () => {
  await using its = await scene({ answer: () => ok() });
  const { api, client, clock } = its;
  const post = "POST / HTTP/1.1\r\nHost: api.localhost\r\nContent-Length: 0\r\n\r\n";
  client.send(get("/"));
  await client.message();
  clock.advance(1_500);
  client.send(get("/"));
  await client.message();
  expect(api.accepted.length).toBe(1);
  clock.advance(1_500);
  client.send(post);
  await client.message();
  expect(api.accepted.length).toBe(2);
  clock.advance(500);
  client.send(post);
  await client.message();
  expect(api.accepted.length).toBe(2);
});

test("a server on ::1 only is reached", async () => {
  await using its = await scene({ address: "::1", answer: () => ok("six") });
  const { client } = its;
  client.send(get("/"));
  expect((await client.message()).body).toBe("six");
});

test("two servers on one port number in different families are two servers, in the pool too", async () => {
  const clock = new FakeClock();
  using four = new RawServer({ answer: () => ok("four") });
  using six = new RawServer({ address: "::1", port: four.port, answer: () => ok("six") });
  await using proxy = await startTestProxy({ services: { four, six }, clock });
  using client = await connectRaw(proxy.port);
  for (let round = 0; round < 3; round++) {
    for (const name of ["four", "six"]) {
      client.send(get("/", name));
      expect((await client.message()).body).toBe(name);
    }
    clock.advance(20);
  }
  expect([four.accepted.length, six.accepted.length]).toEqual([1, 1]);
});

test("a name that moved to another server takes no connection of the one before", async () => {
  const clock = new FakeClock();
  using old = new RawServer({ answer: () => ok("old") });
  using fresh = new RawServer({ answer: () => ok("fresh") });
  await using proxy = await startTestProxy({ services: { api: old }, clock });
  using client = await connectRaw(proxy.port);
  client.send(get("/"));
  expect((await client.message()).body).toBe("old");
  proxy.setServices({ api: fresh });
  clock.advance(20);
  client.send(get("/"));
  expect((await client.message()).body).toBe("fresh");
});

test("two names of one server share its connections", async () => {
  using api = new RawServer({ answer: () => ok() });
  await using proxy = await startTestProxy({ services: { api, web: api } });
  using client = await connectRaw(proxy.port);
  client.send(get("/"));
  await client.message();
  client.send(get("/", "web"));
  await client.message();
  expect(api.accepted.length).toBe(1);
});

test("a hundred answers at once leave connections that the next hundred use", async () => {
  const clock = new FakeClock();
  using api = new RawServer({ answer: () => ok() });
  await using proxy = await startTestProxy({ services: { api }, clock });
  for (let round = 0; round < 3; round++) {
    const clients = await Promise.all(Array.from({ length: 100 }, () => connectRaw(proxy.port)));
    for (const client of clients) client.send(get("/"));
    await Promise.all(clients.map((client) => client.message()));
    for (const client of clients) client.close();
    clock.advance(20);
  }
  expect(api.accepted.length).toBe(100);
});
