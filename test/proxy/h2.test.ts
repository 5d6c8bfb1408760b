import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import http2 from "node:http2";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { eventually } from "../support/eventually.ts";
import { type H2Proxy, noise, startH2Proxy } from "../support/h2-proxy.ts";
import { echo, RawServer } from "../support/raw-server.ts";

const large = noise(1 << 20);
const gibibyteFraction = 64 << 20;

const api = new RawServer({
  answer: (request, connection) => {
    const { target, method } = request;
    if (target === "/large") {
      connection.send(`HTTP/1.1 200 OK\r\nContent-Length: ${large.length}\r\n\r\n`);
      connection.send(large);
    } else if (target === "/trailers") {
      connection.send(
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: x-sum\r\n\r\n" +
          "3\r\nabc\r\n2;a=b\r\nde\r\n0\r\nX-Sum: 42\r\n\r\n",
      );
    } else if (target === "/early") {
      connection.send("HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\n");
      connection.send("HTTP/1.1 200 OK\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\nok");
    } else if (target === "/101") {
      connection.send("HTTP/1.1 101 Go\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n");
    } else if (target === "/head") {
      connection.send("HTTP/1.1 200 OK\r\nContent-Length: 1234\r\n\r\n");
    } else if (target === "/fields") {
      const body = request.raw;
      connection.send(
        `HTTP/1.1 200 OK\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\nX-Odd: \xe9\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
      );
    } else if (method === "POST" || method === "PUT") {
      connection.send(`HTTP/1.1 200 OK\r\nContent-Length: ${request.body.length}\r\n\r\n`);
      connection.send(request.body);
    } else connection.send(echo(request));
  },
});
const web = new RawServer({
  answer: (_, connection) => {
    connection.send("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nweb");
  },
});
/** Reads nothing until it is told to, or sends without end. */
const stubborn = Bun.listen<undefined>({
  hostname: "127.0.0.1",
  port: 0,
  socket: {
    data(socket) {
      socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${gibibyteFraction}\r\n\r\n`);
      pour(socket);
    },
    drain: pour,
  },
});
const zeros = new Uint8Array(1 << 18);
function pour(socket: Bun.Socket<undefined>): void {
  while (socket.write(zeros) === zeros.length);
}

let proxy: H2Proxy;
let folder: string;
beforeAll(async () => {
  proxy = await startH2Proxy({
    api: api,
    "web.api": { port: web.port },
    "stubborn.api": { port: stubborn.port },
  });
  folder = await mkdtemp(join(tmpdir(), "localhostess-h2-"));
  await writeFile(join(folder, "ca.pem"), proxy.ca);
  await writeFile(join(folder, "large"), large);
});
afterAll(async () => {
  await proxy[Symbol.asyncDispose]();
  await rm(folder, { recursive: true });
  api.stop();
  web.stop();
  stubborn.stop(true);
});

type Answer = {
  status: number;
  headers: Record<string, string | string[] | undefined>;
  trailers: Record<string, unknown> | undefined;
  interim: Record<string, unknown>[];
  body: Buffer;
};

function connect(): http2.ClientHttp2Session {
  return http2.connect(`https://api.localhost:${proxy.port}`, {
    ca: proxy.ca,
    lookup: (_host: string, _options: unknown, done: (...values: unknown[]) => void) =>
      done(null, [{ address: "127.0.0.1", family: 4 }]),
  } as http2.SecureClientSessionOptions);
}

function ask(
  session: http2.ClientHttp2Session,
  headers: Record<string, string | string[]>,
  body?: Uint8Array,
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const stream = session.request(
      { ":authority": "api.localhost", ...headers },
      { endStream: body === undefined },
    );
    const answer: Answer = {
      status: 0,
      headers: {},
      trailers: undefined,
      interim: [],
      body: Buffer.alloc(0),
    };
    const pieces: Buffer[] = [];
    stream.on("headers", (fields) => answer.interim.push(fields));
    stream.on("response", (fields) => {
      answer.status = fields[":status"]!;
      answer.headers = fields as Answer["headers"];
    });
    stream.on("trailers", (fields) => {
      answer.trailers = fields;
    });
    stream.on("data", (piece: Buffer) => pieces.push(piece));
    stream.on("error", reject);
    stream.on("close", () => resolve({ ...answer, body: Buffer.concat(pieces) }));
    if (body !== undefined) stream.end(body);
  });
}

async function withSession<T>(work: (session: http2.ClientHttp2Session) => Promise<T>): Promise<T> {
  const session = connect();
  try {
    return await work(session);
  } finally {
    session.destroy();
  }
}

describe("node:http2 as the client", () => {
  test("GET, with the service told how its client came", async () => {
    await withSession(async (session) => {
      const answer = await ask(session, {
        ":path": "/fields",
        cookie: ["a=1", "b=2"] as never,
        "x-mark": "m",
      });
      expect(answer.status).toBe(200);
      const sent = answer.body.toString("latin1");
      expect(sent).toStartWith("GET /fields HTTP/1.1\r\nHost: api.localhost\r\n");
      expect(sent).toContain("x-mark: m\r\n");
      expect(sent).toMatch(/^cookie: a=1; b=2\r$/im);
      expect(sent).toContain("X-Forwarded-Proto: https\r\n");
      expect(sent).not.toMatch(/^(connection|transfer-encoding):/im);
      expect(answer.headers["set-cookie"]).toEqual(["a=1", "b=2"]);
    });
  });

  test("a client's Proxy field reaches no server", async () => {
    await withSession(async (session) => {
      const asked = { ":path": "/fields", proxy: "http://evil:1", "x-proxy": "kept" };
      const sent = (await ask(session, asked)).body.toString("latin1");
      expect(sent).not.toContain("evil");
      expect(sent).toContain("x-proxy: kept");
    });
  });

  test("a server that switches protocols gets a 502: no stream asks for that", async () => {
    await withSession(async (session) => {
      const answer = await ask(session, { ":path": "/101", accept: "application/json" });
      expect(answer.status).toBe(502);
      expect(JSON.parse(answer.body.toString()).error.why).toContain("without being asked");
    });
  });

  test("every octet that a value may hold comes through Huffman's code", async () => {
    const value = Array.from({ length: 94 }, (_, index) => String.fromCharCode(33 + index)).join(
      "",
    );
    await withSession(async (session) => {
      for (const octet of value) {
        const repeated = octet.repeat(20);
        const answer = await ask(session, { ":path": "/fields", "x-value": repeated });
        expect(answer.body.toString("latin1")).toContain(`x-value: ${repeated}\r\n`);
      }
      const answer = await ask(session, { ":path": `/${encodeURIComponent(value)}`, x: value });
      expect(answer.status).toBe(200);
    });
  });

  test("1 MiB up and down, byte by byte, with a length and without", async () => {
    await withSession(async (session) => {
      const down = await ask(session, { ":path": "/large" });
      expect(down.body.equals(large)).toBe(true);
      const up = await ask(session, { ":method": "POST", ":path": "/up" }, large);
      expect(up.body.equals(large)).toBe(true);
      expect(api.requests.at(-1)!.raw.slice(0, 2_000)).toMatch(/^transfer-encoding: chunked/im);
      const length = { "content-length": String(large.length) };
      const measured = await ask(session, { ":method": "PUT", ":path": "/up", ...length }, large);
      expect(measured.body.equals(large)).toBe(true);
      expect(api.requests.at(-1)!.raw.slice(0, 2_000)).toMatch(/^content-length: 1048576/im);
    });
  });

  test("trailers of an answer", async () => {
    await withSession(async (session) => {
      const answer = await ask(session, { ":path": "/trailers" });
      expect(answer.body.toString()).toBe("abcde");
      expect(answer.trailers).toMatchObject({ "x-sum": "42" });
      expect(answer.headers["transfer-encoding"]).toBeUndefined();
    });
  });

  test("trailers of a request", async () => {
    await withSession(async (session) => {
      const stream = session.request(
        { ":method": "POST", ":path": "/up", ":authority": "api.localhost" },
        { waitForTrailers: true, endStream: false } as never,
      );
      stream.on("wantTrailers", () => stream.sendTrailers({ "x-sum": "7" }));
      stream.end("abc");
      stream.resume();
      await new Promise((resolve) => stream.on("close", resolve));
      expect(api.requests.at(-1)!.raw).toEndWith("0\r\nx-sum: 7\r\n\r\n");
    });
  });

  test("103 comes before its answer", async () => {
    await withSession(async (session) => {
      const answer = await ask(session, { ":path": "/early" });
      expect(answer.interim.map((fields) => [fields[":status"], fields.link])).toEqual([
        [103, "</a.css>"],
      ]);
      expect([answer.status, answer.body.toString()]).toEqual([200, "ok"]);
      expect(answer.headers.connection).toBeUndefined();
    });
  });

  test("HEAD has a length and no body", async () => {
    await withSession(async (session) => {
      const answer = await ask(session, { ":method": "HEAD", ":path": "/head" });
      expect(answer.headers["content-length"]).toBe("1234");
      expect(answer.body).toHaveLength(0);
    });
  });

  test("200 streams at once to two services on one connection", async () => {
    await withSession(async (session) => {
      const answers = await Promise.all(
        Array.from({ length: 200 }, (_, index) => {
          const authority = index % 2 === 0 ? "api.localhost" : "web.api.localhost";
          return ask(session, { ":authority": authority, ":path": `/${index}` });
        }),
      );
      answers.forEach(({ body }, index) => {
        expect(body.toString()).toBe(index % 2 === 0 ? `GET /${index}` : "web");
      });
    });
    expect(proxy.sessions.size).toBeLessThanOrEqual(1);
  });

  test("a page reload: 500 streams that are reset, and the next is answered", async () => {
    await withSession(async (session) => {
      session.on("error", () => {});
      for (let wave = 0; wave < 5; wave++) {
        const streams = Array.from({ length: 100 }, () =>
          session.request({ ":path": "/large", ":authority": "api.localhost" }),
        );
        const closed = streams.map((stream) => {
          stream.on("error", () => {});
          return new Promise((resolve) => stream.on("close", resolve));
        });
        for (const stream of streams) stream.close(http2.constants.NGHTTP2_CANCEL);
        await Promise.all(closed);
      }
      expect((await ask(session, { ":path": "/after" })).body.toString()).toBe("GET /after");
    });
  });

  test("a slow reader costs little memory", async () => {
    await withSession(async (session) => {
      const stream = session.request({ ":authority": "stubborn.api.localhost", ":path": "/" });
      let read = 0;
      stream.on("data", (piece: Buffer) => {
        read += piece.length;
      });
      stream.once("data", () => stream.pause());
      await eventually("something is read", () => read > 0);
      const before = process.memoryUsage.rss();
      await Bun.sleep(300);
      // The client here holds its own windows' worth too.
      expect(process.memoryUsage.rss() - before).toBeLessThan(32 << 20);
      stream.resume();
      await eventually("all is read", () => read === gibibyteFraction);
    });
  });
});

test("sessions that end leave no upstream at work", async () => {
  const session = connect();
  const stream = session.request({ ":authority": "stubborn.api.localhost", ":path": "/" });
  stream.on("error", () => {});
  session.on("error", () => {});
  await new Promise((resolve) => stream.on("response", resolve));
  session.destroy();
  await eventually("the session is gone", () => proxy.sessions.size === 0);
});

async function run(argv: string[]): Promise<string> {
  const child = Bun.spawn(argv, { stdout: "pipe", stderr: "pipe", stdin: "ignore" });
  const [out, errors] = await Promise.all([child.stdout.text(), child.stderr.text()]);
  if ((await child.exited) !== 0) throw new Error(`${argv[0]}: ${errors || out}`);
  return out;
}

describe.skipIf(Bun.which("curl") === null)("curl", () => {
  const curl = (path: string, ...more: string[]): Promise<string> =>
    run([
      ...["curl", "-sS", "--http2", "--max-time", "5", "--cacert", join(folder, "ca.pem")],
      ...["--resolve", `api.localhost:${proxy.port}:127.0.0.1`, ...more],
      `https://api.localhost:${proxy.port}${path}`,
    ]);

  test("GET, by HTTP/2", async () => {
    const text = await curl("/curl", "-w", " %{http_version} %{http_code}");
    expect(text).toBe("GET /curl 2 200");
  });

  test("an upload and a download of 1 MiB", async () => {
    const file = join(folder, "large");
    await curl("/up", "--data-binary", `@${file}`, "-o", join(folder, "up"));
    await curl("/large", "-o", join(folder, "down"));
    expect(Buffer.from(await Bun.file(join(folder, "up")).bytes()).equals(large)).toBe(true);
    expect(Buffer.from(await Bun.file(join(folder, "down")).bytes()).equals(large)).toBe(true);
  });

  test("another name than the certificate's: 421", async () => {
    const text = await curl("/", "-H", "Host: web.localhost", "-w", "%{http_code}");
    expect(text).toEndWith("421");
  });
});

test.skipIf(Bun.which("h2load") === null)("h2load: 2,000 requests in 16 streams", async () => {
  const text = await run([
    ...["h2load", "-c2", "-m16", "-n2000", `--connect-to=127.0.0.1:${proxy.port}`],
    `https://api.localhost:${proxy.port}/`,
  ]);
  expect(text).toContain("2000 succeeded, 0 failed, 0 errored");
});
