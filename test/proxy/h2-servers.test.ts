/** How it is found out that a service speaks HTTP/2 alone, whoever asks, and what one that speaks both gets. */
import { beforeAll, describe, expect, test } from "bun:test";
import { createSecureServer } from "node:http2";
import type { AddressInfo, Socket } from "node:net";
import type { Leaf } from "../../src/tls/leaf.ts";
import { eventually } from "../support/eventually.ts";
import { connectRaw } from "../support/raw-end.ts";
import { ok, RawServer } from "../support/raw-server.ts";
import { h2Only, type H2OnlyOptions } from "../support/h2-only.ts";
import { startTestProxy } from "../support/test-proxy.ts";
import { throwawayCertificateAuthority } from "../support/throwaway-certificate-authority.ts";

let leaf: Leaf;

beforeAll(async () => {
  await using throwaway = await throwawayCertificateAuthority();
  leaf = await throwaway.leafFor("other.localhost");
});

const get = "GET /a HTTP/1.1\r\nHost: api.localhost\r\n\r\n";
const post = "POST /b HTTP/1.1\r\nHost: api.localhost\r\nContent-Length: 5\r\n\r\n";
const grpc =
  "POST /c HTTP/1.1\r\nHost: api.localhost\r\nContent-Type: application/grpc\r\nContent-Length: 2\r\n\r\nhi";

/** What a server of HTTP/2 does at a request of HTTP/1.1. */
const refusals: Record<string, ((socket: Socket) => void) | undefined> = {
  "sends SETTINGS and GOAWAY, as Node does": undefined,
  "sends GOAWAY alone": (socket) =>
    socket.end(Buffer.from([0, 0, 8, 7, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1])),
  "sends SETTINGS octet by octet": (socket) => {
    socket.setNoDelay(true);
    for (const octet of [0, 0, 0, 4, 0, 0, 0, 0, 0]) socket.write(Buffer.from([octet]));
  },
  closes: (socket) => socket.end(),
  resets: (socket) => socket.resetAndDestroy(),
  "says 400 as ASP.NET does": (socket) =>
    socket.end(
      "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\nX: An HTTP/1.x request was sent to an HTTP/2 only endpoint.\r\n\r\n",
    ),
  "says 505": (socket) =>
    socket.end("HTTP/1.1 505 HTTP Version Not Supported\r\n\r\nThis is a port of HTTP/2."),
};

describe.each(Object.entries(refusals))("a server of HTTP/2 that %s", (how, refuse) => {
  test.each(["in plain text", "inside TLS"])(
    "%s is served from the first request on",
    async (where) => {
      await using server = await h2Only({ refuse, ...(where === "inside TLS" && { leaf }) });
      await using proxy = await startTestProxy({ services: { api: server } });
      using client = await connectRaw(proxy.port);
      client.send(get);
      const first = await client.message();
      expect([first.status, first.body, first.trailers]).toEqual([
        200,
        "GET /a ",
        [["x-said", "so"]],
      ]);
      client.send(`${post}hello`);
      expect((await client.message()).body).toBe("POST /b hello");
      using other = await connectRaw(proxy.port);
      other.send("GET /old HTTP/1.0\r\nHost: api.localhost\r\n\r\n");
      const old = await other.rest();
      expect(old.toString()).toEndWith("\r\n\r\nGET /old ");
      expect(server.requests).toEqual(["GET /a ", "POST /b hello", "GET /old "]);
      // Behind an end without a word, it is asked about TLS first.
      const asks = where === "in plain text" && (how === "closes" || how === "resets") ? 1 : 0;
      expect(server.refused).toBe(1 + asks);
    },
  );

  test.each(["in plain text", "inside TLS"])(
    "%s gets a large upload that is its first request",
    async (where) => {
      await using server = await h2Only({ refuse, ...(where === "inside TLS" && { leaf }) });
      await using proxy = await startTestProxy({ services: { api: server } });
      using client = await connectRaw(proxy.port);
      const body = "x".repeat(1_000_000);
      client.send(post.replace(": 5", `: ${body.length}`) + body);
      const answer = await client.message();
      expect([answer.status, answer.body.length]).toEqual([200, "POST /b ".length + body.length]);
    },
  );

  test("gets a body that is still on its way when that is found out", async () => {
    await using server = await h2Only({ refuse });
    await using proxy = await startTestProxy({ services: { api: server } });
    using client = await connectRaw(proxy.port);
    client.send(`${post}he`);
    await eventually("the first attempt is refused", () => server.refused > 0);
    client.send("llo");
    expect((await client.message()).body).toBe("POST /b hello");
  });
});

test("a server that refuses HTTP/1.1 in the handshake is asked for HTTP/2 there, once", async () => {
  await using server = await h2Only({ leaf, strict: true });
  await using proxy = await startTestProxy({ services: { api: server } });
  for (const path of ["/1", "/2"]) {
    using client = await connectRaw(proxy.port);
    client.send(get.replace("/a", path));
    expect((await client.message()).body).toBe(`GET ${path} `);
  }
  expect(server.refused).toBe(1);
});

test.each(["in plain text", "inside TLS"])(
  "a first call of gRPC to a server of HTTP/2 %s takes no detour",
  async (where) => {
    await using server = await h2Only(where === "inside TLS" ? { leaf, strict: true } : {});
    await using proxy = await startTestProxy({ services: { api: server } });
    using client = await connectRaw(proxy.port);
    client.send(grpc);
    expect((await client.message()).body).toBe("POST /c hi");
    expect([server.refused, server.connections]).toEqual([0, where === "inside TLS" ? 2 : 1]);
  },
);

test("50 first requests at once find it out together, and share a connection", async () => {
  await using server = await h2Only({ refuse: (socket) => socket.end() });
  await using proxy = await startTestProxy({ services: { api: server } });
  const clients = await Promise.all(Array.from({ length: 50 }, () => connectRaw(proxy.port)));
  for (const client of clients) client.send(get);
  for (const client of clients) expect((await client.message()).status).toBe(200);
  // Those that were dialled before, the two questions, and the one that all share.
  expect(server.connections).toBeLessThanOrEqual(50 + 3);
  for (const client of clients) client.send(get);
  const before = server.connections;
  for (const client of clients) expect((await client.message()).status).toBe(200);
  expect(server.connections).toBe(before);
  for (const client of clients) client.reset();
});

describe("a server that speaks both", () => {
  test("in plain text gets HTTP/1.1, and gRPC by HTTP/2", async () => {
    await using server = await h2Only({ refuse: (socket) => socket.end(ok("one")) });
    await using proxy = await startTestProxy({ services: { api: server } });
    for (const [request, body] of [
      [get, "one"],
      [grpc, "POST /c hi"],
      [get, "one"],
      [grpc, "POST /c hi"],
    ] as const) {
      using client = await connectRaw(proxy.port);
      client.send(request);
      expect((await client.message()).body).toBe(body);
    }
  });

  test("inside TLS gets HTTP/1.1, and gRPC by HTTP/2", async () => {
    const server = createSecureServer(
      { key: leaf.key, cert: leaf.certificate, allowHTTP1: true },
      (request, response) => void response.end(`by ${request.httpVersion}`),
    );
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as AddressInfo;
    await using proxy = await startTestProxy({ services: { api: { port } } });
    for (const [request, body] of [
      [get, "by 1.1"],
      [grpc, "by 2.0"],
      [get, "by 1.1"],
    ] as const) {
      using client = await connectRaw(proxy.port);
      client.send(request);
      expect((await client.message()).body).toBe(body);
    }
    server.close();
  });
});

test("a server of HTTP/1.1 alone gets calls of gRPC by that, and is asked once", async () => {
  let prefaces = 0;
  using server = new RawServer();
  const serve = async (): Promise<void> => {
    for (;;) {
      const end = await server.next();
      void end.until("\r\n\r\n").then((head) => {
        const isPreface = head.startsWith("PRI ");
        if (isPreface) prefaces++;
        end.send(isPreface ? "HTTP/1.1 505 No\r\nContent-Length: 0\r\n\r\n" : ok("one"));
        end.end();
      });
    }
  };
  void serve();
  await using proxy = await startTestProxy({ services: { api: server } });
  for (let i = 0; i < 3; i++) {
    using client = await connectRaw(proxy.port);
    client.send(grpc);
    expect((await client.message()).body).toBe("one");
  }
  expect(prefaces).toBe(1);
});

test("a process that has changed from HTTP/2 to HTTP/1.1, and back, is served again", async () => {
  let isOld = true;
  await using server = await h2Only({
    understands: () => isOld,
    refuse: (socket) =>
      socket.end(
        isOld ? Buffer.from([0, 0, 0, 4, 0, 0, 0, 0, 0]) : ok("one", ["Connection: close"]),
      ),
  });
  await using proxy = await startTestProxy({ services: { api: server } });
  for (const [old, body] of [
    [true, "GET /a "],
    [false, "one"],
    [true, "GET /a "],
  ] as const) {
    isOld = old;
    server.hangUp();
    using client = await connectRaw(proxy.port);
    client.send(get);
    expect((await client.message()).body).toBe(body);
  }
});

test("a WebSocket to a server of HTTP/2 that takes none is 502 with the reason", async () => {
  await using server = await h2Only();
  await using proxy = await startTestProxy({ services: { api: server } });
  using client = await connectRaw(proxy.port);
  client.send(
    "GET / HTTP/1.1\r\nHost: api.localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n",
  );
  const answer = await client.message();
  expect(answer.status).toBe(502);
  expect(answer.body).toContain("it speaks HTTP/2, and takes no WebSocket over it (RFC 8441)");
});

describe("inside CONNECT", () => {
  const connect = "CONNECT api.localhost:80 HTTP/1.1\r\nHost: api.localhost:80\r\n\r\n";

  /** A client of HTTP/2 whose first request is answered: its own preface, an empty SETTINGS, and a GET. */
  const multiplexed = Buffer.concat([
    Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
    Buffer.from([0, 0, 0, 4, 0, 0, 0, 0, 0]),
    Buffer.from([0, 0, 4, 1, 5, 0, 0, 0, 1, 0x82, 0x86, 0x84, 0x88]),
  ]);

  const servers: [string, H2OnlyOptions | undefined][] = Object.entries(refusals).map(
    ([how, refuse]) => [how, { refuse }],
  );

  test.each([...servers, ["refuses HTTP/1.1 in the handshake", undefined] as const])(
    "requests of HTTP/1.1 are routed, to a server that %s",
    async (_how, options) => {
      await using server = await h2Only(options ?? { leaf, strict: true });
      await using proxy = await startTestProxy({ services: { api: server } });
      for (const path of ["/1", "/2"]) {
        using client = await connectRaw(proxy.port);
        client.send(connect);
        await client.until("\r\n\r\n");
        client.send(get.replace("/a", path));
        expect((await client.message()).body).toBe(`GET ${path} `);
        client.send(`${post}hello`);
        expect((await client.message()).body).toBe("POST /b hello");
      }
    },
  );

  test.each(["in plain text", "inside TLS"])(
    "HTTP/2 goes through as it is, to a server %s",
    async (where) => {
      await using server = await h2Only(where === "inside TLS" ? { leaf, strict: true } : {});
      await using proxy = await startTestProxy({ services: { api: server } });
      for (let i = 0; i < 2; i++) {
        using client = await connectRaw(proxy.port);
        client.send(connect);
        await client.until("\r\n\r\n");
        client.send(multiplexed);
        // SETTINGS, whoever is first.
        expect([...(await client.bytes(4))].slice(3)).toEqual([4]);
      }
    },
  );

  test("a request that is broken off in its head is joined as it is", async () => {
    await using server = await h2Only({ refuse: (socket) => socket.end() });
    await using proxy = await startTestProxy({ services: { api: server } });
    using first = await connectRaw(proxy.port);
    first.send(get);
    await first.message();
    using client = await connectRaw(proxy.port);
    client.send(connect);
    await client.until("\r\n\r\n");
    client.send("GET / HTTP/1.1\r\nHos").finish();
    expect((await client.rest()).length).toBe(0);
  });
});
