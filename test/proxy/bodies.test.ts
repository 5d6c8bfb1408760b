/** Message framing both ways: where a body ends, whatever says so. */
import { expect, test } from "bun:test";
import { turn } from "../support/turn.ts";
import { connectRaw } from "../support/raw-end.ts";
import { ok, RawServer } from "../support/raw-server.ts";
import { scene } from "../support/scene.ts";
import { startTestProxy } from "../support/test-proxy.ts";

const next = "GET /next HTTP/1.1\r\nHost: api.localhost\r\n\r\n";

/** Request bodies as they stand on the wire behind their fields. */
const bodies: Record<
  string,
  { fields: string; body: string; content: string; trailers?: string[] }
> = {
  "a Content-Length": { fields: "Content-Length: 5\r\n", body: "hello", content: "hello" },
  "a Content-Length of zero": { fields: "Content-Length: 0\r\n", body: "", content: "" },
  "a Content-Length with leading zeros": {
    fields: "Content-Length: 005\r\n",
    body: "hello",
    content: "hello",
  },
  chunks: {
    fields: "Transfer-Encoding: chunked\r\n",
    body: "5\r\nhello\r\n1\r\n!\r\n0\r\n\r\n",
    content: "hello!",
  },
  "chunks that hold what looks like an end": {
    fields: "Transfer-Encoding: chunked\r\n",
    body: "7\r\n0\r\n\r\n\r\n\r\n0\r\n\r\n",
    content: "0\r\n\r\n\r\n",
  },
  "chunks with extensions": {
    fields: "Transfer-Encoding: chunked\r\n",
    body: '5;a=1;b="x;\\"y";c\r\nhello\r\n0;last\r\n\r\n',
    content: "hello",
  },
  "chunks with trailers": {
    fields: "Transfer-Encoding: chunked\r\nTrailer: X-Sum\r\n",
    body: "5\r\nhello\r\n0\r\nX-Sum: abc\r\nx-other:  d \r\n\r\n",
    content: "hello",
    trailers: ["X-Sum: abc", "x-other:  d "],
  },
  "chunk sizes in any case, with leading zeros": {
    fields: "Transfer-Encoding: CHUNKED\r\n",
    body: `000a\r\n${"x".repeat(10)}\r\nA\r\n${"y".repeat(10)}\r\n00\r\n\r\n`,
    content: "x".repeat(10) + "y".repeat(10),
  },
  "no chunks but the last": {
    fields: "Transfer-Encoding: chunked\r\n",
    body: "0\r\n\r\n",
    content: "",
  },
};

for (const [what, { fields, body, content, trailers = [] }] of Object.entries(bodies)) {
  for (const octets of [false, true]) {
    const how = octets ? ", an octet at a time" : "";
    test(`a request with ${what}${how} ends where it ends, and the next one begins there`, async () => {
      await using its = await scene({ answer: ({ start }) => ok(start) });
      const { api, client } = its;
      const all = `POST /first HTTP/1.1\r\nHost: api.localhost\r\n${fields}\r\n${body}${next}`;
      for (const piece of octets ? all : [all]) {
        client.send(piece);
        if (octets) await turn();
      }
      expect((await client.message()).body).toBe("POST /first HTTP/1.1");
      expect((await client.message()).body).toBe("GET /next HTTP/1.1");
      const [first] = api.requests;
      expect(first!.body).toBe(content);
      expect(first!.trailerLines).toEqual(trailers);
      expect(api.requests[1]!.target).toBe("/next");
    });

    test(`an answer with ${what}${how} ends where it ends, and the next one begins there`, async () => {
      const answer = `HTTP/1.1 200 OK\r\n${fields}\r\n${body}`;
      using api = new RawServer({
        answer:
          ({ start }) =>
          async (end) => {
            if (start.includes("/next")) {
              end.send(ok("next"));
              return;
            }
            for (const piece of octets ? answer : [answer]) {
              end.send(piece);
              if (octets) await turn();
            }
          },
      });
      await using proxy = await startTestProxy({ services: { api } });
      using client = await connectRaw(proxy.port);
      client.send(`GET /first HTTP/1.1\r\nHost: api.localhost\r\n\r\n${next}`);
      const first = await client.message();
      expect(first.body).toBe(content);
      expect(first.trailerLines).toEqual(trailers);
      expect((await client.message()).body).toBe("next");
      expect(api.accepted.length).toBe(1);
    });
  }
}

test("chunk framing goes on as it stood: sizes, extensions and borders", async () => {
  const chunks = '5;a=1\r\nhello\r\n01;b="2"\r\n!\r\n000\r\nX-Sum: abc\r\n\r\n';
  await using its = await scene({
    answer: () => `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${chunks}`,
  });
  const { api, client } = its;
  client.send(
    `POST / HTTP/1.1\r\nHost: api.localhost\r\nTransfer-Encoding: chunked\r\n\r\n${chunks}`,
  );
  expect((await client.message()).raw.endsWith(`\r\n\r\n${chunks}`)).toBe(true);
  expect(api.requests[0]!.raw.endsWith(`\r\n\r\n${chunks}`)).toBe(true);
});

test("fields of framing, routing and hops do not go on in trailers", async () => {
  const trailers =
    "X-Kept: 1\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\nHost: evil\r\nConnection: close\r\n" +
    "X-Forwarded-For: 6.6.6.6\r\nUpgrade: x\r\nTE: x\r\n\r\n";
  await using its = await scene({
    answer: () => `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n${trailers}`,
  });
  const { api, client } = its;
  client.send(
    `POST / HTTP/1.1\r\nHost: api.localhost\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n${trailers}`,
  );
  expect((await client.message()).trailerLines).toEqual(["X-Kept: 1"]);
  expect(api.requests[0]!.trailerLines).toEqual(["X-Kept: 1"]);
});

test("each piece of a body goes on as it comes, none waits for the next", async () => {
  await using its = await scene();
  const { api, client } = its;
  client.send("POST / HTTP/1.1\r\nHost: api.localhost\r\nTransfer-Encoding: chunked\r\n\r\n");
  const upstream = await api.next();
  await upstream.until("\r\n\r\n");
  for (const piece of ["5\r\nhe", "llo\r\n", "3", "\r\nabc", "\r\n"]) {
    client.send(piece);
    await upstream.until(piece);
  }
  client.send("0\r\n\r\n");
  await upstream.until("0\r\n\r\n");
  upstream.send(
    "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n",
  );
  await client.until("\r\n\r\n");
  for (const piece of ["8\r\ndata: 1\n\r\n", "8\r\ndata: 2\n\r\n"]) {
    upstream.send(piece);
    expect(await client.until(piece)).toBe(piece);
  }
});

test("HEAD has its lengths told and no body, and the connection goes on", async () => {
  await using its = await scene({
    answer: ({ start }) =>
      start.startsWith("HEAD /chunked")
        ? "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
        : start.startsWith("HEAD")
          ? "HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n"
          : ok("next"),
  });
  const { api, client } = its;
  client.send(`HEAD /length HTTP/1.1\r\nHost: api.localhost\r\n\r\n${next}`);
  expect((await client.message({ head: true })).one("content-length")).toBe("1000000");
  expect((await client.message()).body).toBe("next");
  client.send(`HEAD /chunked HTTP/1.1\r\nHost: api.localhost\r\n\r\n${next}`);
  expect((await client.message({ head: true })).one("transfer-encoding")).toBe("chunked");
  expect((await client.message()).body).toBe("next");
  expect(api.accepted.length).toBe(1);
});

test("an answer to HEAD that says nothing of a length ends with its head, and the connection goes on", async () => {
  await using its = await scene({
    answer: ({ start }) =>
      start.startsWith("HEAD") ? "HTTP/1.1 200 OK\r\nX-A: 1\r\n\r\n" : ok("next"),
  });
  const { client } = its;
  client.send(`HEAD / HTTP/1.1\r\nHost: api.localhost\r\n\r\n${next}`);
  await client.message({ head: true });
  expect((await client.message()).body).toBe("next");
});

test("204 and 304 have no body whatever they say, and 304 keeps its Content-Length", async () => {
  await using its = await scene({
    answer: ({ start }) =>
      start.includes("/204")
        ? "HTTP/1.1 204 No Content\r\nContent-Length: 0\r\nX-A: 1\r\n\r\n"
        : start.includes("/304")
          ? 'HTTP/1.1 304 Not Modified\r\nContent-Length: 500\r\nETag: "x"\r\n\r\n'
          : ok("next"),
  });
  const { api, client } = its;
  client.send(`GET /204 HTTP/1.1\r\nHost: api.localhost\r\n\r\n${next}`);
  // RFC 9110 section 8.6: a server must not send Content-Length with 204.
  expect((await client.message()).lines).toEqual(["X-A: 1"]);
  expect((await client.message()).body).toBe("next");
  client.send(`GET /304 HTTP/1.1\r\nHost: api.localhost\r\nIf-None-Match: "x"\r\n\r\n${next}`);
  expect((await client.message()).lines).toEqual(["Content-Length: 500", 'ETag: "x"']);
  expect((await client.message()).body).toBe("next");
  expect(api.accepted.length).toBe(1);
  expect(api.requests[2]!.one("if-none-match")).toBe('"x"');
});

test("a body that ends with the connection ends the client's too, as success", async () => {
  using api = new RawServer({
    answer: () => (end) => {
      end.send("HTTP/1.1 200 OK\r\nX-A: 1\r\n\r\nall there is").finish();
    },
  });
  await using proxy = await startTestProxy({ services: { api } });
  using client = await connectRaw(proxy.port);
  client.send("GET / HTTP/1.1\r\nHost: api.localhost\r\n\r\n");
  const answer = await client.message();
  expect(answer.body).toBe("all there is");
  expect(answer.one("connection")).toBe("close");
  expect(client.broken).toBe(false);
});

test("a status of 205 or above 499 with a body is relayed with it", async () => {
  await using its = await scene({
    answer: ({ start }) =>
      ok("body").replace("200 OK", start.includes("205") ? "205 Reset Content" : "599 Odd"),
  });
  const { client } = its;
  for (const status of ["205", "599"]) {
    client.send(`GET /${status} HTTP/1.1\r\nHost: api.localhost\r\n\r\n`);
    expect((await client.message()).status).toBe(Number(status));
  }
});

test("an answer that comes before the request's body has ended is relayed, and the connection ends behind it", async () => {
  await using its = await scene();
  const { api, client } = its;
  client.send("POST / HTTP/1.1\r\nHost: api.localhost\r\nContent-Length: 1000\r\n\r\npart");
  const upstream = await api.next();
  await upstream.until("part");
  upstream.send(ok("too much").replace("200 OK", "413 Content Too Large"));
  const answer = await client.message();
  expect(answer.status).toBe(413);
  expect(answer.one("connection")).toBe("close");
  expect(await client.rest()).toBe("");
  expect(client.broken).toBe(false);
});

test("a request whose body comes in the same piece as its head and is larger than a piece arrives whole", async () => {
  const content = "0123456789".repeat(30_000);
  await using its = await scene({ answer: ({ body }) => ok(`${body === content}`) });
  const { client } = its;
  // The body stops for a moment while it is not known what the server speaks.
  client.send("GET / HTTP/1.1\r\nHost: api.localhost\r\n\r\n");
  await client.message();
  for (let round = 0; round < 3; round++) {
    client.send(
      `PUT / HTTP/1.1\r\nHost: api.localhost\r\nContent-Length: ${content.length}\r\n\r\n${content}`,
    );
    expect((await client.message()).body).toBe("true");
  }
});

/** `lax`: a server may have meant but one thing by it, so as an answer it is written anew. */
for (const [what, fields, body, lax] of [
  ["both lengths", "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n", "lax"],
  ["differing lengths", "Content-Length: 5\r\nContent-Length: 6\r\n", "hello!"],
  ["equal lengths twice", "Content-Length: 5\r\nContent-Length: 5\r\n", "hello", "lax"],
  ["a list of lengths", "Content-Length: 5, 5\r\n", "hello", "lax"],
  ["a signed length", "Content-Length: +5\r\n", "hello"],
  ["a length of nothing", "Content-Length:\r\n", ""],
  ["gzip beneath chunked", "Transfer-Encoding: gzip, chunked\r\n", "0\r\n\r\n"],
  ["an unknown coding", "Transfer-Encoding: xchunked\r\n", "0\r\n\r\n"],
  ["identity", "Transfer-Encoding: identity\r\n", ""],
  ["chunked twice", "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n"],
  ["a chunk size that is none", "Transfer-Encoding: chunked\r\n", "0x5\r\nhello\r\n0\r\n\r\n"],
  ["a negative chunk size", "Transfer-Encoding: chunked\r\n", "-1\r\nhello\r\n0\r\n\r\n"],
  ["a chunk size beyond all sizes", "Transfer-Encoding: chunked\r\n", `${"f".repeat(17)}\r\n`],
  ["a chunk longer than it says", "Transfer-Encoding: chunked\r\n", "3\r\nhello\r\n0\r\n\r\n"],
  ["a chunk that ends in LF", "Transfer-Encoding: chunked\r\n", "5\r\nhello\n0\r\n\r\n", "lax"],
  [
    "a chunk size that ends in LF",
    "Transfer-Encoding: chunked\r\n",
    "5\nhello\r\n0\r\n\r\n",
    "lax",
  ],
  ["a bare CR in an extension", "Transfer-Encoding: chunked\r\n", "5;a\rb\r\nhello\r\n0\r\n\r\n"],
] as const) {
  test(`a request with ${what} is 400, and the connection ends`, async () => {
    await using its = await scene({ answer: () => ok() });
    const { api, client } = its;
    client.send(`POST / HTTP/1.1\r\nHost: api.localhost\r\n${fields}\r\n${body}`);
    expect((await client.message()).status).toBe(400);
    expect(await client.rest()).toBe("");
    expect(api.accepted.length).toBe(0);
  });

  const outcome = lax === undefined ? "no success" : "written anew";
  test(`an answer with ${what} is ${outcome}`, async () => {
    await using its = await scene({ answer: () => `HTTP/1.1 200 OK\r\n${fields}\r\n${body}` });
    const { client } = its;
    client.send("GET / HTTP/1.1\r\nHost: api.localhost\r\n\r\n");
    expect((await client.message()).status).toBe(lax === undefined ? 502 : 200);
  });
}

test("a chunk that turns out malformed in the middle of a body ends the upstream's request as an error", async () => {
  await using its = await scene();
  const { api, client } = its;
  client.send(
    "POST / HTTP/1.1\r\nHost: api.localhost\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
  );
  const upstream = await api.next();
  await upstream.until("hello\r\n");
  client.send("xyz\r\n");
  expect((await client.message()).status).toBe(400);
  await upstream.gone();
  expect(upstream.received.toString()).toBe("");
});

test("a server that refuses an upload and closes with most of it unread has its answer relayed", async () => {
  using api = new RawServer({ answer: () => undefined });
  await using proxy = await startTestProxy({ services: { api } });
  for (let round = 0; round < 20; round++) {
    using client = await connectRaw(proxy.port);
    client.send("POST / HTTP/1.1\r\nHost: api.localhost\r\nContent-Length: 20000000\r\n\r\n");
    const upstream = await api.next();
    await upstream.counted(1);
    upstream.pause();
    client.send(Buffer.alloc(10_000_000));
    // Closing with unread bytes is a reset, right behind the answer.
    upstream.send(ok("too much", ["Connection: close"]).replace("200 OK", "413 Content Too Large"));
    upstream.close();
    expect((await client.message()).status).toBe(413);
  }
});
