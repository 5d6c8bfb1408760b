/** One client connection, many requests: in order, each by itself, for as long as both want. */
import { expect, test } from "bun:test";
import { connectRaw } from "../support/raw-end.ts";
import { ok, RawServer } from "../support/raw-server.ts";
import { scene } from "../support/scene.ts";
import { startTestProxy } from "../support/test-proxy.ts";

function get(path: string, name = "api"): string {
  return `GET ${path} HTTP/1.1\r\nHost: ${name}.localhost\r\n\r\n`;
}

test("a hundred requests one after another take one connection each side", async () => {
  await using its = await scene({ answer: ({ start }) => ok(start) });
  const { api, client } = its;
  for (let i = 0; i < 100; i++) {
    client.send(get(`/${i}`));
    expect((await client.message()).body).toBe(`GET /${i} HTTP/1.1`);
  }
  expect(api.accepted.length).toBe(1);
});

test("a hundred requests in one piece are answered in order", async () => {
  await using its = await scene({ answer: ({ start }) => ok(start) });
  const { client } = its;
  client.send(Array.from({ length: 100 }, (_, i) => get(`/${i}`)).join(""));
  for (let i = 0; i < 100; i++) {
    expect((await client.message()).body).toBe(`GET /${i} HTTP/1.1`);
  }
});

test("pipelined requests to several services are answered in order, although the first answer is slow", async () => {
  const { promise: slow, resolve: release } = Promise.withResolvers<void>();
  const answers = (who: string) =>
    new RawServer({
      answer: async ({ start }) => {
        if (start.includes("/slow")) await slow;
        if (start.startsWith("HEAD")) return "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n";
        return ok(`${who} ${start}`);
      },
    });
  using api = answers("api");
  using web = answers("web");
  await using proxy = await startTestProxy({ services: { api, web } });
  using client = await connectRaw(proxy.port);
  client.send(
    `${get("/slow")}${get("/2", "web")}HEAD /3 HTTP/1.1\r\nHost: web.localhost\r\n\r\n` +
      `POST /4 HTTP/1.1\r\nHost: api.localhost\r\nContent-Length: 4\r\n\r\nbody${get("/5", "web")}` +
      "GET /proxy.pac HTTP/1.1\r\nHost: localhost\r\n\r\n",
  );
  await api.next();
  expect(client.total).toBe(0);
  release();
  expect((await client.message()).body).toBe("api GET /slow HTTP/1.1");
  expect((await client.message()).body).toBe("web GET /2 HTTP/1.1");
  expect((await client.message({ head: true })).one("content-length")).toBe("9");
  expect((await client.message()).body).toBe("api POST /4 HTTP/1.1");
  expect((await client.message()).body).toBe("web GET /5 HTTP/1.1");
  expect((await client.message()).one("content-type")).toBe("application/x-ns-proxy-autoconfig");
});

test("a pipelined request waits until the answer before it is complete", async () => {
  using api = new RawServer();
  using web = new RawServer({ answer: () => ok("web") });
  await using proxy = await startTestProxy({ services: { api, web } });
  using client = await connectRaw(proxy.port);
  client.send(get("/1") + get("/2", "web"));
  const upstream = await api.next();
  await upstream.message();
  upstream.send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nfirst");
  await client.until("first");
  expect(web.accepted.length).toBe(0);
  upstream.send(" half");
  await client.until(" half");
  expect((await client.message()).body).toBe("web");
});

test("a refused request ends the connection, and requests behind it reach nobody", async () => {
  await using its = await scene({ answer: ({ start }) => ok(start) });
  const { api, client } = its;
  client.send(`${get("/1")}GET /2 HTTP/1.1\r\nHost : api.localhost\r\n\r\n${get("/3")}`);
  expect((await client.message()).status).toBe(200);
  expect((await client.message()).status).toBe(400);
  expect(await client.rest()).toBe("");
  expect(api.requests.length).toBe(1);
});

test("Connection: close ends the connection behind the answer, and requests behind it reach nobody", async () => {
  await using its = await scene({ answer: ({ start }) => ok(start) });
  const { api, client } = its;
  client.send(
    `GET /1 HTTP/1.1\r\nHost: api.localhost\r\nConnection: foo, Close\r\n\r\n${get("/2")}`,
  );
  const answer = await client.message();
  expect(answer.one("connection")).toBe("close");
  expect(await client.rest()).toBe("");
  expect(client.broken).toBe(false);
  expect(api.requests.length).toBe(1);
});

test("an upstream that closes behind its answer does not close the client's connection", async () => {
  using api = new RawServer({
    answer: () => (end) => {
      end.send(ok("one", ["Connection: close"])).finish();
    },
  });
  await using proxy = await startTestProxy({ services: { api } });
  using client = await connectRaw(proxy.port);
  for (let i = 1; i <= 5; i++) {
    client.send(get(`/${i}`));
    const answer = await client.message();
    expect(answer.body).toBe("one");
    expect(answer.one("connection")).toBeUndefined();
    expect(api.accepted.length).toBe(i);
  }
});

test("empty lines before a request are skipped", async () => {
  await using its = await scene({ answer: ({ start }) => ok(start) });
  const { client } = its;
  client.send(`\r\n\r\n${get("/1")}`);
  expect((await client.message()).status).toBe(200);
  client.send(`\r\n${get("/2")}`);
  expect((await client.message()).body).toBe("GET /2 HTTP/1.1");
});

test("a client that stops sending behind its requests still gets every answer", async () => {
  const { promise: slow, resolve: release } = Promise.withResolvers<void>();
  using api = new RawServer({
    answer: async ({ start }) => {
      await slow;
      return ok(start);
    },
  });
  await using proxy = await startTestProxy({ services: { api } });
  using client = await connectRaw(proxy.port);
  client.send(get("/1") + get("/2") + get("/3")).finish();
  await api.next();
  release();
  for (let i = 1; i <= 3; i++) {
    expect((await client.message()).body).toBe(`GET /${i} HTTP/1.1`);
  }
  expect(await client.rest()).toBe("");
  expect(client.broken).toBe(false);
});

test("our own pages, answers of services and 404 of a page keep one connection alive together", async () => {
  await using its = await scene({ answer: () => ok("api") });
  const { client } = its;
  const own = "GET /proxy.pac HTTP/1.1\r\nHost: localhost\r\n\r\n";
  client.send(own + get("/1") + own + own + get("/2"));
  const statuses: string[] = [];
  for (let i = 0; i < 5; i++) statuses.push((await client.message()).body.slice(0, 3));
  expect([statuses[1], statuses[4]]).toEqual(["api", "api"]);
});

test("many clients at once each get their own answers", async () => {
  using api = new RawServer({ answer: ({ start }) => ok(start) });
  await using proxy = await startTestProxy({ services: { api } });
  await Promise.all(
    Array.from({ length: 100 }, async (_, who) => {
      using client = await connectRaw(proxy.port, { address: who % 2 === 0 ? "127.0.0.1" : "::1" });
      for (let i = 0; i < 10; i++) {
        client.send(get(`/${who}/${i}`));
        expect((await client.message()).body).toBe(`GET /${who}/${i} HTTP/1.1`);
      }
    }),
  );
});
