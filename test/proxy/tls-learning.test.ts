/** How it is found out that a service speaks TLS, and what a service that does not is spared. */
import { beforeAll, expect, test } from "bun:test";
import { createServer as createTlsServer, type TlsOptions, type TLSSocket } from "node:tls";
import type { AddressInfo, Socket } from "node:net";
import type { Leaf } from "../../src/tls/leaf.ts";
import { eventually } from "../support/eventually.ts";
import { connectRaw, type RawEnd } from "../support/raw-end.ts";
import { ok, RawServer } from "../support/raw-server.ts";
import { tap } from "../support/tap.ts";
import { startTestProxy } from "../support/test-proxy.ts";
import { throwawayCertificateAuthority } from "../support/throwaway-certificate-authority.ts";
import { turns } from "../support/turn.ts";
import { FakeClock } from "../support/fake-clock.ts";

let leaf: Leaf;

beforeAll(async () => {
  await using throwaway = await throwawayCertificateAuthority();
  leaf = await throwaway.leafFor("other.localhost");
});

type Secure = { port: number; names: (string | false | null)[] } & AsyncDisposable;

/** What is said inside TLS: by default every request without a body is answered with `secured`. */
async function secureServer(
  said: (socket: TLSSocket) => void = (socket) =>
    socket.on("data", (bytes) => {
      if (bytes.includes("\r\n\r\n")) socket.write(ok("secured"));
    }),
  options: TlsOptions = {},
): Promise<Secure> {
  const open = new Set<Socket>();
  const names: Secure["names"] = [];
  const server = createTlsServer(
    { key: leaf.key, cert: leaf.certificate, ...options },
    (socket) => {
      socket.on("error", () => {
        // The proxy may break off as it likes.
      });
      names.push(socket.servername);
      said(socket);
    },
  );
  server.on("connection", (socket) => {
    open.add(socket);
    socket.on("close", () => open.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    port: (server.address() as AddressInfo).port,
    names,
    async [Symbol.asyncDispose]() {
      for (const socket of open) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

const get = "GET / HTTP/1.1\r\nHost: secure.localhost\r\n\r\n";

function post(length: number): string {
  return `POST / HTTP/1.1\r\nHost: secure.localhost\r\nContent-Length: ${length}\r\n\r\n`;
}

async function bodyOf(client: RawEnd): Promise<string> {
  return (await client.message()).body;
}

const complaints: Record<string, string> = {
  Go: "HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTP request to an HTTPS server.\n",
  nginx:
    "HTTP/1.1 400 Bad Request\r\nServer: nginx\r\nContent-Length: 61\r\nConnection: close\r\n\r\n<html>The plain HTTP request was sent to HTTPS port</html>\r\n\r\n",
  Apache:
    "HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\nReason: You're speaking plain HTTP to an SSL-enabled server port.\r\n",
  Tomcat:
    "HTTP/1.1 400 \r\nConnection: close\r\n\r\nBad Request\r\nThis combination of host and port requires TLS.\r\n",
};

const refusals: Record<string, (socket: Socket) => void> = {
  ...Object.fromEntries(
    Object.entries(complaints).map(([who, text]) => [
      `says 400 as ${who} does`,
      (socket: Socket) => socket.end(text),
    ]),
  ),
  "sends an alert": (socket) => socket.end(Buffer.from([0x15, 3, 3, 0, 2, 2, 70])),
  "sends an alert in two pieces": (socket) => {
    socket.setNoDelay(true);
    socket.write(Buffer.from([0x15]));
    socket.end(Buffer.from([3, 3, 0, 2, 2, 70]));
  },
  closes: (socket) => socket.end(),
  resets: (socket) => socket.resetAndDestroy(),
};

for (const [how, plain] of Object.entries(refusals)) {
  const asks = how.startsWith("sends") ? 0 : 1;
  test(`a server of TLS that ${how} at a plain request is spoken to in TLS, and asked ${asks} times`, async () => {
    await using server = await secureServer();
    await using line = await tap(server, { plain });
    await using proxy = await startTestProxy({ services: { secure: line } });
    using client = await connectRaw(proxy.port);
    client.send(get);
    expect(await bodyOf(client)).toBe("secured");
    client.send(get);
    expect(await bodyOf(client)).toBe("secured");
    expect(line.count("other")).toBe(1);
    expect(line.count("hello")).toBe(asks + 1);
    // It is told the name that the client asked for; the question has none.
    expect(server.names.slice(asks)).toEqual(["secure.localhost"]);
  });

  test(`inside CONNECT too, where it ${how}`, async () => {
    await using server = await secureServer();
    await using line = await tap(server, { plain });
    await using proxy = await startTestProxy({ services: { secure: line } });
    for (const tunnels of [1, 2]) {
      using client = await connectRaw(proxy.port);
      client.send("CONNECT secure:80 HTTP/1.1\r\nHost: secure:80\r\n\r\n");
      await client.until("\r\n\r\n");
      client.send("GET / HTTP/1.1\r\nHost: secure\r\n\r\n");
      expect(await bodyOf(client)).toBe("secured");
      client.send("GET / HTTP/1.1\r\nHost: secure\r\n\r\n");
      expect(await bodyOf(client)).toBe("secured");
      expect(line.count("hello")).toBe(asks + tunnels);
    }
    expect(line.count("other")).toBe(1);
    expect(server.names.slice(asks)).toEqual(["secure", "secure"]);
  });

  test(`a POST whose body is still on its way is sent again whole, where it ${how}`, async () => {
    let received = "";
    await using server = await secureServer((socket) => {
      socket.on("data", (bytes) => {
        received += bytes.toString("latin1");
        if (received.endsWith("end")) socket.write(ok("secured"));
      });
    });
    await using line = await tap(server, { plain });
    await using proxy = await startTestProxy({ services: { secure: line } });
    using client = await connectRaw(proxy.port);
    const body = `${"x".repeat(40_000)}end`;
    client.send(post(body.length) + body.slice(0, 20_000));
    await eventually("the upload is on its way again", () => line.count("hello") > asks);
    client.send(body.slice(20_000));
    expect(await bodyOf(client)).toBe("secured");
    expect(received.slice(received.indexOf("\r\n\r\n") + 4)).toBe(body);
  });
}

test("a large first upload stops, and is kept, until a server that reads on refuses it", async () => {
  const size = 30_000_000;
  let total = 0;
  await using server = await secureServer((socket) => {
    socket.on("data", (bytes) => {
      total += bytes.length;
      if (total > size) socket.write(ok("secured"));
    });
  });
  const clock = new FakeClock();
  const plain = Promise.withResolvers<Socket>();
  await using line = await tap(server, { plain: (socket) => plain.resolve(socket.resume()) });
  await using proxy = await startTestProxy({ services: { secure: line }, clock });
  using client = await connectRaw(proxy.port);
  client.send(post(size) + "x".repeat(size));
  let [left, since] = [size, 0];
  await eventually("the proxy reads no more", async () => {
    since = client.unsent < left ? 0 : since + 1;
    left = client.unsent;
    await turns(10);
    return since === 10;
  });
  (await plain.promise).resetAndDestroy();
  // Inside TLS, where it may be HTTP/2 that is spoken, the body stops once more.
  await eventually("the server has it all", () => {
    clock.advance(10);
    return total > size;
  });
  expect(await bodyOf(client)).toBe("secured");
});

test("a first upload that is too large to be kept is 502 which says to try again, and then it works", async () => {
  let total = 0;
  await using server = await secureServer((socket) => {
    socket.on("data", (bytes) => {
      total += bytes.length;
      if (total > 1_048_576) socket.write(ok("secured"));
    });
  });
  let plain = 0;
  await using line = await tap(server, {
    plain: (socket) =>
      void socket.on("data", (bytes) => {
        plain += bytes.length;
        if (plain > 700_000) socket.resetAndDestroy();
      }),
  });
  await using proxy = await startTestProxy({ services: { secure: line } });
  const body = "x".repeat(1_048_576);
  using first = await connectRaw(proxy.port);
  first.send(post(body.length) + body);
  const refused = await first.message();
  expect(refused.status).toBe(502);
  expect(refused.body).toContain("try again");
  using second = await connectRaw(proxy.port);
  second.send(post(body.length) + body);
  expect(await bodyOf(second)).toBe("secured");
});

test("50 first requests at once ask once", async () => {
  await using server = await secureServer();
  await using line = await tap(server, { plain: (socket) => socket.end() });
  await using proxy = await startTestProxy({ services: { secure: line } });
  const clients = await Promise.all(Array.from({ length: 50 }, () => connectRaw(proxy.port)));
  for (const client of clients) client.send(get);
  for (const client of clients) expect(await bodyOf(client)).toBe("secured");
  const asked = server.names.filter((name) => name !== "secure.localhost");
  expect(asked.length).toBe(1);
  for (const client of clients) client.reset();
});

for (const [how, leave] of [
  ["closes", (end: RawEnd) => end.close()],
  ["resets", (end: RawEnd) => end.reset()],
  ["half-closes", (end: RawEnd) => end.finish()],
] as const) {
  test(`a plain server that ${how} without an answer is asked once in its life, and is 502 each time`, async () => {
    const hellos: string[] = [];
    using server = new RawServer();
    const serve = async (): Promise<void> => {
      for (;;) {
        const end = await server.next();
        void end.bytes(1).then(
          (first) => {
            if (first[0] === 0x16) hellos.push(first.toString());
            leave(end);
          },
          () => {
            // The proxy let go of it first.
          },
        );
      }
    };
    void serve();
    await using proxy = await startTestProxy({ services: { secure: server } });
    for (let i = 0; i < 3; i++) {
      const clients = await Promise.all(Array.from({ length: 5 }, () => connectRaw(proxy.port)));
      for (const client of clients) client.send(i === 1 ? `${post(3)}abc` : get);
      for (const client of clients) expect((await client.message()).status).toBe(502);
    }
    using tunnel = await connectRaw(proxy.port);
    tunnel.send("CONNECT secure:80 HTTP/1.1\r\nHost: secure:80\r\n\r\nhello");
    await tunnel.until("\r\n\r\n");
    await tunnel.rest();
    expect(hellos.length).toBe(1);
  });
}

test("a server of TLS that is too busy to answer the question is known by its answer when that comes", async () => {
  await using server = await secureServer();
  let busy = true;
  await using line = await tap(server, {
    plain: (socket) => socket.end(),
    hello: (go) => void eventually("the first request is answered", () => !busy).then(go),
  });
  await using proxy = await startTestProxy({ services: { secure: line } });
  using first = await connectRaw(proxy.port);
  first.send(get);
  expect((await first.message()).status).toBe(502);
  busy = false;
  await eventually("the question is answered", () => server.names.length === 1);
  // And its answer has come to the proxy.
  await turns(100);
  using second = await connectRaw(proxy.port);
  second.send(get);
  expect(await bodyOf(second)).toBe("secured");
  expect([line.count("other"), line.count("hello")]).toEqual([1, 2]);
});

test("an alert from a server that has answered plainly is believed, and what cannot be sent again whole is not", async () => {
  await using server = await secureServer();
  let secure = false;
  const plain = (socket: Socket): void => {
    if (secure) socket.end(Buffer.from([0x15, 3, 3, 0, 2, 2, 70]));
    else socket.end("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 5\r\n\r\nplain");
  };
  await using line = await tap(server, { plain });
  await using proxy = await startTestProxy({ services: { secure: line } });
  using first = await connectRaw(proxy.port);
  first.send(get);
  expect(await bodyOf(first)).toBe("plain");
  secure = true;
  first.send(`${post(30_000)}${"x".repeat(20_000)}`);
  const refused = await first.message();
  expect([refused.status, refused.body.includes("try again")]).toEqual([502, true]);
  using second = await connectRaw(proxy.port);
  second.send(get);
  expect(await bodyOf(second)).toBe("secured");
});

test("a plain server that is silent to the question is not waited for longer than a quarter of a second", async () => {
  using server = new RawServer();
  await using proxy = await startTestProxy({ services: { secure: server } });
  using client = await connectRaw(proxy.port);
  client.send(get);
  const end = await server.next();
  await end.message();
  const start = performance.now();
  end.close();
  expect((await client.message()).status).toBe(502);
  expect(performance.now() - start).toBeLessThan(1_000);
  const question = await server.next();
  // And let go of.
  await question.until("\x16");
  await question.rest();
});

test("a server that has answered is never asked, whatever it does after", async () => {
  let turn = 0;
  using server = new RawServer({
    answer: (_request, end) => {
      turn++;
      if (turn === 1) return ok("plain");
      if (turn === 2)
        return "HTTP/1.1 400 Bad Request\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhttps";
      end.close();
      return undefined;
    },
  });
  await using proxy = await startTestProxy({ services: { secure: server } });
  const statuses: number[] = [];
  for (let i = 0; i < 4; i++) {
    using client = await connectRaw(proxy.port);
    client.send(get.replace("\r\n\r\n", "\r\nConnection: close\r\n\r\n"));
    statuses.push((await client.message()).status);
  }
  expect(statuses).toEqual([200, 400, 502, 502]);
  // RawServer would have complained of a ClientHello.
  expect(server.requests.length).toBeGreaterThanOrEqual(4);
});

test("a plain server whose first answer is a 400 that speaks of https is asked once, and the 400 goes on whole", async () => {
  const text = "HTTP/1.1 400 Bad Request\r\nContent-Length: 11\r\n\r\nuse https";
  let hellos = 0;
  using server = new RawServer();
  const serve = async (): Promise<void> => {
    for (;;) {
      const end = await server.next();
      const first = await end.bytes(1);
      if (first[0] === 0x16) {
        hellos++;
        end.send("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n").close();
        continue;
      }
      end.send(text);
      void end.until("now").then(() => end.send("!!"));
    }
  };
  void serve();
  await using proxy = await startTestProxy({ services: { secure: server } });
  using client = await connectRaw(proxy.port);
  client.send(`${post(6)}not`);
  // The rest of the body goes on its way although the answer has begun.
  await turns(20);
  client.send("now");
  const answer = await client.message();
  expect([answer.status, answer.body]).toEqual([400, "use https!!"]);
  expect(hellos).toBe(1);
});

test("a server that denies TLS in plain and plain HTTP by an alert is given up", async () => {
  using server = new RawServer();
  const serve = async (): Promise<void> => {
    for (;;) {
      const end = await server.next();
      const [first] = await end.bytes(1);
      if (first === 0x16) end.send("HTTP/1.1 400 Bad Request\r\n\r\n").close();
      else end.send(Uint8Array.of(0x15, 3, 1, 0, 2, 2, 70)).close();
    }
  };
  void serve();
  await using proxy = await startTestProxy({ services: { secure: server } });
  using client = await connectRaw(proxy.port);
  client.send(get);
  expect((await client.message()).status).toBe(502);
  expect(server.accepted.length).toBeLessThanOrEqual(4);
});

test("a connection that was reset while its server was asked serves no other request", async () => {
  const complaint = "HTTP/1.1 400 Bad Request\r\nContent-Length: 9\r\n\r\nuse https";
  using plain = new RawServer();
  await using proxy = await startTestProxy({ services: { secure: plain } });
  using client = await connectRaw(proxy.port);
  client.send(get);
  const first = await plain.next();
  await first.message();
  first.send(complaint);
  const question = await plain.next();
  first.reset();
  await first.gone();
  // The proxy has heard of the reset before it hears of the answer.
  await Bun.sleep(20);
  question.send("HTTP/1.1 400 Bad Request\r\n\r\n").close();
  expect((await client.message()).status).toBe(400);
  client.send(get);
  const second = await plain.next();
  await second.message();
  second.send(ok("again"));
  expect((await client.message()).body.toString()).toBe("again");
});

test("a server that goes over from TLS to plain HTTP, on its port and in its process, is answered at once", async () => {
  const server = await secureServer();
  await using proxy = await startTestProxy({ services: { secure: server } });
  using client = await connectRaw(proxy.port);
  client.send(get);
  expect(await bodyOf(client)).toBe("secured");
  await server[Symbol.asyncDispose]();
  using plain = new RawServer({ port: server.port });
  const serve = async (): Promise<void> => {
    for (;;) {
      const end = await plain.next();
      const first = await end.bytes(1);
      if (first[0] === 0x16) end.send("HTTP/1.1 400 Bad Request\r\n\r\n").close();
      else void end.until("\r\n\r\n").then(() => end.send(ok("plain")));
    }
  };
  void serve();
  using next = await connectRaw(proxy.port);
  next.send(get);
  expect(await bodyOf(next)).toBe("plain");
});

test("a handshake that fails is 502 which says why and what to do", async () => {
  await using server = await secureServer(undefined, {
    requestCert: true,
    rejectUnauthorized: true,
    maxVersion: "TLSv1.2",
  });
  await using proxy = await startTestProxy({ services: { secure: server } });
  using client = await connectRaw(proxy.port);
  client.send(get.replace("\r\n\r\n", "\r\nAccept: text/html\r\n\r\n"));
  const answer = await client.message();
  expect(answer.status).toBe(502);
  expect(answer.one("content-type")).toContain("text/html");
  expect(answer.body).toContain("it speaks TLS, and the handshake failed");
});

test("connections inside TLS are pooled, each for its own name", async () => {
  const clock = new FakeClock();
  await using server = await secureServer();
  await using line = await tap(server);
  await using proxy = await startTestProxy({ services: { secure: line }, clock });
  const ask = async (host: string): Promise<string> => {
    using client = await connectRaw(proxy.port);
    client.send(get.replace("secure.localhost", host));
    return await bodyOf(client);
  };
  for (let i = 0; i < 4; i++) {
    expect(await ask("secure.localhost")).toBe("secured");
    // Longer than an idle connection is kept from other clients.
    clock.advance(15);
    expect(await ask("x.secure.localhost")).toBe("secured");
    clock.advance(15);
  }
  expect(server.names.filter((name) => name === "secure.localhost").length).toBe(1);
  expect(server.names.filter((name) => name === "x.secure.localhost").length).toBe(1);
});

test("a redirect to its own address leads back to the bare name that was asked", async () => {
  await using server = await secureServer((socket) => {
    socket.on("data", (bytes) => {
      const host = /Host: (\S+)/.exec(bytes.toString())?.[1];
      socket.write(
        `HTTP/1.1 302 Found\r\nLocation: https://${host}/login\r\nContent-Length: 0\r\n\r\n`,
      );
    });
  });
  await using proxy = await startTestProxy({ services: { secure: server } });
  for (let i = 0; i < 2; i++) {
    using client = await connectRaw(proxy.port);
    client.send("GET http://secure/ HTTP/1.1\r\nHost: secure\r\n\r\n");
    expect((await client.message()).one("location")).toBe("http://secure/login");
  }
});
