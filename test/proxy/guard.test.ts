/** The cross-site guard: every client x kind of request x setting. */
import { describe, expect, test } from "bun:test";
import { allowing, deniedText, waysToAllow } from "../../src/routes/denial.ts";
import {
  evil,
  fetched,
  formType,
  fromElsewhere,
  judged,
  opened,
  socket,
  verdict,
} from "../support/guarded.ts";

/** What a page can make a browser ask for: the request line and its fields, without those that say who asks. */
const kinds: Record<string, { line: string; fields: string[]; named: string }> = {
  navigation: { line: "GET /a?b", fields: opened, named: "request" },
  "navigation by HEAD": { line: "HEAD /", fields: opened, named: "request" },
  form: { line: "POST /login", fields: [...opened, formType], named: "form" },
  fetch: { line: "GET /", fields: fetched("cors", "empty"), named: "request" },
  "fetch that changes": { line: "PUT /", fields: fetched("cors", "empty"), named: "request" },
  beacon: { line: "POST /", fields: fetched("no-cors", "empty"), named: "request" },
  preflight: {
    line: "OPTIONS /",
    fields: [...fetched("cors", "empty"), "Access-Control-Request-Method: PUT"],
    named: "preflight",
  },
  image: { line: "GET /", fields: fetched("no-cors", "image"), named: "request" },
  script: { line: "GET /", fields: fetched("no-cors", "script"), named: "request" },
  worker: { line: "GET /", fields: fetched("same-origin", "worker"), named: "request" },
  EventSource: { line: "GET /", fields: fetched("cors", "empty"), named: "request" },
  frame: { line: "GET /", fields: fetched("navigate", "iframe"), named: "frame" },
  "form in a frame": { line: "POST /", fields: fetched("navigate", "iframe"), named: "frame" },
  object: { line: "GET /", fields: fetched("navigate", "object"), named: "frame" },
  embed: { line: "GET /", fields: fetched("navigate", "embed"), named: "frame" },
  WebSocket: { line: "GET /", fields: socket, named: "websocket" },
  "WebSocket of Firefox": {
    line: "GET /",
    fields: [...socket, ...fetched("websocket", "empty")],
    named: "websocket",
  },
  prerender: {
    line: "GET /",
    fields: [...opened, "Sec-Purpose: prefetch;prerender"],
    named: "request",
  },
};

/** Kinds that a page of another site may cause: the person's tab goes there. */
const follows = ["navigation", "navigation by HEAD", "prerender"];
/** Without Sec-Fetch, as at `http://api/`, nothing tells these from a person's own request. */
const unsafe = ["form", "fetch that changes", "beacon", "preflight", "form in a frame"];
const sockets = ["WebSocket", "WebSocket of Firefox"];

const clients: Record<string, { fields: string[]; refused: (kind: string) => boolean }> = {
  "a stranger": { fields: [fromElsewhere, evil], refused: (kind) => !follows.includes(kind) },
  "a stranger with a Referer only": {
    fields: [fromElsewhere, "Referer: https://evil.example/a"],
    refused: (kind) => !follows.includes(kind),
  },
  "a stranger that says nothing": {
    fields: [fromElsewhere],
    refused: (kind) => !follows.includes(kind),
  },
  "a sandboxed page": {
    fields: [fromElsewhere, "Origin: null"],
    refused: (kind) => !follows.includes(kind),
  },
  "a stranger with a Referer of ours beside its Origin": {
    fields: [fromElsewhere, evil, "Referer: http://web.localhost/"],
    refused: (kind) => !follows.includes(kind),
  },
  "a page of ours": {
    fields: [fromElsewhere, "Origin: http://web.localhost:9090"],
    refused: () => false,
  },
  "a page of ours with a Referer only": {
    fields: [fromElsewhere, "Referer: http://web.localhost:9090/a?b"],
    refused: () => false,
  },
  "an app on a port": {
    fields: [fromElsewhere, "Origin: http://localhost:5173"],
    refused: () => false,
  },
  "its own page": { fields: ["Sec-Fetch-Site: same-origin", evil], refused: () => false },
  "a page of its site": { fields: ["Sec-Fetch-Site: same-site", evil], refused: () => false },
  "a person": { fields: ["Sec-Fetch-Site: none"], refused: () => false },
  "a program": { fields: [], refused: () => false },
  "a program with a Referer": { fields: ["Referer: https://evil.example/"], refused: () => false },
  "a stranger, without Sec-Fetch": {
    fields: [evil],
    refused: (kind) => unsafe.includes(kind) || sockets.includes(kind),
  },
  "a sandboxed page, without Sec-Fetch": {
    fields: ["Origin: null"],
    refused: (kind) => unsafe.includes(kind) || sockets.includes(kind),
  },
  "a page of ours, without Sec-Fetch": {
    fields: ["Origin: http://api.localhost"],
    refused: () => false,
  },
};

for (const [client, { fields, refused }] of Object.entries(clients)) {
  test(`what ${client} may ask for`, () => {
    for (const [kind, its] of Object.entries(kinds)) {
      // Without Sec-Fetch-Site, a browser sends none of the others.
      const says = fields.some((field) => field.startsWith("Sec-Fetch-Site"));
      const of = says ? its.fields : its.fields.filter((field) => !field.startsWith("Sec-"));
      const asked = { line: its.line, fields: [...fields, ...of] };
      const frameOrForm = kind === "form in a frame" && !says ? "request" : its.named;
      const wanted = refused(kind) ? frameOrForm : "passes";
      expect(`${kind}: ${verdict(asked)}`).toBe(`${kind}: ${wanted}`);
      const listed = { allowOrigins: ["https://evil.example"] };
      const isListed = fields.some((field) => /^(?:Origin|Referer): https:\/\/evil/.test(field));
      const byList = isListed ? "passes" : wanted;
      expect(`${kind}: ${verdict({ ...asked, settings: listed })}`).toBe(`${kind}: ${byList}`);
      const off = verdict({ ...asked, settings: { guard: "off" } });
      expect(`${kind}: ${off}`).toBe(`${kind}: passes`);
      const log = judged({ ...asked, settings: { guard: "log" } });
      expect(`${kind}: ${log?.kind ?? "passes"}`).toBe(`${kind}: ${wanted}`);
      expect(log?.refused ?? false).toBe(false);
    }
  });
}

describe('guard = "strict"', () => {
  const strict = (host: string, origin: string): string =>
    verdict({
      ...{ line: "PUT /", host, fields: [fromElsewhere, `Origin: ${origin}`] },
      settings: { guard: "strict" },
    });

  test.each<[host: string, origin: string, passes: boolean]>([
    ["api.localhost", "http://api.localhost", true],
    ["api.localhost", "https://x.api.localhost:9090", true],
    ["api.localhost", "http://api.test", true],
    ["x.api.localhost", "http://api.localhost", true],
    ["api.localhost", "http://web.localhost", false],
    ["api.localhost", "http://localhost:5173", false],
    ["api.localhost", "http://127.0.0.1", false],
    ["api.localhost", "https://evil.example", false],
    ["api.shop.localhost", "http://shop.localhost", true],
    ["api.shop.localhost", "http://api.shop.localhost", true],
    ["api.shop.test", "http://shop.localhost", true],
    ["shop.localhost", "http://api.shop.localhost:9090", true],
    ["shop.localhost", "http://other.shop.localhost", true],
    ["shop.localhost", "http://blog.shop.localhost", false],
    ["shop.localhost", "http://api.localhost", false],
    ["shop.localhost", "http://localhost:3000", false],
  ])("%s is asked by %s: passes %p", (host, origin, passes) => {
    expect(strict(host, origin)).toBe(passes ? "passes" : "request");
  });

  test("a listed origin passes, whosever it is", () => {
    const settings = { guard: "strict", allowOrigins: ["http://localhost:5173"] } as const;
    const asked = {
      line: "PUT /",
      fields: [fromElsewhere, "Origin: http://localhost:5173"],
      settings,
    };
    expect(verdict(asked)).toBe("passes");
    const refused = judged({ ...asked, settings: { guard: "strict" } })!;
    expect(refused).toMatchObject({ strict: true });
    expect(waysToAllow(refused).at(-1)!.line).toBe('guard = "on"');
  });
});

describe('allow_posts = ["/auth/callback"]', () => {
  const settings = { allowPosts: ["/auth/callback"] };
  const posted = (line: string, fields: string[]): string => verdict({ line, fields, settings });

  test("lets a form's POST to that path pass, with any query and from any site", () => {
    expect(posted("POST /auth/callback", [fromElsewhere, evil, ...opened, formType])).toBe(
      "passes",
    );
    expect(posted("POST /auth/callback?a=b", [fromElsewhere, evil, ...opened, formType])).toBe(
      "passes",
    );
    expect(
      posted("POST /auth/callback", [fromElsewhere, "Origin: null", ...opened, formType]),
    ).toBe("passes");
    // At an insecure URL, browsers do not say that it is a navigation.
    expect(posted("POST /auth/callback", [evil, formType])).toBe("passes");
  });

  test("lets nothing else pass", () => {
    const fields = [fromElsewhere, evil, ...opened, formType];
    for (const path of ["/", "/auth/callback/", "/auth/callback/x", "/AUTH/callback", "/auth"]) {
      expect(`${path} ${posted(`POST ${path}`, fields)}`).toBe(`${path} form`);
    }
    expect(posted("POST /auth/../auth/callback", fields)).toBe("form");
    expect(posted("PUT /auth/callback", fields)).toBe("request");
    expect(posted("POST /auth/callback", [fromElsewhere, evil, ...fetched("cors", "empty")])).toBe(
      "request",
    );
    expect(
      posted("POST /auth/callback", [fromElsewhere, evil, ...fetched("navigate", "iframe")]),
    ).toBe("frame");
    expect(posted("POST /auth/callback", [evil, "Content-Type: application/json"])).toBe("request");
    expect(posted("POST /auth/callback", [evil, formType, ...socket])).toBe("websocket");
    const preflight = [evil, "Access-Control-Request-Method: POST", formType];
    expect(posted("OPTIONS /auth/callback", preflight)).toBe("preflight");
  });
});

test("a preflight is judged as the request that it asks for", () => {
  const wants = (method: string) => [evil, `Access-Control-Request-Method: ${method}`];
  expect(verdict({ line: "OPTIONS /", fields: wants("GET") })).toBe("passes");
  expect(verdict({ line: "OPTIONS /", fields: wants("DELETE") })).toBe("preflight");
  expect(verdict({ line: "OPTIONS /", fields: [fromElsewhere, ...wants("GET")] })).toBe(
    "preflight",
  );
  expect(verdict({ line: "OPTIONS /", fields: [evil] })).toBe("passes");
});

test("a whole URL is judged by its own path", () => {
  const settings = { allowPosts: ["/auth/callback"] };
  const fields = [fromElsewhere, evil, ...opened];
  const asked = { host: "api", mode: "forward", fields, settings } as const;
  expect(verdict({ ...asked, line: "POST http://api/auth/callback?x" })).toBe("passes");
  expect(verdict({ ...asked, line: "POST http://api/" })).toBe("form");
});

test("the file that is told is one that has a place for the line", () => {
  const file = (host: string): string =>
    allowing(judged({ host, line: "PUT /", fields: [fromElsewhere, evil] })!).file;
  expect(file("api.shop.localhost")).toBe("[services.api] of its locald.toml");
  expect(file("api.localhost")).toBe("[names.api] of config.toml");
  // A Procfile's.
  expect(file("blog.shop.localhost")).toBe('[names."blog.shop"] of config.toml');
});

test("what is told of a request has an end, and nothing that a terminal could take for a command", () => {
  const long = "a".repeat(9_000);
  const said = judged({
    line: `POST /${long}`,
    fields: [fromElsewhere, `Origin: https://${long}.example`, ...opened, formType],
  })!;
  expect(deniedText(said).length).toBeLessThan(1_000);
  const odd = judged({
    line: "POST /\x9b31m",
    fields: [fromElsewhere, evil, ...opened, formType],
  })!;
  expect(allowing(odd).line).toBe('allow_posts = ["/%C2%9B31m"]');
  expect(deniedText(odd)).toMatch(/^[\x20-\x7e]+$/);
});
