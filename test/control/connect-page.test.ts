/** A page of another origin gets the credential for its token: once, in time, from that origin only. */
import { describe, expect, test } from "bun:test";
import { commands } from "../../src/control/commands/commands.ts";
import { protocol } from "../../src/control/found/protocol.ts";
import { type Layers, layers } from "../../src/control/http/gate.ts";
import { exchangePath, pageTokens, type PageTokens } from "../../src/control/http/page-tokens.ts";
import { eventually } from "../support/eventually.ts";
import { FakeClock } from "../support/fake-clock.ts";
import { connectRaw } from "../support/raw-end.ts";
import {
  ask,
  type AskOptions,
  credential,
  fakeBackend,
  httpDoor,
  post,
  readAnswer,
} from "./doors.ts";

const allowed = "http://app.example:5173";
const second = "https://app.example";

type SceneOptions = { more?: Partial<Layers>; ownClient?: () => boolean | undefined };

function scene({ more = {}, ownClient }: SceneOptions = {}) {
  const clock = new FakeClock();
  let secret = credential;
  const allowedOrigins = [allowed, second];
  const made = (): PageTokens => pageTokens({ clock, credential: () => secret, allowedOrigins });
  const tokens = made();
  const backend = fakeBackend();
  const door = httpDoor({
    backend,
    allowedOrigins,
    credential: () => secret,
    pageTokens: tokens,
    layers: { ...layers, ...more },
    ...(ownClient === undefined ? {} : { ownClient }),
  });
  backend.connectPage = (url) => tokens.link(url, door.url);
  const tokenFor = (page = `${allowed}/`): string =>
    new URLSearchParams(new URL(tokens.link(page, door.url).url).hash.slice(1)).get(
      "localhostess_token",
    )!;
  return {
    clock,
    door,
    made,
    tokenFor,
    exchange: (token: string, { origin = allowed, ...rest }: Exchange = {}) =>
      ask(door, exchangePath, {
        method: "POST",
        bearer: null,
        ...rest,
        headers: {
          Authorization: `Token ${token}`,
          ...(origin === null ? {} : { Origin: origin }),
          ...rest.headers,
        },
      }),
    replaceCredential() {
      secret = "f00d".repeat(16);
    },
  };
}

type Exchange = AskOptions & { origin?: string | null };

describe("the link", () => {
  test("is the page's URL; what is secret is in the fragment, which no server gets", async () => {
    const { door } = scene();
    const got = await post(door, "/v1/connect-page", { url: `${allowed}/a/b?c=d` });
    const { url, origin } = JSON.parse(got.text) as { url: string; origin: string };
    expect(origin).toBe(allowed);
    const { pathname, search, hash } = new URL(url);
    expect([pathname, search]).toEqual(["/a/b", "?c=d"]);
    const fragment = new URLSearchParams(hash.slice(1));
    expect([...fragment.keys()]).toEqual(["localhostess_token", "localhostess_url"]);
    expect(fragment.get("localhostess_token")).toMatch(/^[0-9a-f]{64}$/);
    expect(fragment.get("localhostess_url")).toBe(door.url);
    expect(url).not.toContain(credential);
  });

  test.each([
    ["http://evil.example/", "forbidden"],
    ["http://app.example/", "forbidden"],
    ["https://app.example:5173/", "forbidden"],
    ["http://app.example.evil.example:5173/", "forbidden"],
    ["http://app.example:5173@evil.example/", "bad_request"],
    ["http://me:pass@app.example:5173/", "bad_request"],
    ["http://app.example:5173/#/route", "bad_request"],
    ["http://app.example:5173/#", "bad_request"],
    ["javascript:alert(1)", "bad_request"],
    ["file:///tmp/page.html", "bad_request"],
    ["data:text/html,x", "bad_request"],
    ["blob:http://app.example:5173/x", "bad_request"],
    ["/a/b", "bad_request"],
    ["", "bad_request"],
  ])("there is none to %s", async (url, error) => {
    const { door } = scene();
    expect((await post(door, "/v1/connect-page", { url })).error).toBe(error);
  });

  test("spelled otherwise is the same page", async () => {
    const { door } = scene();
    const got = await post(door, "/v1/connect-page", { url: "HTTPS://APP.example:443" });
    expect(JSON.parse(got.text)).toMatchObject({ origin: second });
  });

  test("is made for whoever has the credential only", async () => {
    const { door } = scene();
    const headers = { "Content-Type": "application/json", Origin: allowed };
    const body = JSON.stringify({ url: `${allowed}/` });
    const options = { method: "POST", bearer: null, headers, body };
    expect((await ask(door, "/v1/connect-page", options)).status).toBe(401);
  });
});

describe("the exchange", () => {
  test("gives the page the credential, readable by its origin, and kept in no cache", async () => {
    const { door, exchange, tokenFor } = scene();
    const got = await exchange(tokenFor());
    expect(JSON.parse(got.text)).toEqual({
      credential,
      url: door.url,
      protocol,
      version: "0.1.0",
    });
    expect(got.status).toBe(200);
    expect(got.headers.get("access-control-allow-origin")).toBe(allowed);
    expect(got.headers.get("vary")).toBe("Origin");
    expect(got.headers.get("cache-control")).toBe("no-store");
    expect(got.headers.has("set-cookie")).toBe(false);
  });

  test("is granted to a preflight of that origin, also where a browser asks for the private network", async () => {
    const { door } = scene();
    const preflight = (origin: string) =>
      ask(door, exchangePath, {
        method: "OPTIONS",
        bearer: null,
        headers: {
          Origin: origin,
          "Access-Control-Request-Method": "POST",
          "Access-Control-Request-Headers": "authorization",
          "Access-Control-Request-Private-Network": "true",
        },
      });
    const granted = await preflight(allowed);
    expect(granted.status).toBe(204);
    expect(granted.headers.get("access-control-allow-private-network")).toBe("true");
    expect(granted.headers.get("access-control-allow-headers")).toContain("Authorization");
    const refused = await preflight("http://evil.example");
    expect(refused.status).toBe(401);
    expect([...refused.headers.keys()].filter((name) => name.startsWith("access-"))).toEqual([]);
  });

  test("a token is used up by the first exchange", async () => {
    const { exchange, tokenFor } = scene();
    const token = tokenFor();
    expect((await exchange(token)).status).toBe(200);
    const again = await exchange(token);
    expect([again.status, again.error]).toEqual([401, "unauthorized"]);
    expect(again.text).not.toContain(credential);
  });

  test("of ten at once, and of two whose heads came first, one succeeds", async () => {
    let judged = 0;
    const own = () => {
      judged++;
      return true;
    };
    const { door, exchange, tokenFor } = scene({ more: { own } });
    const token = tokenFor();
    const all = await Promise.all(Array.from({ length: 10 }, () => exchange(token)));
    expect(all.map(({ status }) => status).sort()).toEqual([200, ...Array(9).fill(401)]);
    judged = 0;
    const next = tokenFor();
    const head = `POST ${exchangePath} HTTP/1.1\r\nHost: 127.0.0.1:${door.port}\r\nOrigin: ${allowed}\r\nAuthorization: Token ${next}\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n`;
    const clients = await Promise.all([
      connectRaw(door.port, { send: head }),
      connectRaw(door.port, { send: head }),
    ]);
    await eventually("both heads have been let in", () => judged === 2);
    const answers = await Promise.all(
      clients.map(async (client) => {
        client.send("0\r\n\r\n");
        return readAnswer(await client.rest()).status;
      }),
    );
    expect(answers.sort()).toEqual([200, 401]);
    for (const client of clients) client.close();
  });

  test("a request that is cut in half uses nothing up", async () => {
    let judged = 0;
    const own = () => {
      judged++;
      return true;
    };
    const { door, exchange, tokenFor } = scene({ more: { own } });
    const token = tokenFor();
    const client = await connectRaw(door.port, {
      send: `POST ${exchangePath} HTTP/1.1\r\nHost: 127.0.0.1:${door.port}\r\nOrigin: ${allowed}\r\nAuthorization: Token ${token}\r\nTransfer-Encoding: chunked\r\n\r\n`,
    });
    await eventually("the head has been let in", () => judged === 1);
    client.reset();
    expect((await exchange(token)).status).toBe(200);
  });

  test("is over after 60 seconds", async () => {
    const { clock, exchange, tokenFor } = scene();
    const [early, late] = [tokenFor(), tokenFor()];
    clock.advance(59_999);
    expect((await exchange(early)).status).toBe(200);
    clock.advance(1);
    expect((await exchange(late)).status).toBe(401);
  });

  test("another daemon, and another credential, know nothing of the token", async () => {
    const { made, exchange, replaceCredential, tokenFor } = scene();
    const token = tokenFor();
    expect(made().holds(token, allowed)).toBe(false);
    replaceCredential();
    expect((await exchange(token)).status).toBe(401);
  });

  test.each([
    ["another allowed origin", second],
    ["a stranger's origin", "http://evil.example"],
    ["a frame without an origin", "null"],
    ["a program that sends none", null],
    ["two at once", `${allowed}, ${second}`],
  ])("%s gets nothing, and does not use the token up", async (_, origin) => {
    const { exchange, tokenFor } = scene();
    const token = tokenFor();
    const got = await exchange(token, { origin });
    expect([got.status, got.error]).toEqual([401, "unauthorized"]);
    expect(got.text).not.toContain(credential);
    expect((await exchange(token)).status).toBe(200);
  });

  test("guesses are refused, slowed down, and keep nobody from the right token", async () => {
    const { exchange, tokenFor } = scene();
    const token = tokenFor();
    const guesses = [token.slice(0, 63), `${token}0`, token.replace(/^./, "g"), "", "x".repeat(64)];
    for (const guess of guesses) expect((await exchange(guess)).status).toBe(401);
    const many = [];
    for (let n = 0; n < 40; n++)
      many.push((await exchange(n.toString(16).padStart(64, "0"))).status);
    expect(many).toContain(429);
    expect((await exchange(token)).status).toBe(200);
  });

  test("a token opens no other door, nor by another method, nor from the query or a cookie", async () => {
    const { door, exchange, tokenFor } = scene();
    const token = tokenFor();
    const headers = {
      Authorization: `Token ${token}`,
      Origin: allowed,
      "Content-Type": "application/json",
    };
    for (const { path, method } of commands) {
      const got = await ask(door, path, { method, bearer: null, headers });
      expect([path, got.status === 401 || got.status === 429]).toEqual([path, true]);
    }
    for (const options of [
      { method: "GET", headers },
      { method: "PUT", headers },
      { method: "POST", headers: { ...headers, Authorization: `Bearer ${token}` } },
      { method: "POST", headers: { Origin: allowed, Cookie: `localhostess_session=${token}` } },
    ]) {
      const { status } = await ask(door, exchangePath, { ...options, bearer: null });
      expect([401, 429]).toContain(status);
    }
    for (const path of ["/v1/events", exchangePath]) {
      const got = await ask(door, `${path}?token=${token}`, {
        bearer: null,
        headers: { Origin: allowed },
      });
      expect([401, 429]).toContain(got.status);
    }
    const wrongHost = await exchange(token, { host: `evil.example:${door.port}` });
    expect(wrongHost.status).toBe(421);
    expect((await exchange(token)).status).toBe(200);
  });

  test("the credential is not exchanged, and a body is too long", async () => {
    const { door, exchange, tokenFor } = scene();
    const got = await ask(door, exchangePath, { method: "POST", headers: { Origin: allowed } });
    expect([got.status, got.error]).toEqual([400, "bad_request"]);
    expect((await ask(door, exchangePath)).status).toBe(405);
    const token = tokenFor();
    expect((await exchange(token, { body: "{}" })).status).toBe(413);
    expect((await exchange(token)).status).toBe(200);
  });

  test("another user's program, which may have read the token in a list of processes, gets nothing", async () => {
    let own: boolean | undefined = false;
    const { exchange, tokenFor } = scene({ ownClient: () => own });
    const token = tokenFor();
    expect((await exchange(token)).status).toBe(401);
    // The system does not tell: then the token and the origin are all there is.
    own = undefined;
    expect((await exchange(token)).status).toBe(200);
  });
});

describe("each layer is there for a reason: without it", () => {
  test("a token runs a command", async () => {
    const { door, tokenFor } = scene({ more: { exchange: () => true } });
    const got = await ask(door, "/v1/ping", {
      bearer: null,
      headers: { Authorization: `Token ${tokenFor()}`, Origin: allowed },
    });
    expect(got.status).toBe(200);
  });

  test("another user exchanges it", async () => {
    const { exchange, tokenFor } = scene({ ownClient: () => false, more: { own: () => true } });
    expect((await exchange(tokenFor())).status).toBe(200);
  });
});
