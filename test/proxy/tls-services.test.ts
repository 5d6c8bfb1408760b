/** Services that listen with TLS themselves, behind their names, by every road. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { createHash } from "node:crypto";
import { connect as connectH2 } from "node:http2";
import { connect as connectTcp } from "node:net";
import { connect } from "node:tls";
import { readMessage } from "../support/strict-reader.ts";
import { noise } from "../support/h2-proxy.ts";
import { type Tap, tap } from "../support/tap.ts";
import { FakeClock } from "../support/fake-clock.ts";
import { startTestProxy, type TestProxy } from "../support/test-proxy.ts";
import { type TestTls, testTls } from "../support/test-tls.ts";
import {
  neededByTls,
  startTlsServer,
  type TlsServer,
  tlsServerKinds,
} from "../support/tls-servers.ts";
import { describeWith } from "../support/with-programs.ts";

let authority: TestTls;
let ca: string;

beforeAll(async () => {
  authority = await testTls();
  ({ ca } = authority);
});

afterAll(() => authority[Symbol.asyncDispose]());

type Asked = { method: "GET" | "POST"; path: string; body?: Buffer };
type Answered = { status: number; body: string };

function text({ method, body = Buffer.alloc(0) }: Asked, target: string, host: string): Buffer {
  const head = [
    `${method} ${target} HTTP/1.1`,
    `Host: ${host}`,
    ...(method === "POST" ? [`Content-Length: ${body.length}`] : []),
    "Connection: close",
    "\r\n",
  ];
  return Buffer.concat([Buffer.from(head.join("\r\n")), body]);
}

async function byStream(
  stream: AsyncIterable<Buffer> & { write(bytes: Buffer): unknown },
  request: Buffer,
): Promise<Answered> {
  stream.write(request);
  const pieces: Buffer[] = [];
  for await (const piece of stream) pieces.push(piece);
  const message = readMessage(Buffer.concat(pieces), { ended: true, http10: true });
  if (message === undefined) throw new Error(`half an answer: ${Buffer.concat(pieces)}`);
  return { status: message.status, body: message.body };
}

/** A stream on which CONNECT was granted. */
async function tunnel(port: number, name: string) {
  const tcp = connectTcp({ host: "127.0.0.1", port });
  tcp.write(`CONNECT ${name} HTTP/1.1\r\nHost: ${name}\r\n\r\n`);
  const granted = await new Promise<Buffer>((resolve) => tcp.once("data", resolve));
  expect(granted.toString()).toBe("HTTP/1.1 200 Connection Established\r\n\r\n");
  return tcp;
}

const plainRoads: Record<string, (port: number, asked: Asked) => Promise<Answered>> = {
  http: (port, asked) =>
    byStream(connectTcp({ host: "127.0.0.1", port }), text(asked, asked.path, "secure.localhost")),
  "absolute form": (port, asked) =>
    byStream(
      connectTcp({ host: "127.0.0.1", port }),
      text(asked, `http://secure${asked.path}`, "secure"),
    ),
  "http inside CONNECT": async (port, asked) =>
    byStream(await tunnel(port, "secure:80"), text(asked, asked.path, "secure")),
};

const roads: typeof plainRoads = {
  ...plainRoads,
  https: (port, asked) =>
    byStream(
      connect({ host: "127.0.0.1", port, ca, servername: "secure.localhost" }),
      text(asked, asked.path, "secure.localhost"),
    ),
  h2: async (port, { method, path, body }) => {
    const session = connectH2(`https://secure.localhost:${port}`, {
      createConnection: () =>
        connect({
          host: "127.0.0.1",
          port,
          ca,
          servername: "secure.localhost",
          ALPNProtocols: ["h2"],
        }),
    });
    try {
      const stream = session.request({
        ":method": method,
        ":path": path,
        ":authority": "secure.localhost",
        ...(body === undefined ? {} : { "content-length": body.length }),
      });
      let status = 0;
      stream.on("response", (head) => {
        status = head[":status"]!;
      });
      stream.end(body);
      let answer = "";
      for await (const piece of stream.setEncoding("utf8")) answer += piece;
      return { status, body: answer };
    } finally {
      session.destroy();
    }
  },
  "https inside CONNECT": async (port, asked) => {
    const socket = await tunnel(port, "secure:443");
    return byStream(
      connect({ socket, rejectUnauthorized: false, servername: "other.localhost" }),
      text(asked, asked.path, "secure"),
    );
  },
};

const upgradeRoads = {
  http: async (port: number) => connectTcp({ host: "127.0.0.1", port }),
  https: async (port: number) =>
    connect({ host: "127.0.0.1", port, ca, servername: "secure.localhost" }),
  CONNECT: (port: number) => tunnel(port, "secure:80"),
};

const small: Asked = { method: "POST", path: "/small", body: noise(10_240) };
const large: Asked = { method: "POST", path: "/large", body: noise(1_048_576) };
const page: Asked = { method: "GET", path: "/page" };

function expectEcho({ status, body }: Answered, asked: Asked): Record<string, unknown> {
  expect({ status, body }).toMatchObject({ status: 200 });
  const echoed = JSON.parse(body);
  const sent = asked.body ?? Buffer.alloc(0);
  expect(echoed).toMatchObject({
    method: asked.method,
    url: asked.path,
    length: sent.length,
    hash: createHash("sha1").update(sent).digest("hex"),
  });
  return echoed;
}

/** A fresh proxy before a server; each has to learn what it speaks. */
async function before(server: {
  port: number;
}): Promise<{ proxy: TestProxy; line: Tap } & AsyncDisposable> {
  const line = await tap(server);
  const proxy = await startTestProxy({
    // A server that a busy machine keeps from answering is still waited for.
    clock: new FakeClock(),
    services: { secure: line },
    terminator: authority.terminator,
  });
  return {
    proxy,
    line,
    async [Symbol.asyncDispose]() {
      await proxy.stop();
      await line[Symbol.asyncDispose]();
    },
  };
}

for (const kind of tlsServerKinds) {
  describeWith(neededByTls[kind])(`A server with TLS (${kind})`, () => {
    let server: TlsServer;

    beforeAll(async () => {
      server = await startTlsServer(kind);
    });

    afterAll(async () => {
      await server?.[Symbol.asyncDispose]();
    });

    if (kind !== "openssl" && kind !== "python") {
      for (const [road, open] of Object.entries(upgradeRoads)) {
        test(`takes a WebSocket as its first request by ${road}, and echoes it`, async () => {
          await using made = await before(server);
          const socket = await open(made.proxy.port);
          const [host, scheme] = road.includes("CONNECT")
            ? ["secure", "http"]
            : ["secure.localhost", "https"];
          const key = Buffer.from("0123456789abcdef").toString("base64");
          socket.write(
            `GET /ws HTTP/1.1\r\nHost: ${host}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
              `Sec-WebSocket-Key: ${key}\r\nSec-WebSocket-Version: 13\r\nOrigin: ${scheme}://${host}\r\n\r\n`,
          );
          // Masked with zeros: "hi".
          const frame = Buffer.from([0x81, 0x82, 0, 0, 0, 0, 0x68, 0x69]);
          let text = "";
          let sent = false;
          for await (const piece of socket) {
            text += piece.toString("latin1");
            if (!sent && text.includes("\r\n\r\n")) {
              sent = true;
              expect(text).toStartWith("HTTP/1.1 101");
              socket.write(frame);
            }
            if (text.endsWith("hi")) break;
          }
          expect(text).toEndWith("hi");
          if (road === "CONNECT" && text.includes("X-Origin")) {
            expect(text).toContain(`X-Origin: http://secure.localhost:${made.proxy.port}`);
          }
          socket.destroy();
        });
      }
    }

    for (const [road, ask] of Object.entries(roads)) {
      if (kind === "openssl") {
        test(`answers the first GET by ${road}`, async () => {
          await using made = await before(server);
          const { status, body } = await ask(made.proxy.port, { method: "GET", path: "/" });
          expect(status).toBe(200);
          expect(body).toContain("s_server");
        });
        continue;
      }
      test(`answers the first GET by ${road}, the next, and uploads of 10 KiB and 1 MiB`, async () => {
        await using made = await before(server);
        for (const asked of [page, page, small, large]) {
          const echoed = expectEcho(await ask(made.proxy.port, asked), asked);
          if (road !== "https inside CONNECT" && road !== "http inside CONNECT") {
            const proto = road === "https" || road === "h2" ? "https" : "http";
            expect(echoed.headers).toMatchObject({ "x-forwarded-proto": proto });
          }
        }
        expect(made.line.count("other")).toBeLessThanOrEqual(1);
      });

      test(`takes a first upload of 10 KiB by ${road}`, async () => {
        await using made = await before(server);
        expectEcho(await ask(made.proxy.port, small), small);
      });

      test(`answers 50 first requests at once by ${road}, and is asked once`, async () => {
        await using made = await before(server);
        const asked = Array.from({ length: 50 }, (_, index) => ({
          ...small,
          path: `/${index}`,
        }));
        const answers = await Promise.all(asked.map((one) => ask(made.proxy.port, one)));
        for (const [index, answer] of answers.entries()) expectEcho(answer, asked[index]!);
        // One of them was the question.
        expect(made.line.count("hello")).toBeLessThanOrEqual(51);
      });
    }
  });
}
