/** 1xx answers and Expect: 100-continue. */
import { expect, test } from "bun:test";
import { turn } from "../support/turn.ts";
import { connectRaw } from "../support/raw-end.ts";
import { ok, RawServer } from "../support/raw-server.ts";
import { scene } from "../support/scene.ts";
import { startTestProxy } from "../support/test-proxy.ts";

const hints = "HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\nlink: </b.js>\r\n\r\n";

test("100, 102 and 103 come as they are, in order, each as soon as it is there", async () => {
  await using its = await scene();
  const { api, client } = its;
  client.send("GET / HTTP/1.1\r\nHost: api.localhost\r\n\r\n");
  const upstream = await api.next();
  await upstream.message();
  for (const interim of [
    "HTTP/1.1 100 Continue\r\n\r\n",
    "HTTP/1.1 102 Processing\r\n\r\n",
    hints,
  ]) {
    upstream.send(interim);
    expect((await client.message()).raw).toBe(interim);
  }
  upstream.send(ok("done"));
  expect((await client.message()).body).toBe("done");
});

test("103 and the final answer in one piece are told apart, in single octets too", async () => {
  const both = `${hints}${hints}${ok("done")}`;
  using api = new RawServer({
    answer:
      ({ start }) =>
      async (end) => {
        for (const piece of start.includes("/octets") ? both : [both]) {
          end.send(piece);
          await turn();
        }
      },
  });
  await using proxy = await startTestProxy({ services: { api } });
  using client = await connectRaw(proxy.port);
  for (const path of ["/whole", "/octets"]) {
    client.send(`GET ${path} HTTP/1.1\r\nHost: api.localhost\r\n\r\n`);
    expect((await client.message()).raw).toBe(hints);
    expect((await client.message()).raw).toBe(hints);
    expect((await client.message()).body).toBe("done");
  }
  expect(api.accepted.length).toBe(1);
});

test("a hundred interim answers are a hundred interim answers", async () => {
  await using its = await scene({ answer: () => `${hints.repeat(100)}${ok("done")}` });
  const { client } = its;
  client.send("GET / HTTP/1.1\r\nHost: api.localhost\r\n\r\n");
  for (let i = 0; i < 100; i++) expect((await client.message()).status).toBe(103);
  expect((await client.message()).body).toBe("done");
});

test("HTTP/1.0 gets no interim answer", async () => {
  await using its = await scene({ answer: () => `${hints}${ok("done")}` });
  const { client } = its;
  client.send("GET / HTTP/1.0\r\nHost: api.localhost\r\n\r\n");
  expect((await client.message()).status).toBe(200);
});

test("an interim answer has no length, no coding and nothing of its hop", async () => {
  await using its = await scene({
    answer: () =>
      `HTTP/1.1 103 Early Hints\r\nContent-Length: 3\r\nConnection: close\r\nX-A: 1\r\n\r\n${ok("done")}`,
  });
  const { client } = its;
  client.send("GET / HTTP/1.1\r\nHost: api.localhost\r\n\r\n");
  expect((await client.message()).lines).toEqual(["X-A: 1"]);
  expect((await client.message()).body).toBe("done");
});

test("Expect: 100-continue is passed on, and the body waits for the server's 100", async () => {
  await using its = await scene();
  const { api, client } = its;
  client.send(
    "POST / HTTP/1.1\r\nHost: api.localhost\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n",
  );
  const upstream = await api.next();
  expect(await upstream.until("\r\n\r\n")).toContain("Expect: 100-continue\r\n");
  upstream.send("HTTP/1.1 100 Continue\r\nX-A: 1\r\n\r\n");
  expect((await client.message()).raw).toBe("HTTP/1.1 100 Continue\r\nX-A: 1\r\n\r\n");
  client.send("hello");
  expect(await upstream.until("hello")).toBe("hello");
  upstream.send(ok("thanks"));
  expect((await client.message()).body).toBe("thanks");
  client.send("GET /next HTTP/1.1\r\nHost: api.localhost\r\n\r\n");
  expect(await upstream.until("\r\n\r\n")).toStartWith("GET /next ");
});

for (const status of ["417 Expectation Failed", "413 Content Too Large", "200 OK"]) {
  test(`a server that answers ${status} at once needs no body, and both connections end`, async () => {
    await using its = await scene();
    const { api, client } = its;
    client.send(
      "POST / HTTP/1.1\r\nHost: api.localhost\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n",
    );
    const upstream = await api.next();
    await upstream.until("\r\n\r\n");
    upstream.send(ok("no").replace("200 OK", status));
    const answer = await client.message();
    expect(answer.start).toBe(`HTTP/1.1 ${status}`);
    expect(answer.one("connection")).toBe("close");
    await upstream.rest();
    expect(await client.rest()).toBe("");
  });
}

test("a client that expects 100 and sends its body all the same has it delivered", async () => {
  await using its = await scene({ answer: ({ body }) => ok(body.toString()) });
  const { client } = its;
  client.send(
    "POST / HTTP/1.1\r\nHost: api.localhost\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\nhello",
  );
  expect((await client.message()).body).toBe("hello");
});

test("our own answers say no 100 first", async () => {
  await using proxy = await startTestProxy();
  using client = await connectRaw(proxy.port);
  client.send(
    "POST / HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n",
  );
  expect((await client.message()).status).toBe(405);
});

test("an upstream that only ever says 1xx and closes is 502", async () => {
  using api = new RawServer({
    answer: () => (end) => {
      end.send(hints).finish();
    },
  });
  await using proxy = await startTestProxy({ services: { api } });
  using client = await connectRaw(proxy.port);
  client.send("GET / HTTP/1.1\r\nHost: api.localhost\r\n\r\n");
  expect((await client.message()).status).toBe(103);
  expect((await client.message()).status).toBe(502);
});
