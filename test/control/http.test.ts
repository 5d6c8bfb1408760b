/** The HTTP API: who is let in, what is answered, how events flow. */
import { describe, expect, test } from "bun:test";
import { commands } from "../../src/control/commands/commands.ts";
import { feed } from "../../src/control/commands/events.ts";
import { securityHeaders } from "../../src/control/http/outcomes.ts";
import { jsonForm } from "../../src/routes/json-form.ts";
import { FakeClock } from "../support/fake-clock.ts";
import { eventually } from "../support/eventually.ts";
import { connectRaw } from "../support/raw-end.ts";
import {
  api,
  ask,
  counts,
  credential,
  fakeBackend,
  httpDoor,
  launch,
  post,
  requestTo,
} from "./doors.ts";

describe("every route", () => {
  const targets = [
    "/v1/handshake",
    "/v1/nothing",
    "/",
    "/favicon.ico",
    ...commands.map((its) => its.path),
  ];

  test.each(targets)("%s answers 401 without the credential, always the same", async (target) => {
    const door = httpDoor();
    const plain = await ask(door, target, { bearer: null });
    expect(plain.status).toBe(401);
    expect(plain.headers.get("www-authenticate")).toBe("Bearer");
    expect(plain.error).toBe("unauthorized");
    for (const bearer of [
      "wrong",
      credential.slice(0, -1),
      `${credential}0`,
      credential.toUpperCase(),
    ]) {
      const got = await ask(door, target, { bearer });
      expect([got.status, got.text]).toEqual([401, plain.text]);
    }
  });

  test.each(["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"])(
    "%s without it is 401 too",
    async (method) => {
      expect((await ask(httpDoor(), "/v1/status", { method, bearer: null })).status).toBe(401);
    },
  );

  test("is none of a dialogue: nobody types into a terminal by HTTP, not even with the credential", async () => {
    const door = httpDoor();
    expect((await ask(door, "/v1/attach?name=shop:api")).status).toBe(404);
    expect((await post(door, "/v1/attach", '{"name":"shop:api"}')).status).toBe(404);
    const upgrade = { Upgrade: "attach", Connection: "upgrade" };
    expect((await ask(door, "/v1/attach", { headers: upgrade })).status).toBe(404);
  });

  test("has the security headers, whatever it answers", async () => {
    const door = httpDoor();
    const answers = [
      await ask(door, "/v1/status"),
      await ask(door, "/v1/status", { bearer: null }),
      await ask(door, "/v1/nothing"),
      await ask(door, "/v1/status", { host: "evil.com" }),
      await ask(door, "/v1/status", { host: null }),
      await post(door, "/v1/shutdown", "{"),
    ];
    expect(answers.map((its) => its.status)).toEqual([200, 401, 404, 421, 400, 400]);
    for (const { headers } of answers) {
      for (const [name, value] of Object.entries(securityHeaders))
        expect(headers.get(name)).toBe(value);
    }
  });
});

describe("commands by HTTP", () => {
  test("the handshake tells who answers", async () => {
    const got = await ask(httpDoor(), "/v1/handshake");
    expect(JSON.parse(got.text)).toMatchObject({
      id: launch,
      pid: process.pid,
      protocol: "localhostess/2",
    });
  });

  test("a GET is answered with the value itself", async () => {
    const door = httpDoor();
    expect(JSON.parse((await ask(door, "/v1/ping")).text)).toEqual({ pong: true });
    const [row] = JSON.parse((await ask(door, "/v1/services")).text);
    expect(row).toMatchObject({
      name: "api",
      url: "http://api.localhost:9090",
      secure_url: "https://api.localhost:9090",
      traffic: jsonForm(counts),
    });
    const [status] = JSON.parse((await ask(door, "/v1/status")).text);
    expect(status).toMatchObject({ name: "api", status: "running", domain: "api.localhost" });
    const detail = JSON.parse((await ask(door, "/v1/service?name=API.localhost")).text);
    expect(detail.processes[0].listening).toEqual([{ address: "127.0.0.1", port: 3000 }]);
    expect(detail.requests).toHaveLength(1);
  });

  test("HEAD is GET without the body", async () => {
    const got = await ask(httpDoor(), "/v1/ping", { method: "HEAD" });
    expect([got.status, got.text, got.headers.get("content-length")]).toEqual([200, "", "14"]);
  });

  test("another method is 405 and says which are right", async () => {
    const door = httpDoor();
    const get = await ask(door, "/v1/shutdown");
    expect([get.status, get.headers.get("allow")]).toEqual([405, "POST"]);
    const put = await ask(door, "/v1/status", { method: "PUT" });
    expect([put.status, put.headers.get("allow")]).toEqual([405, "GET, HEAD"]);
    expect(door.backend.ended).toBe(0);
  });

  test("what changes something wants a JSON body that says it is one", async () => {
    const door = httpDoor();
    const form = await ask(door, "/v1/shutdown", {
      method: "POST",
      headers: { "Content-Type": "application/x-www-form-urlencoded" },
      body: "{}",
    });
    const none = await ask(door, "/v1/shutdown", { method: "POST", body: "{}" });
    expect([form.status, none.status, door.backend.ended]).toEqual([415, 415, 0]);
    expect((await post(door, "/v1/shutdown", {})).text).toBe('{"ok":true}\n');
    expect(door.backend.ended).toBe(1);
  });

  test("queries are read strictly", async () => {
    const door = httpDoor();
    const wrong = [
      "/v1/requests?limit=0",
      "/v1/requests?limit=1e3",
      "/v1/requests?limit=1001",
      "/v1/requests?limit=",
      "/v1/requests?limit=1&limit=2",
      "/v1/requests?limits=1",
      "/v1/ping?token=x",
      "/v1/service",
      "/v1/service?name=",
      "/v1/service?name=a&name=b",
      "/v1/service?__proto__=1&name=api",
      "/v1/service?toString=1&name=api",
      "/v1/ping?toString=1",
      "/v1/ping?constructor=1",
      "/v1/ping?hasOwnProperty=1",
      "/v1/requests?valueOf=1",
    ];
    for (const target of wrong)
      expect([target, (await ask(door, target)).error]).toEqual([target, "bad_request"]);
    for (const path of ["/v1/constructor", "/v1/__proto__", "/v1/toString", "/constructor"])
      expect([path, (await ask(door, path)).status]).toEqual([path, 404]);
    expect((await ask(door, "/v1/service?name=apo")).text).toContain("did you mean api?");
  });

  test("a fault of ours is told to the log, not to the client", async () => {
    const backend = fakeBackend();
    backend.look = () => Promise.reject(new Error("secret path /etc/x"));
    const door = httpDoor({ backend });
    const got = await ask(door, "/v1/look");
    expect([got.status, got.error]).toEqual([500, "internal"]);
    expect(got.text).not.toContain("secret");
    expect(String(door.faults[0])).toContain("secret path");
  });
});

const knock = (port: number): string =>
  `GET /v1/ping HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nAuthorization: Bearer ${credential}\r\n\r\n`;

describe("connections", () => {
  test("several requests in one piece are answered in order", async () => {
    const door = httpDoor();
    const head = (path: string) =>
      `GET ${path} HTTP/1.1\r\nHost: 127.0.0.1:${door.port}\r\nAuthorization: Bearer ${credential}\r\n\r\n`;
    const client = await connectRaw(door.port, {
      send: head("/v1/ping") + head("/v1/version") + head("/v1/nothing"),
    });
    const text = await client.until("not_found");
    expect(text.indexOf("pong")).toBeLessThan(text.indexOf('"version"'));
    client.close();
  });

  test("a request in single bytes is the same request", async () => {
    const door = httpDoor();
    const client = await connectRaw(door.port);
    await client.sendEach(
      `POST /v1/shutdown HTTP/1.1\r\nHost: localhost:${door.port}\r\nAuthorization: bearer ${credential}\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n{\r\n1\r\n}\r\n0\r\n\r\n`,
    );
    expect(await client.until('{"ok":true}')).toStartWith("HTTP/1.1 200 OK\r\n");
    client.close();
  });

  test("a request that does not come is ended, in a head, in a body and between requests", async () => {
    const clock = new FakeClock();
    const door = httpDoor({ clock });
    const head = await connectRaw(door.port, { send: "GET / HTTP/1.1\r\nHost: x" });
    const body = await connectRaw(door.port, {
      send: `POST /v1/shutdown HTTP/1.1\r\nHost: 127.0.0.1:${door.port}\r\nAuthorization: Bearer ${credential}\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{`,
    });
    const idle = await connectRaw(door.port);
    await eventually("three connections", () => door.connections === 3);
    // What was sent is read in the same turn as the connection is accepted, or in the next.
    await ask(door, "/v1/ping");
    clock.advance(30_000);
    expect(await head.rest()).toContain("408 Request Timeout");
    expect(await body.rest()).toContain("408 Request Timeout");
    expect(await idle.rest()).toBe("");
    for (const client of [head, body, idle]) client.close();
    await eventually("no connection", () => door.connections === 0);
    expect(door.backend.ended).toBe(0);
  });

  test("an answer that is taken slowly is taken whole, and one that is not taken is given up", async () => {
    const clock = new FakeClock();
    // More than the kernel holds for the two of them.
    const services = Array.from({ length: 40_000 }, (_, n) => ({ ...api, name: `api-${n}` }));
    const door = httpDoor({ clock, backend: fakeBackend({ services }) });
    const send = `GET /v1/status HTTP/1.1\r\nHost: 127.0.0.1:${door.port}\r\nAuthorization: Bearer ${credential}\r\nConnection: close\r\n\r\n`;
    const [slow, never] = [await connectRaw(door.port), await connectRaw(door.port)];
    for (const client of [slow, never]) {
      client.pause();
      client.send(send);
    }
    await eventually("both are answered", () => clock.waiting === 2);
    await ask(door, "/v1/ping");
    clock.advance(30_000);
    slow.resume();
    const text = await slow.rest();
    expect(JSON.parse(text.slice(text.indexOf("\r\n\r\n")))).toHaveLength(40_000);
    slow.close();
    clock.advance(30_000);
    await eventually("both are gone", () => door.connections === 0);
    never.reset();
  });

  test("stopping ends event streams and waits for nobody who says nothing", async () => {
    const door = httpDoor();
    const silent = await connectRaw(door.port);
    const stream = await connectRaw(door.port, {
      send: `GET /v1/events HTTP/1.1\r\nHost: 127.0.0.1:${door.port}\r\nAuthorization: Bearer ${credential}\r\n\r\n`,
    });
    await stream.until("event: hello");
    const stopped = door.stop();
    await Promise.all([silent.rest(), stream.rest()]);
    for (const client of [silent, stream]) client.close();
    await stopped;
    expect(door.connections).toBe(0);
  });
});

describe("connections", () => {
  test("come by both addresses, as a browser tries ::1 first for the page's host", async () => {
    const door = httpDoor();
    for (const address of ["127.0.0.1", "::1"]) {
      const client = await connectRaw(door.port, { address, send: knock(door.port) });
      expect(await client.until("\r\n\r\n")).toStartWith("HTTP/1.1 200");
      client.close();
    }
  });

  test("the kernel is asked whose a client is when a session is right, and once for each connection", async () => {
    let asked = 0;
    const page = {
      isHost: (name: string) => name === "page-1.localhost",
      session: (value: string) => value === "right",
      answer: () => undefined,
    };
    const door = httpDoor({
      page,
      ownClient() {
        asked++;
        return true;
      },
    });
    const by = (cookie: string): string =>
      `GET /v1/ping HTTP/1.1\r\nHost: page-1.localhost:${door.port}\r\nCookie: localhostess_session=${cookie}\r\nAuthorization: Bearer ${"0".repeat(64)}\r\n\r\n`;
    const knocking = await connectRaw(door.port, { send: by("wrong").repeat(300) });
    await eventually("all are answered", () => knocking.text.split("HTTP/1.1 ").length > 300);
    expect(asked).toBe(0);
    const known = await connectRaw(door.port, { send: by("right").repeat(5) });
    await eventually("all are answered", () => known.text.split("HTTP/1.1 200").length > 5);
    expect(asked).toBe(1);
    for (const client of [knocking, known]) client.close();
  });

  test("a port of which somebody has one half is not taken", () => {
    using other = Bun.listen({ hostname: "::1", port: 0, socket: { data() {} } });
    expect(() => httpDoor({ port: other.port })).toThrow("Failed to listen at ::1");
  });

  test("where there are too many, the oldest that has shown nothing makes way, and who has is kept", async () => {
    const door = httpDoor();
    const known = await connectRaw(door.port, { send: knock(door.port) });
    await known.until("\r\n\r\n");
    const crowd = await Promise.all(Array.from({ length: 600 }, () => connectRaw(door.port)));
    await eventually("there are no more than 512", () => door.connections <= 512);
    const late = await connectRaw(door.port, { send: knock(door.port) });
    expect(await late.until("\r\n\r\n")).toStartWith("HTTP/1.1 200");
    expect(known.over).toBe(false);
    await eventually("the first have made way", () => crowd[0]!.over);
    expect(crowd.at(-1)!.over).toBe(false);
    for (const client of [...crowd, known, late]) client.close();
  });

  test("where there are too many, another person's make way before an older one of our own", async () => {
    let own = -1;
    const door = httpDoor({ ownClient: ({ remotePort }) => remotePort === own });
    using ours = await connectRaw(door.port);
    own = ours.localPort;
    const crowd = await Promise.all(Array.from({ length: 600 }, () => connectRaw(door.port)));
    await eventually("the first of the crowd have made way", () => crowd[0]!.over);
    ours.send(knock(door.port));
    expect(await ours.until("\r\n\r\n")).toStartWith("HTTP/1.1 200");
    for (const client of crowd) client.close();
  });
});

describe("the event stream", () => {
  test("ends when the credential that it was opened with is another's, as does a session's", async () => {
    let secret = credential;
    const page = {
      isHost: (name: string) => name === "page-1.localhost",
      session: (value: string) => value === `of ${secret.slice(0, 4)}`,
      answer: () => undefined,
    };
    const door = httpDoor({ credential: () => secret, page });
    const byCredential = await connectRaw(door.port, { send: get(door.port) });
    const bySession = await connectRaw(door.port, {
      send: `GET /v1/events HTTP/1.1\r\nHost: page-1.localhost:${door.port}\r\nCookie: localhostess_session=of ${secret.slice(0, 4)}\r\n\r\n`,
    });
    for (const client of [byCredential, bySession]) await client.until("event: hello");
    door.credentialChanged();
    door.backend.feed.log("still here");
    for (const client of [byCredential, bySession]) await client.until("still here");
    secret = "d".repeat(64);
    door.credentialChanged();
    await Promise.all([byCredential.rest(), bySession.rest()]);
    const next = await connectRaw(door.port, { send: get(door.port).replace(credential, secret) });
    await next.until("event: hello");
    for (const client of [byCredential, bySession, next]) client.close();
  });

  const get = (port: number, more = "", query = "") =>
    `GET /v1/events${query} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nAuthorization: Bearer ${credential}\r\n${more}\r\n`;

  test("begins with all there is to know, and goes on with what happens, in order", async () => {
    const door = httpDoor();
    const client = await connectRaw(door.port, { send: get(door.port) });
    const begun = await client.until("\n\nid: 0-11111111\nevent: hello\n");
    expect(begun).toContain("Content-Type: text/event-stream");
    const { feed: events } = door.backend;
    events.request(requestTo("api", 7));
    events.log("hello");
    events.publish("stopping", {});
    await client.until("event: stopping");
    const { text } = client;
    const ids = [...text.matchAll(/^id: (\S+)\nevent: (\S+)$/gm)].map(
      ([, id, event]) => `${id} ${event}`,
    );
    expect(ids).toEqual([
      "0-11111111 hello",
      "1-11111111 request",
      "2-11111111 log",
      "3-11111111 stopping",
    ]);
    client.close();
    const again = await connectRaw(door.port, {
      send: get(door.port, "Last-Event-ID: 1-11111111\r\n"),
    });
    const missed = await again.until("event: stopping");
    expect(missed).not.toContain("hello\n");
    expect(missed).not.toContain("event: request");
    again.close();
    const query = await connectRaw(door.port, {
      send: get(door.port, "", "?last_event_id=2-11111111"),
    });
    expect(await query.until("event: stopping")).not.toContain("event: log");
    query.close();
  });

  test.each(["1-99999999", "4-11111111", "x", "-1-11111111", "", "1"])(
    "an id that is not known (%p) begins anew, and says so",
    async (id) => {
      const door = httpDoor();
      const client = await connectRaw(door.port, {
        send: get(door.port, `Last-Event-ID: ${id}\r\n`),
      });
      expect(await client.until("event: reset")).not.toContain("event: hello");
      client.close();
    },
  );

  test("gives a sign of life", async () => {
    const clock = new FakeClock();
    const door = httpDoor({ clock });
    const client = await connectRaw(door.port, { send: get(door.port) });
    await client.until("event: hello");
    clock.advance(15_000);
    await client.until(": here\n\n");
    expect(door.backend.attending).toBe(1);
    client.close();
    await eventually("the stream is over", () => door.connections === 0);
    expect(door.backend.attending).toBe(0);
    expect(clock.waiting).toBe(0);
  });

  test("a reader that does not read is cut, and holds up nobody", async () => {
    const door = httpDoor();
    const slow = await connectRaw(door.port, { send: get(door.port) });
    const quick = await connectRaw(door.port, { send: get(door.port) });
    await Promise.all([slow.until("event: hello"), quick.until("event: hello")]);
    slow.pause();
    const line = "x".repeat(100_000);
    for (let n = 0; n < 400 && door.connections === 2; n++) {
      door.backend.feed.log(`${n} ${line}`);
      await quick.until(`"${n} xxx`);
    }
    await eventually("only one is left", () => door.connections === 1);
    quick.close();
    slow.reset();
  });

  test("logs are lines of JSON, with what there is or with what follows", async () => {
    const door = httpDoor();
    door.backend.feed.log("first");
    const snapshot = await ask(door, "/v1/logs");
    expect(JSON.parse(snapshot.text)).toMatchObject({ service: "localhostess", message: "first" });
    const client = await connectRaw(door.port, {
      send: `GET /v1/logs?mode=follow HTTP/1.1\r\nHost: 127.0.0.1:${door.port}\r\nAuthorization: Bearer ${credential}\r\n\r\n`,
    });
    await client.until("first");
    door.backend.feed.log("second");
    await client.until("second");
    client.close();
    expect((await ask(door, "/v1/logs?service=api")).error).toBe("unsupported");
    expect((await ask(door, "/v1/logs?service=nobody")).error).toBe("not_found");
  });
});

describe("the feed", () => {
  test("tells fifty requests a second, and counts the rest for each service", () => {
    const clock = new FakeClock();
    const events = feed({ clock, launch, counts: () => counts });
    const seen: string[] = [];
    const cancel = events.follow(({ event, data }) =>
      seen.push(event === "requests" ? (data as { service: string }).service : event),
    );
    for (let n = 0; n < 60; n++) events.request(requestTo(n % 2 === 0 ? "api" : "web", n));
    expect(seen).toEqual(new Array(50).fill("request"));
    clock.advance(1000);
    expect(seen.slice(50)).toEqual(["api", "web"]);
    clock.advance(1000);
    expect(clock.waiting).toBe(0);
    events.request(requestTo("api"));
    expect(seen.at(-1)).toBe("request");
    cancel();
    events.stop();
    expect(clock.waiting).toBe(0);
  });

  test("remembers a thousand events and no more", () => {
    const events = feed({ clock: new FakeClock(), launch, counts: () => counts });
    for (let n = 1; n <= 1500; n++) events.log(String(n));
    expect(events.position).toBe("1500-11111111");
    expect(events.since("1500-11111111")).toEqual([]);
    expect(events.since("500-11111111")).toHaveLength(1000);
    expect(events.since("499-11111111")).toBeUndefined();
    expect(events.lines()).toHaveLength(1000);
  });
});

test("a service without an address has none by https either", async () => {
  const odd = { ...api, name: "O dd", routable: false, warnings: ["its name cannot be one"] };
  const door = httpDoor({ backend: fakeBackend({ services: [odd] }) });
  const [row] = JSON.parse((await ask(door, "/v1/services")).text);
  expect([row.url, row.secure_url]).toEqual([null, null]);
});
