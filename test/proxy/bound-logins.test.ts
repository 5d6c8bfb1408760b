/** Logins that are bound to their connections, as NTLM's and Negotiate's are: nobody ever has another's. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import http2 from "node:http2";
import https from "node:https";
import { type AddressInfo, type Socket as NodeSocket, connect as connectTcp } from "node:net";
import { connect as connectTls } from "node:tls";
import { FakeClock } from "../support/fake-clock.ts";
import { loginServer, type LoginServerOptions } from "../support/login-server.ts";
import { suiteSeed, Random } from "../support/random.ts";
import { connectRaw, type RawEnd } from "../support/raw-end.ts";
import { ok, RawServer } from "../support/raw-server.ts";
import { startTestProxy, type TestProxy, testSupervised } from "../support/test-proxy.ts";
import { type TestTls, testTls } from "../support/test-tls.ts";
import { throwawayCertificateAuthority } from "../support/throwaway-certificate-authority.ts";
import { turnsUntil } from "../support/turn.ts";

let tls: TestTls;
beforeAll(async () => {
  tls = await testTls({ services: ["api"] });
});
afterAll(async () => {
  await tls[Symbol.asyncDispose]();
});

type Answer = { status: number; body: string };

/** A client's connection, by any way. */
interface Person {
  ask(authorization?: string, path?: string): Promise<Answer>;
  end(): void;
}

type Way = (port: number) => Promise<Person>;

function overHttp1(end: RawEnd, target = ""): Person {
  return {
    async ask(authorization, path = "/") {
      const field = authorization === undefined ? "" : `Authorization: ${authorization}\r\n`;
      end.send(`GET ${target}${path} HTTP/1.1\r\nHost: api.localhost\r\n${field}\r\n`);
      const { status, body } = await end.message();
      return { status, body: body.toString() };
    },
    end: () => end.reset(),
  };
}

function overHttp2(session: http2.ClientHttp2Session, socket: NodeSocket | undefined): Person {
  session.on("error", () => {});
  return {
    ask(authorization, path = "/") {
      const { promise, resolve, reject } = Promise.withResolvers<Answer>();
      const stream = session.request({
        ":path": path,
        ":authority": "api.localhost",
        ...(authorization === undefined ? {} : { authorization }),
      });
      let status = 0;
      let body = "";
      stream.on("response", (head) => {
        status = head[":status"]!;
      });
      stream.on("data", (piece) => {
        body += piece;
      });
      stream.on("end", () => resolve({ status, body }));
      stream.on("error", reject);
      return promise;
    },
    end() {
      session.destroy();
      socket?.destroy();
    },
  };
}

/** A granted CONNECT, with TLS inside. */
async function tunnel(port: number): Promise<NodeSocket> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const socket = connectTcp(port, "127.0.0.1");
  socket.once("data", () => resolve());
  socket.write("CONNECT api.localhost:443 HTTP/1.1\r\nHost: api.localhost:443\r\n\r\n");
  await promise;
  return socket;
}

async function h2(port: number, socket?: NodeSocket): Promise<Person> {
  const secured = connectTls({
    ...(socket === undefined ? { host: "127.0.0.1", port } : { socket }),
    ca: tls.ca,
    servername: "api.localhost",
    ALPNProtocols: ["h2"],
  });
  const session = http2.connect("https://api.localhost", { createConnection: () => secured });
  return overHttp2(session, socket);
}

const ways: Record<string, Way> = {
  http: async (port) => overHttp1(await connectRaw(port)),
  "a forward proxy": async (port) => overHttp1(await connectRaw(port), "http://api.localhost"),
  "HTTP/2": (port) => h2(port),
  "HTTP/2 inside CONNECT": async (port) => h2(port, await tunnel(port)),
};

interface Scene extends AsyncDisposable {
  readonly clock: FakeClock;
  readonly api: RawServer;
  readonly proxy: TestProxy;
  join(way?: string): Promise<Person>;
}

async function scene(options: LoginServerOptions = {}): Promise<Scene> {
  const clock = new FakeClock();
  const api = loginServer(options);
  const proxy = await startTestProxy({
    services: { api },
    clock,
    terminator: tls.terminator,
  });
  const people: Person[] = [];
  return {
    clock,
    api,
    proxy,
    async join(way = "http") {
      const person = await ways[way]!(proxy.port);
      people.push(person);
      return {
        // Idle connections are out of their quarantine whenever somebody asks.
        ask: (...asked) => {
          clock.advance(11);
          return person.ask(...asked);
        },
        end: () => person.end(),
      };
    },
    async [Symbol.asyncDispose]() {
      for (const person of people) person.end();
      await proxy[Symbol.asyncDispose]();
      api[Symbol.dispose]();
    },
  };
}

const nobody = { status: 401, body: "nobody" };
const challenge = { status: 401, body: "challenge" };
const you = (body: string): Answer => ({ status: 200, body });

async function logIn(person: Person, name: string, scheme = "NTLM"): Promise<void> {
  expect(await person.ask(`${scheme} TYPE1`)).toEqual(challenge);
  expect(await person.ask(`${scheme} TYPE3-${name}`)).toEqual(you(name));
}

describe.each(Object.keys(ways))("by %s", (way) => {
  test("a login is its client's alone, and lasts as long as both connections", async () => {
    await using its = await scene();
    const alice = await its.join(way);
    const bob = await its.join(way);
    expect(await alice.ask()).toEqual(nobody);
    await logIn(alice, "alice");
    expect(await bob.ask()).toEqual(nobody);
    await logIn(bob, "bob");
    // A person thinks for longer than any idle connection of everybody's is kept.
    its.clock.advance(60_000);
    expect(await alice.ask()).toEqual(you("alice"));
    expect(await bob.ask()).toEqual(you("bob"));
    const connections = its.api.accepted.length;
    alice.end();
    await turnsUntil("alice's connection ends", () => its.api.accepted.some((end) => end.over));
    const carol = await its.join(way);
    expect(await carol.ask()).toEqual(nobody);
    expect(its.api.accepted.length).toBeGreaterThan(connections);
  });
});

test.each(["http", "HTTP/2"])(
  "1,000 rounds by %s, of clients that come, go and ask in any order: never another's identity",
  async (way) => {
    const random = new Random(suiteSeed());
    await using its = await scene({
      challenge: (scheme) => ["WWW-Authenticate: Basic", `WWW-Authenticate: ${scheme}`],
    });
    type Known = { person: Person; name: string | undefined; begun: string | undefined };
    const known: Known[] = [];
    const wrong: unknown[] = [];
    const round = async (at: Known, number: number): Promise<void> => {
      const { person } = at;
      let expected: Answer;
      let got: Answer;
      if (at.begun !== undefined) {
        expected = you(at.begun);
        got = await person.ask(`NTLM TYPE3-${at.begun}`);
        at.name = at.begun;
        at.begun = undefined;
      } else if (random.chance(0.3)) {
        expected = challenge;
        at.begun = `user${number}`;
        at.name = undefined;
        got = await person.ask("NTLM TYPE1");
      } else {
        expected = at.name === undefined ? nobody : you(at.name);
        got = await person.ask();
      }
      if (!Bun.deepEquals(got, expected)) wrong.push({ seed: random.seed, number, got, expected });
    };
    for (let number = 0; number < 1_000; number += 2) {
      while (known.length < 4 || (known.length < 8 && random.chance(0.05))) {
        known.push({ person: await its.join(way), name: undefined, begun: undefined });
      }
      const first = random.pick(known);
      const second = random.pick(known.filter((other) => other !== first));
      await Promise.all([round(first, number), round(second, number + 1)]);
      if (random.chance(0.05)) known.splice(known.indexOf(first), 1)[0]!.person.end();
    }
    expect(wrong).toEqual([]);
  },
);

/** Two clients ask, the first with these fields. @returns the number of connections that the server saw. */
async function connectionsFor(fields: readonly string[], answer: string): Promise<number> {
  const clock = new FakeClock();
  using api = new RawServer({ answer: () => answer });
  await using proxy = await startTestProxy({ services: { api }, clock });
  using one = await connectRaw(proxy.port);
  one.send(`GET / HTTP/1.1\r\nHost: api.localhost\r\n${fields.join("")}\r\n`);
  await one.message();
  clock.advance(20);
  using two = await connectRaw(proxy.port);
  two.send("GET / HTTP/1.1\r\nHost: api.localhost\r\n\r\n");
  await two.message();
  return api.accepted.length;
}

const unauthorized = (...fields: string[]): string =>
  ok("no", fields).replace("200 OK", "401 Unauthorized");

describe("a connection is its client's own after", () => {
  test.each<[what: string, fields: readonly string[], answer: string]>([
    ["a challenge", [], unauthorized("WWW-Authenticate: NTLM")],
    ["one in small letters", [], unauthorized("www-authenticate: negotiate")],
    ["one in a list", [], unauthorized('WWW-Authenticate: Basic realm="a, b",NTLM')],
    [
      "one in a further field",
      [],
      unauthorized("WWW-Authenticate: Basic", "WWW-Authenticate: NTLM"),
    ],
    ["a last token", [], ok("yes", ["WWW-Authenticate: Negotiate oYG2"])],
    ["Persistent-Auth", ["Authorization: Basic eA==\r\n"], ok("yes", ["Persistent-Auth: true"])],
    ["an Authorization", ["Authorization: NTLM eA==\r\n"], ok()],
    ["one in capitals", ["AUTHORIZATION: NEGOTIATE eA==\r\n"], ok()],
    ["a second one", ["Authorization: Basic eA==\r\n", "Authorization: NTLM eA==\r\n"], ok()],
  ])("%s", async (_, fields, answer) => {
    expect(await connectionsFor(fields, answer)).toBe(2);
  });
});

test.each<[what: string, fields: readonly string[], answer: string]>([
  ["another challenge", [], unauthorized('WWW-Authenticate: Basic realm="here"')],
  ["another Authorization", ["Authorization: Bearer eA==\r\n"], ok()],
])("%s leaves it everybody's", async (_, fields, answer) => {
  expect(await connectionsFor(fields, answer)).toBe(1);
});

describe("a connection with a login that the server ends", () => {
  test("ends an idle client's connection, which then knows", async () => {
    await using its = await scene();
    using end = await connectRaw(its.proxy.port);
    await logIn(overHttp1(end), "alice");
    its.api.accepted[0]!.finish();
    expect(await end.rest()).toBe("");
  });

  test("while it answers is not replaced unseen: the client is told", async () => {
    await using its = await scene({ anonymous: true });
    for (const way of ["http", "HTTP/2"]) {
      const alice = await its.join(way);
      await logIn(alice, "alice");
      const connections = its.api.accepted.length;
      const { status, body } = await alice.ask(undefined, "/broken");
      expect({ status, says: body.includes("login") }).toEqual({ status: 502, says: true });
      expect(its.api.accepted.length).toBe(connections);
    }
  });

  test("with its answer, and the client's ends with the same answer", async () => {
    await using its = await scene();
    using end = await connectRaw(its.proxy.port);
    await logIn(overHttp1(end), "alice");
    end.send("GET /last HTTP/1.1\r\nHost: api.localhost\r\n\r\n");
    const message = await end.message();
    expect(message.one("connection")).toBe("close");
    expect(message.body.toString()).toBe("alice");
    expect(await end.rest()).toBe("");
  });

  test("before the login is asked anew without a word", async () => {
    await using its = await scene();
    const alice = await its.join();
    expect(await alice.ask()).toEqual(nobody);
    its.api.accepted[0]!.finish();
    await its.api.accepted[0]!.gone();
    expect(await alice.ask()).toEqual(nobody);
  });

  test("ends an HTTP/2 session after its answers", async () => {
    await using its = await scene({ anonymous: true });
    const socket = connectTls({
      host: "127.0.0.1",
      port: its.proxy.port,
      ca: tls.ca,
      servername: "api.localhost",
      ALPNProtocols: ["h2"],
    });
    const session = http2.connect("https://api.localhost", { createConnection: () => socket });
    const gone = new Promise<number>((resolve) => session.on("goaway", resolve));
    await logIn(overHttp2(session, undefined), "alice");
    its.api.accepted[0]!.finish();
    expect(await gone).toBe(http2.constants.NGHTTP2_NO_ERROR);
    session.destroy();
  });
});

describe("the streams of a session", () => {
  test("use the one connection one after another, and all have the login", async () => {
    await using its = await scene();
    const alice = await its.join("HTTP/2");
    await logIn(alice, "alice");
    const answers = await Promise.all(Array.from({ length: 30 }, () => alice.ask()));
    expect(new Set(answers.map(({ body }) => body))).toEqual(new Set(["alice"]));
    expect(its.api.accepted.length).toBe(1);
  });

  test("wait for the next step of a login that has begun, which they could spoil", async () => {
    await using its = await scene();
    const alice = await its.join("HTTP/2");
    expect(await alice.ask("NTLM TYPE1")).toEqual(challenge);
    const other = alice.ask();
    expect(await alice.ask("NTLM TYPE3-alice")).toEqual(you("alice"));
    expect(await other).toEqual(you("alice"));
  });

  test("do not wait for ever for a step that does not come, nor behind an answer without an end", async () => {
    const { promise: streaming, resolve } = Promise.withResolvers<void>();
    await using its = await scene({
      first({ target }, end) {
        if (target !== "/stream") return false;
        end.send("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n");
        resolve();
        return true;
      },
    });
    const alice = await its.join("HTTP/2");
    expect(await alice.ask("NTLM TYPE1")).toEqual(challenge);
    const other = alice.ask();
    await turnsUntil("it waits", () => its.clock.waiting > 1);
    its.clock.advance(500);
    expect(await other).toEqual(nobody);
    await logIn(alice, "alice");
    alice.ask(undefined, "/stream").catch(() => {});
    await streaming;
    const connections = its.api.accepted.length;
    const behind = alice.ask();
    await turnsUntil("it waits", () => its.clock.waiting > 1);
    its.clock.advance(3_000);
    // On a connection that has no login yet.
    expect(await behind).toEqual(nobody);
    expect(its.api.accepted.length).toBe(connections + 1);
    await logIn(alice, "alice");
    expect(its.api.accepted.length).toBe(connections + 1);
  });
});

test("of several instances of a name, each client stays with the one that it logs in at", async () => {
  const servers = [1, 2, 3].map(() => loginServer());
  const supervised = servers.map(({ port }, at) =>
    testSupervised({
      id: `shop:web-${at}`,
      service: `web-${at}`,
      routeName: `web-${at}.shop`,
      instance: { of: "web", number: at + 1, routeName: "api" },
      port,
    }),
  );
  await using proxy = await startTestProxy({ supervised, terminator: tls.terminator });
  for (const way of Object.keys(ways)) {
    const alice = await ways[way]!(proxy.port);
    expect(await alice.ask()).toEqual(nobody);
    await logIn(alice, "alice");
    expect(await alice.ask()).toEqual(you("alice"));
    alice.end();
  }
  for (const server of servers) server[Symbol.dispose]();
});

test("a server that speaks TLS, which its first login shows: the login stays its client's alone", async () => {
  await using throwaway = await throwawayCertificateAuthority();
  const { key, certificate } = await throwaway.leafFor("api.localhost");
  const users = new WeakMap<object, string>();
  const api = https.createServer({ key, cert: certificate }, (request, response) => {
    const [, step = ""] = (request.headers.authorization ?? "").split(" ");
    if (step.startsWith("TYPE3-")) users.set(request.socket, step.slice(6));
    const user = step === "TYPE1" ? undefined : users.get(request.socket);
    if (user === undefined) response.writeHead(401, { "WWW-Authenticate": "NTLM" });
    response.end(user ?? (step === "TYPE1" ? "challenge" : "nobody"));
  });
  await new Promise<void>((resolve) => api.listen(0, "127.0.0.1", resolve));
  const { port } = api.address() as AddressInfo;
  const clock = new FakeClock();
  await using proxy = await startTestProxy({ services: { api: { port } }, clock });
  const alice = overHttp1(await connectRaw(proxy.port));
  const bob = overHttp1(await connectRaw(proxy.port));
  await logIn(alice, "alice");
  clock.advance(20);
  expect(await bob.ask()).toEqual(nobody);
  expect(await alice.ask()).toEqual(you("alice"));
  alice.end();
  bob.end();
  api.closeAllConnections();
  api.close();
});

test("a WebSocket on a connection with a login is its client's, and ends with it", async () => {
  await using its = await scene({
    first({ target }, end) {
      if (target !== "/ws") return false;
      end.send("HTTP/1.1 101 -\r\nConnection: Upgrade\r\nUpgrade: raw\r\n\r\n");
      return true;
    },
  });
  using end = await connectRaw(its.proxy.port);
  const alice = overHttp1(end);
  await logIn(alice, "alice");
  end.send(
    "GET /ws HTTP/1.1\r\nHost: api.localhost\r\nConnection: Upgrade\r\nUpgrade: raw\r\n\r\n",
  );
  expect((await end.message()).status).toBe(101);
  const tunnel = its.api.accepted[0]!;
  its.clock.advance(20);
  expect(await (await its.join()).ask()).toEqual(nobody);
  expect(tunnel.over).toBe(false);
  end.reset();
  await tunnel.gone();
});

test("a client that leaves while its login is under way leaves nothing behind for the next", async () => {
  await using its = await scene({
    first: ({ target }) => target === "/never",
  });
  for (const way of ["http", "HTTP/2"]) {
    const alice = await its.join(way);
    expect(await alice.ask("NTLM TYPE1")).toEqual(challenge);
    expect(await alice.ask("NTLM TYPE3-alice")).toEqual(you("alice"));
    const asked = its.api.requests.length;
    alice.ask(undefined, "/never").catch(() => {});
    await turnsUntil("it is asked", () => its.api.requests.length > asked);
    alice.end();
    const bob = await its.join(way);
    expect(await bob.ask()).toEqual(nobody);
    expect(await bob.ask("NTLM TYPE3-alice")).toEqual(nobody);
  }
  await turnsUntil("the login's connection ends", () => its.api.accepted[0]!.over);
});

test("a server that speaks only HTTP/2: a client with a login has a session of its own", async () => {
  const users = new WeakMap<object, string>();
  const api = http2.createServer();
  const sessions = new Set<http2.ServerHttp2Session>();
  api.on("session", (session) => sessions.add(session));
  api.on("stream", (stream: http2.ServerHttp2Stream, head) => {
    const { session } = stream;
    const [, step = ""] = (head.authorization ?? "").split(" ");
    if (step.startsWith("TYPE3-")) users.set(session!, step.slice(6));
    const user = step === "TYPE1" ? undefined : users.get(session!);
    if (user === undefined) stream.respond({ ":status": 401, "www-authenticate": "NTLM" });
    else stream.respond({ ":status": 200 });
    stream.end(user ?? (step === "TYPE1" ? "challenge" : "nobody"));
  });
  await new Promise<void>((resolve) => api.listen(0, "127.0.0.1", resolve));
  const { port } = api.address() as AddressInfo;
  const { terminator } = tls;
  await using proxy = await startTestProxy({ services: { api: { port } }, terminator });
  for (const way of ["http", "HTTP/2"]) {
    const bob = await ways[way]!(proxy.port);
    expect(await bob.ask()).toEqual(nobody);
    const alice = await ways[way]!(proxy.port);
    await logIn(alice, "alice");
    const carol = await ways[way]!(proxy.port);
    const asked = [alice, bob, carol, alice, bob].map((person) => person.ask());
    expect(await Promise.all(asked.slice(0, 3))).toEqual([you("alice"), nobody, nobody]);
    expect(await Promise.all(asked.slice(3))).toEqual([you("alice"), nobody]);
    for (const person of [alice, bob, carol]) person.end();
  }
  for (const session of sessions) session.destroy();
  api.close();
});
