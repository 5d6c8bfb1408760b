/** A service that is no longer where it was found: found again within the same request. */
import { expect, test } from "bun:test";
import { routeTable } from "../../src/routes/table.ts";
import { FakeClock } from "../support/fake-clock.ts";
import { connectRaw } from "../support/raw-end.ts";
import { ok, RawServer } from "../support/raw-server.ts";
import { startTestProxy, testService } from "../support/test-proxy.ts";

const request = "GET / HTTP/1.1\r\nHost: api.localhost\r\n\r\n";

/** A port that refuses. */
function closedPort(): number {
  const server = new RawServer();
  server[Symbol.dispose]();
  return server.port;
}

for (const [what, text] of [
  ["a GET", request],
  ["a POST", "POST / HTTP/1.1\r\nHost: api.localhost\r\nContent-Length: 2\r\n\r\nhi"],
  [
    "chunks",
    "POST / HTTP/1.1\r\nHost: api.localhost\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n",
  ],
  ["an absolute URI", "GET http://api/ HTTP/1.1\r\nHost: api\r\n\r\n"],
] as const) {
  test(`${what} for a service whose port moved is answered by it where it is now`, async () => {
    using api = new RawServer({ answer: ({ body }) => ok(`here ${body}`) });
    let looks = 0;
    await using proxy = await startTestProxy({
      services: { api: { port: closedPort() } },
      refresh: async () => {
        looks++;
        proxy.setServices({ api });
      },
    });
    using client = await connectRaw(proxy.port);
    client.send(text);
    expect((await client.message()).body).toStartWith("here");
    expect(looks).toBe(1);
    if (what === "an absolute URI")
      expect(api.requests[0]!.one("host")).toBe(`api.localhost:${proxy.port}`);
  });
}

test("CONNECT to a service whose port moved reaches it where it is now, and 200 is said once", async () => {
  using api = new RawServer();
  await using proxy = await startTestProxy({
    services: { api: { port: closedPort() } },
    refresh: async () => {
      proxy.setServices({ api });
    },
  });
  using client = await connectRaw(proxy.port);
  client.send("CONNECT api:80 HTTP/1.1\r\nHost: api:80\r\n\r\n\x01x");
  await (await api.next()).bytes(2);
  expect(await client.until("\r\n\r\n")).toBe("HTTP/1.1 200 Connection Established\r\n\r\n");
  expect(client.received.length).toBe(0);
});

test("a service that is nowhere any more is 404 behind the look", async () => {
  await using proxy = await startTestProxy({
    services: { api: { port: closedPort() } },
    refresh: async () => {
      proxy.setServices({});
    },
  });
  using client = await connectRaw(proxy.port);
  client.send(request);
  expect((await client.message()).status).toBe(404);
});

test("a bare name that is nowhere any more is closed without a byte", async () => {
  await using proxy = await startTestProxy({
    services: { api: { port: closedPort() } },
    refresh: async () => {
      proxy.setServices({});
    },
  });
  using client = await connectRaw(proxy.port);
  client.send("GET http://api/ HTTP/1.1\r\nHost: api\r\n\r\n");
  expect(await client.rest()).toBe("");
});

test("a service that refuses where it is still said to be is 502, after one look", async () => {
  let looks = 0;
  const port = closedPort();
  await using proxy = await startTestProxy({
    services: { api: { port } },
    refresh: async () => {
      looks++;
    },
  });
  using client = await connectRaw(proxy.port);
  client.send(request);
  const answer = await client.message();
  expect(answer.status).toBe(502);
  const text = answer.body;
  expect(text).toContain(`127.0.0.1:${port}`);
  expect(text).toContain(`pid ${process.pid}`);
  expect(text).toContain("serve api");
  expect(looks).toBe(1);
});

test("a service that moves at every look does not hold its request for ever", async () => {
  let looks = 0;
  await using proxy = await startTestProxy({
    services: { api: { port: closedPort() } },
    refresh: async () => {
      looks++;
      proxy.setServices({ api: { port: closedPort() } });
    },
  });
  using client = await connectRaw(proxy.port);
  client.send(request);
  expect((await client.message()).status).toBe(502);
  expect(looks).toBeLessThanOrEqual(2);
});

test("a process that is gone is not asked, although somebody else took its port", async () => {
  using stranger = new RawServer({ answer: () => ok("stranger") });
  using api = new RawServer({ answer: () => ok("api") });
  let moved = false;
  await using proxy = await startTestProxy({
    services: { api: stranger },
    stillThere: () => moved,
    refresh: async () => {
      moved = true;
      proxy.setServices({ api });
    },
  });
  using client = await connectRaw(proxy.port);
  client.send(request);
  expect((await client.message()).body).toBe("api");
  expect(stranger.accepted.length).toBe(0);
});

test("a server that restarted on another port while its connection was pooled is found again", async () => {
  const clock = new FakeClock();
  using old = new RawServer({ answer: () => ok("old") });
  using fresh = new RawServer({ answer: () => ok("fresh") });
  await using proxy = await startTestProxy({
    services: { api: old },
    clock,
    refresh: async () => {
      proxy.setServices({ api: fresh });
    },
  });
  using client = await connectRaw(proxy.port);
  client.send(request);
  expect((await client.message()).body).toBe("old");
  old.unlisten();
  old.accepted[0]!.finish();
  await old.accepted[0]!.gone();
  client.send(request);
  expect((await client.message()).body).toBe("fresh");
});

test("a server that dies under a pooled GET and comes back on another port answers it from there", async () => {
  let asked = 0;
  using old = new RawServer({
    answer: () => (end) => {
      if (asked++ === 0) {
        end.send(ok("old"));
        return;
      }
      old.unlisten();
      end.reset();
    },
  });
  using fresh = new RawServer({ answer: () => ok("fresh") });
  await using proxy = await startTestProxy({
    services: { api: old },
    refresh: async () => {
      proxy.setServices({ api: fresh });
    },
  });
  using client = await connectRaw(proxy.port);
  client.send(request);
  await client.message();
  client.send(request);
  expect((await client.message()).body).toBe("fresh");
});

test("the second of two addresses is dialled where the first refuses", async () => {
  using six = new RawServer({ address: "::1", answer: () => ok("six") });
  const service = testService("api", { port: six.port });
  const both = {
    ...service,
    endpoint: { address: "::", port: six.port, dial: ["127.0.0.1", "::1"] },
  };
  const table = routeTable([both]);
  await using proxy = await startTestProxy({ routes: () => table });
  using client = await connectRaw(proxy.port);
  client.send(request);
  expect((await client.message()).body).toBe("six");
});
