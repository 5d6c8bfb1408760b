/** Whoever has not the credential gets nothing from the HTTP API; and each layer of the gate is there for a reason. */
import { describe, expect, test } from "bun:test";
import { commands } from "../../src/control/commands/commands.ts";
import { type Layers, layers } from "../../src/control/http/gate.ts";
import { clientProof, daemonProof, newNonce } from "../../src/control/found/proof.ts";
import { eventually } from "../support/eventually.ts";
import { FakeClock } from "../support/fake-clock.ts";
import { connectRaw } from "../support/raw-end.ts";
import { turn } from "../support/turn.ts";
import { ask, credential, httpDoor, launch, post, readAnswer, type TestDoor } from "./doors.ts";

/** Bytes by hand, the first answer to them. */
async function raw(door: TestDoor, lines: readonly string[]): Promise<number> {
  const client = await connectRaw(door.port, { send: `${lines.join("\r\n")}\r\n\r\n` });
  const { status } = readAnswer(await client.until("\r\n\r\n"));
  client.close();
  return status;
}

const bearer = `Authorization: Bearer ${credential}`;

type Attack = {
  name: string;
  /** Takes away the layer that stops it. */
  plant: Partial<Layers>;
  /** Whether it gets through. */
  attack(door: TestDoor): Promise<boolean>;
};

const anyHost: Partial<Layers> = { host: () => true };

/** With the right credential: what a rebound page cannot have, so that Host alone is what stops it. */
const hosts = (port: number): string[] => [
  "evil.com",
  `evil.com:${port}`,
  `localhost.evil.com:${port}`,
  `127.0.0.1.evil.com:${port}`,
  `127.0.0.1.nip.io:${port}`,
  `127.1:${port}`,
  `127.0.1:${port}`,
  `2130706433:${port}`,
  `0x7f000001:${port}`,
  `0x7f.0.0.1:${port}`,
  `0177.0.0.1:${port}`,
  `017700000001:${port}`,
  `127.0.0.01:${port}`,
  `127.0.0.1.:${port}`,
  `localhost.:${port}`,
  `LOCALHOST:${port}`,
  `Localhost:${port}`,
  `api.localhost:${port}`,
  `[::ffff:127.0.0.1]:${port}`,
  `[::ffff:7f00:1]:${port}`,
  `[0:0:0:0:0:0:0:1]:${port}`,
  `[::1%25lo]:${port}`,
  `::1:${port}`,
  `0.0.0.0:${port}`,
  `[::]:${port}`,
  `127.0.0.2:${port}`,
  `a@127.0.0.1:${port}`,
  `a:b@127.0.0.1:${port}`,
  `127.0.0.1:${port}@evil.com`,
  `127.0.0.1:${port}, evil.com`,
  `127.0.0.1:${port}/`,
  `127.0.0.1:0${port}`,
  `127.0.0.1:${port + 1}`,
  "127.0.0.1",
  "127.0.0.1:",
  "127.0.0.1:80",
  "localhost",
  "",
];

const bad = new Set([400, 421]);

const attacks: Attack[] = [
  ...hosts(0).map((spelled, index): Attack => ({
    name: `the Host ${JSON.stringify(spelled)}`,
    plant: anyHost,
    async attack(door) {
      const { status } = await ask(door, "/v1/ping", { host: hosts(door.port)[index]! });
      if (status !== 200) expect(bad).toContain(status);
      return status === 200;
    },
  })),
  {
    name: "a target with another authority than Host",
    plant: anyHost,
    attack: async (door) =>
      (await ask(door, "http://evil.com/v1/ping")).status === 200 ||
      // The door does not take it for a route even where the gate is open.
      (await ask(door, "http://evil.com/v1/ping")).status === 404,
  },
  {
    name: "the credential in the query of another route",
    plant: { queryToken: () => true },
    async attack(door) {
      const all = await Promise.all(
        commands
          .filter((its) => its.streams !== "sse")
          .map((its) =>
            ask(door, `${its.path}?token=${credential}`, { method: its.method, bearer: null }),
          ),
      );
      // There are more routes than wrong credentials that the door listens to.
      return all.some((its) => its.status !== 401 && its.status !== 429);
    },
  },
  {
    name: "the credential in the query of a POST to the event stream",
    plant: { queryToken: () => true },
    attack: async (door) =>
      (await ask(door, `/v1/events?token=${credential}`, { method: "POST", bearer: null }))
        .status !== 401,
  },
  {
    name: "half of the credential",
    plant: { same: (given, expected) => expected.startsWith(given) },
    attack: async (door) =>
      (await ask(door, "/v1/ping", { bearer: credential.slice(0, 32) })).status === 200,
  },
  {
    name: "a page of an origin that nobody allowed, by preflight and by reading",
    plant: { origin: () => true },
    async attack(door) {
      const headers = { Origin: "http://evil.com", "Access-Control-Request-Method": "GET" };
      const preflight = await ask(door, "/v1/ping", { method: "OPTIONS", headers, bearer: null });
      const read = await ask(door, "/v1/ping", { headers: { Origin: "http://evil.com" } });
      const named = [preflight, read].some((its) => its.headers.has("access-control-allow-origin"));
      expect(named ? preflight.status : 204).toBe(204);
      return named;
    },
  },
  {
    name: "a session's cookie from an app on another port of this host",
    plant: { samePage: () => true },
    attack: (door) =>
      withCookie(door, { Origin: "http://127.0.0.1:3000", "Sec-Fetch-Site": "same-site" }),
  },
  {
    name: "a session's cookie from a form on another site",
    plant: { samePage: () => true },
    attack: (door) =>
      withCookie(door, { "Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate" }),
  },
  {
    name: "a session's cookie by another of our names, where apps' cookies are",
    plant: { samePage: () => true },
    attack: (door) => withCookie(door, {}, `localhost:${door.port}`),
  },
  {
    name: "a session's cookie at 127.0.0.1, whose cookies browsers send to every server there",
    plant: { samePage: () => true },
    attack: (door) => withCookie(door, {}, `127.0.0.1:${door.port}`),
  },
  {
    name: "a page by a name that its owner has lead to this machine",
    plant: { host: () => true },
    attack: async (door) =>
      (await ask(door, "/v1/ping", { host: `page-0.localhost:${door.port}` })).status === 200,
  },
];

attacks.push(
  {
    name: "a form's body, which a page may post without a preflight",
    plant: { json: () => true },
    async attack(door) {
      const types = [
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "text/plain",
        "text/plain; application/json",
        "application/jsonp",
        "",
      ];
      for (const type of types) {
        const headers = { "Content-Type": type };
        await ask(door, "/v1/shutdown", { method: "POST", headers, body: "{}" });
      }
      return door.backend.ended > 0;
    },
  },
  {
    name: "guessing without end",
    plant: { mostFailures: 10_000 },
    async attack(door) {
      let heard = 0;
      for (let n = 0; n < 100; n++) {
        const { status } = await ask(door, "/v1/ping", { bearer: n.toString().padStart(64, "0") });
        if (status === 401) heard++;
      }
      return heard > 50;
    },
  },
);

async function withCookie(
  door: TestDoor,
  headers: Record<string, string>,
  host = `${pageHost}:${door.port}`,
): Promise<boolean> {
  const all = { Cookie: "theme=dark; localhostess_session=session", ...headers };
  const options = { bearer: null, headers: all, host };
  return (await ask(door, "/v1/ping", options)).status === 200;
}

const pageHost = "page-0123456789abcdef.localhost";

/** One session, and no paths of its own. */
const page = {
  isHost: (name: string) => name === pageHost,
  session: (value: string) => value === "session",
  answer: () => undefined,
};

describe("is refused", () => {
  test.each(attacks)("$name", async ({ attack }) => {
    expect(await attack(httpDoor({ page }))).toBe(false);
  });

  // Each of the tests above would see the hole that it is about.
  test.each(attacks)(
    "$name: and would get through without its layer",
    async ({ plant, attack }) => {
      expect(await attack(httpDoor({ page, layers: { ...layers, ...plant } }))).toBe(true);
    },
  );
});

test("our own three names are served", async () => {
  const door = httpDoor();
  for (const host of ["127.0.0.1", "localhost", "[::1]"]) {
    expect((await ask(door, "/v1/ping", { host: `${host}:${door.port}` })).status).toBe(200);
  }
});

test("two Hosts, none, a target that is a URL: no such request is served", async () => {
  const door = httpDoor();
  const own = `Host: 127.0.0.1:${door.port}`;
  const heads = [
    ["GET /v1/ping HTTP/1.1", own, "Host: evil.com", bearer],
    ["GET /v1/ping HTTP/1.1", "Host: evil.com", own, bearer],
    ["GET /v1/ping HTTP/1.1", own, own, bearer],
    ["GET /v1/ping HTTP/1.1", bearer],
    ["GET /v1/ping HTTP/1.0", bearer],
    ["GET http://evil.com/v1/ping HTTP/1.1", own, bearer],
    [`GET http://127.0.0.1:${door.port}/v1/ping HTTP/1.1`, own, bearer],
    [`GET http://127.0.0.1:${door.port}/v1/ping HTTP/1.1`, "Host: evil.com", bearer],
    ["GET //evil.com/v1/ping HTTP/1.1", own, bearer],
    ["GET v1/ping HTTP/1.1", own, bearer],
    [`CONNECT 127.0.0.1:${door.port} HTTP/1.1`, own, bearer],
    ["OPTIONS * HTTP/1.1", own, bearer],
    ["GET /v1/ping HTTP/1.1", own, bearer, `Authorization: Bearer wrong`],
    ["GET /v1/ping HTTP/1.1", ` ${own}`, bearer],
    ["GET /v1/ping HTTP/1.1", `Host : 127.0.0.1:${door.port}`, bearer],
  ];
  for (const lines of heads)
    expect([lines, (await raw(door, lines)) >= 400]).toEqual([lines, true]);
  expect(await raw(door, ["GET /v1/ping HTTP/1.1", own, bearer])).toBe(200);
});

test("paths are what they are: nothing is resolved, decoded or folded", async () => {
  const door = httpDoor();
  const targets = [
    "/v1/../v1/ping",
    "/v1//ping",
    "/v1/ping/",
    "/V1/PING",
    "/v1/%70ing",
    "/v1/./ping",
    "/v1/ping;x",
  ];
  for (const target of targets)
    expect([target, (await ask(door, target)).status]).toEqual([target, 404]);
});

test("the event stream, and nothing else, takes the credential from the query", async () => {
  const door = httpDoor();
  const client = await connectRaw(door.port, {
    send: `GET /v1/events?token=${credential} HTTP/1.1\r\nHost: 127.0.0.1:${door.port}\r\n\r\n`,
  });
  await client.until("event: hello");
  client.close();
  const wrong = await ask(door, `/v1/events?token=${credential}0`, { bearer: null });
  expect(wrong.status).toBe(401);
  const logs = await ask(door, `/v1/logs?token=${credential}`, { bearer: null });
  expect(logs.status).toBe(401);
});

describe("origins", () => {
  const allowed = "http://app.localhost:5173";
  const preflight = (origin: string) => ({
    method: "OPTIONS",
    bearer: null,
    headers: {
      Origin: origin,
      "Access-Control-Request-Method": "POST",
      "Access-Control-Request-Headers": "authorization,content-type",
    },
  });

  test("that are allowed are, and by name; none is by default", async () => {
    const door = httpDoor({ allowedOrigins: [allowed] });
    const granted = await ask(door, "/v1/shutdown", preflight(allowed));
    expect([granted.status, granted.text]).toEqual([204, ""]);
    expect(granted.headers.get("access-control-allow-origin")).toBe(allowed);
    expect(granted.headers.get("access-control-allow-headers")).toContain("Authorization");
    expect(granted.headers.get("access-control-allow-credentials")).toBeNull();
    expect(granted.headers.get("vary")).toBe("Origin");
    const read = await ask(door, "/v1/ping", { headers: { Origin: allowed } });
    expect([read.status, read.headers.get("access-control-allow-origin")]).toEqual([200, allowed]);
    // It may know that it was refused, too.
    const refused = await ask(door, "/v1/ping", { headers: { Origin: allowed }, bearer: null });
    expect([refused.status, refused.headers.get("access-control-allow-origin")]).toEqual([
      401,
      allowed,
    ]);
    expect((await ask(httpDoor(), "/v1/ping", preflight(allowed))).status).toBe(401);
  });

  test.each([
    "http://evil.com",
    "http://app.localhost",
    "http://app.localhost:51730",
    "https://app.localhost:5173",
    "http://app.localhost:5173.evil.com",
    "http://APP.localhost:5173",
    "http://app.localhost:5173/",
    "null",
    "*",
    "",
  ])("%p is none of them", async (origin) => {
    const door = httpDoor({ allowedOrigins: [allowed] });
    const refused = await ask(door, "/v1/ping", preflight(origin));
    expect([refused.status, refused.headers.get("access-control-allow-origin")]).toEqual([
      401,
      null,
    ]);
    expect(refused.headers.has("access-control-allow-methods")).toBe(false);
    const read = await ask(door, "/v1/ping", { headers: { Origin: origin } });
    expect(read.headers.get("access-control-allow-origin")).toBeNull();
  });

  test("a preflight by another Host is none", async () => {
    const door = httpDoor({ allowedOrigins: [allowed] });
    const got = await ask(door, "/v1/ping", {
      ...preflight(allowed),
      host: `evil.com:${door.port}`,
    });
    expect([got.status, got.headers.get("access-control-allow-origin")]).toEqual([421, null]);
  });
});

const bodies: Record<string, unknown> = {
  trust: { action: "install" },
  "service-env": { name: "shop:api" },
  "registry-pin": { project_path: "/srv/shop" },
};

describe("a session of our page", () => {
  const own = (door: TestDoor) => `http://${pageHost}:${door.port}`;

  test("reads from our own page, and changes with its Origin", async () => {
    const door = httpDoor({ page });
    expect(await withCookie(door, { "Sec-Fetch-Site": "same-origin" })).toBe(true);
    expect(await withCookie(door, {})).toBe(true);
    expect(await withCookie(door, { "Sec-Fetch-Site": "none", "Sec-Fetch-Mode": "navigate" })).toBe(
      true,
    );
    const change = (headers: Record<string, string>, path = "/v1/stop-all") =>
      ask(door, path, {
        method: "POST",
        bearer: null,
        host: `${pageHost}:${door.port}`,
        headers: {
          Cookie: "localhostess_session=session",
          "Content-Type": "application/json",
          ...headers,
        },
        body: "{}",
      });
    expect((await change({})).status).toBe(401);
    expect((await change({ Origin: "null" })).status).toBe(401);
    expect((await change({ Origin: own(door), "Sec-Fetch-Site": "cross-site" })).status).toBe(401);
    const asOurs = { Origin: own(door), "Sec-Fetch-Site": "same-origin" };
    // It is let in: this daemon has no services that it could stop.
    expect((await change(asOurs)).status).toBe(501);
  });

  test.each(["shutdown", "trust", "dashboard", "service-env", "registry-pin", "registry-clean"])(
    "may not send what only the credential may: %s",
    async (path) => {
      const door = httpDoor({ page });
      const got = await ask(door, `/v1/${path}`, {
        method: "POST",
        bearer: null,
        host: `${pageHost}:${door.port}`,
        headers: {
          Cookie: "localhostess_session=session",
          "Content-Type": "application/json",
          Origin: own(door),
        },
        body: JSON.stringify(bodies[path] ?? {}),
      });
      expect([got.status, got.error]).toEqual([403, "forbidden"]);
      expect(door.backend.ended).toBe(0);
    },
  );

  test("is nobody else's: another user's client has no use for it", async () => {
    const door = httpDoor({ page, ownClient: () => false });
    expect(await withCookie(door, { "Sec-Fetch-Site": "same-origin" })).toBe(false);
    // The twin: without the look at whose the client is, it would be of use.
    const blind = httpDoor({
      page,
      ownClient: () => false,
      layers: { ...layers, own: () => true },
    });
    expect(await withCookie(blind, { "Sec-Fetch-Site": "same-origin" })).toBe(true);
    // The system does not tell: then the cookie is all there is.
    expect(await withCookie(httpDoor({ page, ownClient: () => undefined }), {})).toBe(true);
  });

  test("an origin that CORS admits gets nothing by a cookie", async () => {
    const door = httpDoor({ page, allowedOrigins: ["http://app.localhost"] });
    expect(await withCookie(door, { Origin: "http://app.localhost" })).toBe(false);
  });
});

describe("wrong credentials", () => {
  test("a thousand of them are slowed down, and the right one still works", async () => {
    const clock = new FakeClock();
    const door = httpDoor({ clock });
    const seen = new Map<number, number>();
    for (let n = 0; n < 1000; n++) {
      const wrong = n.toString(16).padStart(64, "0");
      const { status, headers } = await ask(door, "/v1/ping", { bearer: wrong });
      seen.set(status, (seen.get(status) ?? 0) + 1);
      if (status === 429) expect(Number(headers.get("retry-after"))).toBeWithin(1, 11);
      if (n % 100 === 99) expect((await ask(door, "/v1/ping")).status).toBe(200);
    }
    expect([...seen]).toEqual([
      [401, 30],
      [429, 970],
    ]);
    clock.advance(10_000);
    expect((await ask(door, "/v1/ping", { bearer: "wrong" })).status).toBe(401);
  });

  test("none of them is told anywhere, and neither is the right one", async () => {
    const door = httpDoor();
    door.backend.look = () => Promise.reject(new Error("it failed"));
    const answers = [
      await ask(door, `/v1/events?token=${credential}x`, { bearer: null }),
      await ask(door, `/v1/${credential}`),
      await ask(door, `/v1/ping?token=${credential}`),
      await ask(door, `/v1/service?name=${credential}`),
      await ask(door, "/v1/look"),
      await post(door, "/v1/trust", { action: credential }),
      await post(door, "/v1/shutdown", { [credential]: 1 }),
      await post(door, "/v1/shutdown", `{"${credential}`),
    ];
    for (const { status } of answers) expect(status).toBeGreaterThanOrEqual(400);
    // What was put into a field by somebody who has it may be repeated to them, and to nobody else.
    const unasked = [answers[0]!, answers[1]!, answers[2]!, answers[4]!, answers[7]!];
    for (const { text, headers } of unasked) {
      expect(text).not.toContain(credential);
      expect(JSON.stringify([...headers])).not.toContain(credential);
    }
    expect(door.faults.map(String).join()).not.toContain(credential);
    expect(JSON.stringify(door.backend.feed.lines())).not.toContain(credential);
  });

  test.each([
    `Basic ${btoa(`:${credential}`)}`,
    `Digest ${credential}`,
    credential,
    `Bearer`,
    `Bearer  `,
    `Bearer "${credential}"`,
    `Bearer ${credential},Bearer ${credential}`,
    `Bearer ${credential} x`,
    `BearerX ${credential}`,
    `Proof ${credential}`,
  ])("Authorization: %s is none", async (authorization) => {
    const got = await ask(httpDoor(), "/v1/ping", {
      bearer: null,
      headers: { Authorization: authorization },
    });
    expect(got.status).toBe(401);
  });
});

describe("a proof in the credential's place", () => {
  const proofFor = (door: TestDoor, authority = `127.0.0.1:${door.port}`, secret = credential) => {
    const nonce = newNonce();
    return {
      nonce,
      headers: { Authorization: `Proof ${nonce}.${clientProof(secret, { nonce, authority })}` },
    };
  };

  test("is answered by ours, on the handshake's route only", async () => {
    const door = httpDoor();
    const { nonce, headers } = proofFor(door);
    const got = await ask(door, "/v1/handshake", { bearer: null, headers });
    const told = JSON.parse(got.text) as {
      id: string;
      pid: number;
      protocol: string;
      proof: string;
    };
    expect(told.id).toBe(launch);
    expect(told.proof).toBe(daemonProof(credential, { nonce, ...told }));
    for (const { path, method } of commands) {
      // A door of its own: one does not listen to as many wrong credentials as there are routes.
      const another = httpDoor();
      const its = proofFor(another).headers;
      const other = await ask(another, path, { bearer: null, headers: its, method });
      expect([path, other.status]).toEqual([path, 401]);
    }
    expect(
      (await ask(door, "/v1/handshake", { bearer: null, headers, method: "POST" })).status,
    ).toBe(401);
  });

  test("for another port, by another secret or in pieces is none", async () => {
    const door = httpDoor();
    const wrong = [
      proofFor(door, `127.0.0.1:${door.port + 1}`),
      proofFor(door, undefined, "0".repeat(64)),
      { headers: { Authorization: "Proof " } },
      { headers: { Authorization: `Proof ${"0".repeat(64)}.${"0".repeat(64)}` } },
    ];
    for (const { headers } of wrong) {
      expect((await ask(door, "/v1/handshake", { bearer: null, headers })).status).toBe(401);
    }
    const rebound = await ask(door, "/v1/handshake", {
      ...proofFor(door),
      bearer: null,
      host: "evil.com",
    });
    expect(rebound.status).toBe(421);
  });
});

describe("bodies", () => {
  const head = (door: TestDoor, more: string, show = bearer) =>
    `POST /v1/trust HTTP/1.1\r\nHost: 127.0.0.1:${door.port}\r\n${show}\r\nContent-Type: application/json\r\n${more}\r\n\r\n`;

  test("that are announced too large are not read", async () => {
    const door = httpDoor();
    const client = await connectRaw(door.port, { send: head(door, "Content-Length: 1048577") });
    expect(await client.rest()).toContain("413 Content Too Large");
    client.close();
  });

  test("that do not end are cut at the limit", async () => {
    const door = httpDoor();
    const client = await connectRaw(door.port, { send: head(door, "Transfer-Encoding: chunked") });
    const chunk = `10000\r\n${"x".repeat(0x10000)}\r\n`;
    for (let n = 0; n < 64 && !client.over && !client.text.includes("413"); n++) {
      await client.send(chunk).sent();
    }
    await client.until("413 Content Too Large");
    await client.until('"too_long"');
    client.reset();
    await eventually("it is gone", () => door.connections === 0);
  });

  test("of strangers are not waited for", async () => {
    const door = httpDoor();
    const client = await connectRaw(door.port, {
      send: head(door, "Content-Length: 1000000", "X: y"),
    });
    expect(await client.rest()).toStartWith("HTTP/1.1 401");
    client.close();
  });

  test.each([
    ["", "bad_json"],
    ["{", "bad_json"],
    ["\xff", "bad_json"],
    ['{"action":"status"}}', "bad_json"],
    ["[".repeat(500_000), "bad_json"],
    [`{"action":${"[".repeat(100)}${"]".repeat(100)}}`, "bad_json"],
    ["null", "bad_request"],
    ["[]", "bad_request"],
    ['"status"', "bad_request"],
    ["1", "bad_request"],
    ["{}", "bad_request"],
    ['{"action":"status","action2":1}', "bad_request"],
    ['{"__proto__":{"action":"status"}}', "bad_request"],
    ['{"action":["status"]}', "bad_request"],
    ['{"action":"status"}', "unsupported"],
  ])("%# are read strictly", async (body, error) => {
    const door = httpDoor();
    const got = await ask(door, "/v1/trust", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: Buffer.from(body, "latin1"),
    });
    expect(got.error).toBe(error);
    expect(door.faults).toEqual([]);
  });

  test("a GET has none", async () => {
    const door = httpDoor();
    expect((await ask(door, "/v1/ping", { body: "{}" })).status).toBe(413);
  });

  test("heads have an end too", async () => {
    const door = httpDoor();
    const client = await connectRaw(door.port, { send: "GET /v1/ping HTTP/1.1\r\n" });
    const line = `X: ${"y".repeat(8000)}\r\n`;
    for (let n = 0; n < 64 && !client.text.includes("431"); n++) {
      await client.send(line).sent();
      await turn();
    }
    await client.until("431 Request Header Fields Too Large");
    client.reset();
  });

  test("a client that dies in the middle, cut in half everywhere, harms nobody", async () => {
    const door = httpDoor();
    const body = '{"action":"status"}';
    const whole = head(door, `Content-Length: ${body.length}`) + body;
    for (let cut = 1; cut < whole.length; cut += 7) {
      const client = await connectRaw(door.port, { send: whole.slice(0, cut) });
      if (cut % 2 === 0) client.reset();
      else client.close();
    }
    await eventually("all are gone", () => door.connections === 0);
    expect((await ask(door, "/v1/ping")).status).toBe(200);
    expect(door.faults).toEqual([]);
  });
});

test("more connections than it takes are closed, and it goes on with those it has", async () => {
  const door = httpDoor();
  const clients = await Promise.all(Array.from({ length: 600 }, () => connectRaw(door.port)));
  await eventually(
    "the last of them are closed",
    () => clients.filter((its) => its.over).length >= 88,
  );
  expect(door.connections).toBeLessThanOrEqual(512);
  for (const client of clients) client.reset();
  await eventually("all are gone", () => door.connections === 0);
  expect((await ask(door, "/v1/ping")).status).toBe(200);
});
