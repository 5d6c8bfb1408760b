/** HTTP/1.0 on either side. */
import { expect, test } from "bun:test";
import { turn } from "../support/turn.ts";
import { connectRaw } from "../support/raw-end.ts";
import { ok, RawServer } from "../support/raw-server.ts";
import { scene } from "../support/scene.ts";
import { startTestProxy } from "../support/test-proxy.ts";

test("an HTTP/1.0 client is answered and its connection ends", async () => {
  await using its = await scene({ answer: () => ok("hi") });
  const { api, client } = its;
  client.send("GET / HTTP/1.0\r\nHost: api.localhost\r\n\r\n");
  const answer = await client.message();
  expect(answer.body).toBe("hi");
  expect(await client.rest()).toBe("");
  expect(api.requests[0]!.start).toBe("GET / HTTP/1.1");
});

test("an HTTP/1.0 client that asks for keep-alive gets it, and is told", async () => {
  await using its = await scene({ answer: ({ start }) => ok(start) });
  const { api, client } = its;
  for (let i = 0; i < 3; i++) {
    client.send(`GET /${i} HTTP/1.0\r\nHost: api.localhost\r\nConnection: Keep-Alive\r\n\r\n`);
    const answer = await client.message();
    expect(answer.body).toBe(`GET /${i} HTTP/1.1`);
    expect(answer.one("connection")?.toLowerCase()).toBe("keep-alive");
  }
  expect(api.requests[0]!.one("connection")).toBeUndefined();
});

test("chunks of the upstream are taken apart for an HTTP/1.0 client, which learns the end by the close", async () => {
  using api = new RawServer({
    answer: () => async (end) => {
      const answer =
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n5;a=1\r\nhello\r\n1\r\n!\r\n0\r\nX-Sum: 1\r\n\r\n";
      for (const octet of answer) {
        end.send(octet);
        await turn();
      }
    },
  });
  await using proxy = await startTestProxy({ services: { api } });
  for (const connection of ["", "Connection: keep-alive\r\n"]) {
    using client = await connectRaw(proxy.port);
    client.send(`GET / HTTP/1.0\r\nHost: api.localhost\r\n${connection}\r\n`);
    const answer = await client.message();
    expect(answer.one("transfer-encoding")).toBeUndefined();
    expect(answer.one("connection")).toBe("close");
    expect(answer.body).toBe("hello!");
    expect(client.broken).toBe(false);
  }
});

test("an upstream that dies within chunks that are taken apart is an error for the HTTP/1.0 client", async () => {
  using api = new RawServer({
    answer: () => (end) => {
      end.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n").finish();
    },
  });
  await using proxy = await startTestProxy({ services: { api } });
  using client = await connectRaw(proxy.port);
  client.send("GET / HTTP/1.0\r\nHost: api.localhost\r\n\r\n");
  await client.gone();
  expect(client.broken).toBe(true);
});

test("HEAD by HTTP/1.0 of something chunked leaves the connection in step", async () => {
  await using its = await scene({
    answer: () => "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
  });
  const { client } = its;
  client.send("HEAD / HTTP/1.0\r\nHost: api.localhost\r\n\r\n");
  const answer = await client.message({ head: true });
  expect(answer.status).toBe(200);
  expect(await client.rest()).toBe("");
});

test("an HTTP/1.0 absolute URI without Host reaches its service, which gets a Host", async () => {
  using api = new RawServer({ answer: () => ok() });
  await using proxy = await startTestProxy({ services: { api } });
  for (const [target, host] of [
    ["http://api/x", `api.localhost:${proxy.port}`],
    ["http://api.localhost:9090/x", "api.localhost:9090"],
  ] as const) {
    using client = await connectRaw(proxy.port);
    client.send(`GET ${target} HTTP/1.0\r\n\r\n`);
    expect((await client.message()).status).toBe(200);
    expect(api.requests.at(-1)!.one("host")).toBe(host);
  }
});

test("an HTTP/1.0 path without Host is 400, as nobody can tell for whom it is", async () => {
  await using its = await scene({ answer: () => ok() });
  const { client } = its;
  client.send("GET / HTTP/1.0\r\n\r\n");
  expect((await client.message()).status).toBe(400);
});

test("an HTTP/1.0 request with a Transfer-Encoding is 400", async () => {
  await using its = await scene({ answer: () => ok() });
  const { api, client } = its;
  client.send(
    "POST / HTTP/1.0\r\nHost: api.localhost\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
  );
  expect((await client.message()).status).toBe(400);
  expect(api.accepted.length).toBe(0);
});

test("HTTP/0.9 is 400, HTTP/2.0 is 505, HTTP/1.2 is spoken to as 1.1", async () => {
  using api = new RawServer({ answer: () => ok() });
  await using proxy = await startTestProxy({ services: { api } });
  for (const [line, status] of [
    ["GET /", 400],
    ["GET / HTTP/2.0", 505],
    ["GET / HTTP/1.2", 200],
    ["GET / HTTP/1", 400],
    ["GET / http/1.1", 400],
    ["GET / HTTP/1.1 ", 400],
  ] as const) {
    using client = await connectRaw(proxy.port);
    client.send(`${line}\r\nHost: api.localhost\r\n\r\n`);
    const answer = await client.message();
    expect(`${line}: ${answer.status}`).toBe(`${line}: ${status}`);
    expect(answer.start).toStartWith("HTTP/1.1 ");
  }
});

test("an HTTP/1.0 upstream's answer with a length is an HTTP/1.1 answer, its connection used once", async () => {
  await using its = await scene({
    answer: () => "HTTP/1.0 200 OK\r\nServer: SimpleHTTP/0.6\r\nContent-Length: 2\r\n\r\nhi",
  });
  const { api, client } = its;
  for (let i = 1; i <= 2; i++) {
    client.send("GET / HTTP/1.1\r\nHost: api.localhost\r\n\r\n");
    const answer = await client.message();
    expect(answer.start).toBe("HTTP/1.1 200 OK");
    expect(answer.body).toBe("hi");
    expect(api.accepted.length).toBe(i);
  }
});

test("an HTTP/1.0 upstream's answer without a length ends with its connection", async () => {
  using api = new RawServer({
    answer: () => (end) => {
      end.send("HTTP/1.0 200 OK\r\n\r\nall of it").finish();
    },
  });
  await using proxy = await startTestProxy({ services: { api } });
  using client = await connectRaw(proxy.port);
  client.send("GET / HTTP/1.1\r\nHost: api.localhost\r\n\r\n");
  const answer = await client.message();
  expect(answer.body).toBe("all of it");
  expect(client.broken).toBe(false);
});

test("an HTTP/1.0 upstream that keeps alive is kept alive", async () => {
  await using its = await scene({
    answer: () => "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\nhi",
  });
  const { api, client } = its;
  for (let i = 0; i < 3; i++) {
    client.send("GET / HTTP/1.1\r\nHost: api.localhost\r\n\r\n");
    const answer = await client.message();
    expect(answer.one("connection")).toBeUndefined();
  }
  expect(api.accepted.length).toBe(1);
});
