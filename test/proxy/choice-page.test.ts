/** The page on which a browser chooses a checkout: whose requests change something, and what they may lead to. */
import { describe, expect, test } from "bun:test";
import { choiceReply } from "../../src/proxy/pages/choice-page.ts";
import { choiceAsked, pathIn } from "../../src/proxy/request/choice.ts";
import { Destinations } from "../../src/proxy/request/destination.ts";
import { Dialects } from "../../src/proxy/upstream/dialect.ts";
import { useIn } from "../../src/proxy/upstream/use-fields.ts";
import type { Choice } from "../../src/routes/origins.ts";
import { routeTable } from "../../src/routes/table.ts";
import { encode } from "../../src/wire/bytes.ts";
import { RequestFraming } from "../../src/wire/framing.ts";
import { RequestHead } from "../../src/wire/head.ts";
import { readTarget, type Target } from "../../src/wire/target.ts";
import { FakeClock } from "../support/fake-clock.ts";
import { connectRaw } from "../support/raw-end.ts";
import { ok, RawServer } from "../support/raw-server.ts";
import {
  startTestProxy,
  testCheckouts,
  testRepository,
  testService,
} from "../support/test-proxy.ts";

type Asked = {
  line?: string;
  host?: string;
  fields?: readonly string[];
  secure?: boolean;
  choices?: readonly Choice[];
  wants?: "html" | "json" | "text";
};

const page = "/.localhostess/use";
const change = `${page}?worktree=fix-nav`;

function reply({
  line = `GET ${page}`,
  host = "shop.localhost:9090",
  fields = [],
  secure = false,
  choices = [],
  wants = "html",
}: Asked) {
  const table = routeTable(
    [
      testService("shop", { port: 1, label: "" }),
      testService("fix-nav.shop", { port: 2, label: "fix-nav" }),
    ],
    { checkouts: testCheckouts, choices },
  );
  const bytes = encode(`${[`${line} HTTP/1.1`, `Host: ${host}`, ...fields].join("\r\n")}\r\n\r\n`);
  const head = new RequestHead();
  const framing = new RequestFraming();
  expect(head.read(bytes).kind).toBe("done");
  expect(framing.read(head, bytes)).toBeUndefined();
  const target = readTarget(head, bytes, { connect: false, secured: secure }) as Target;
  const use = useIn(head, bytes);
  const destination = new Destinations().find(
    encode(host),
    { start: 0, end: host.length },
    {
      ...{ mode: "direct", use, client: "127.0.0.1", secure, table, ownPorts: [9090] },
      ...{ urlPorts: { http: 9090, https: 9090 }, instance: "0" },
      dialects: new Dialects(new FakeClock(), () => table),
    },
  )!;
  const asked = choiceAsked(head, bytes, { target, destination, origin: destination.origin! });
  return asked && choiceReply(asked, { wants });
}

/** Those of the answer, in order: without a domain, or those with one. */
function cookiesIn(asked: Asked, { wider }: { wider: boolean }): string[] {
  const all = (reply(asked)?.fields ?? []).filter(([name]) => name === "Set-Cookie");
  return all.map(([, value]) => value).filter((its) => its.includes("Domain=") === wider);
}

function cookieIn(asked: Asked): string | undefined {
  return cookiesIn(asked, { wider: false })[0];
}

const typed = ["Sec-Fetch-Site: none", "Sec-Fetch-Mode: navigate", "Sec-Fetch-Dest: document"];
const own = ["Sec-Fetch-Site: same-origin", ...typed.slice(1)];
const ownOrigin = "Origin: http://shop.localhost:9090";
const cross = ["Sec-Fetch-Site: cross-site", ...typed.slice(1)];

const allowed: Record<string, Asked> = {
  "an address that is typed": { line: `GET ${change}`, fields: typed },
  "a link of a page of the same origin": { line: `GET ${change}`, fields: own },
  "the page's own form": { line: `POST ${change}`, fields: [...own, ownOrigin] },
  "the form in a browser that says only the origin": {
    line: `POST ${change}`,
    fields: [ownOrigin],
  },
};

const refused: Record<string, Asked> = {
  "a link of another site": { line: `GET ${change}`, fields: cross },
  "an image of another site": {
    line: `GET ${change}`,
    fields: ["Sec-Fetch-Site: cross-site", "Sec-Fetch-Mode: no-cors", "Sec-Fetch-Dest: image"],
  },
  "an image where browsers say nothing": { line: `GET ${change}`, fields: [] },
  "a page of another name of the project": {
    line: `GET ${change}`,
    fields: ["Sec-Fetch-Site: same-site", ...typed.slice(1)],
  },
  "a frame in a page of the same origin": {
    line: `GET ${change}`,
    fields: ["Sec-Fetch-Site: same-origin", "Sec-Fetch-Mode: navigate", "Sec-Fetch-Dest: iframe"],
  },
  "an image of the same origin": {
    line: `GET ${change}`,
    fields: ["Sec-Fetch-Site: same-origin", "Sec-Fetch-Mode: no-cors", "Sec-Fetch-Dest: image"],
  },
  "an address that a browser loads before it is opened": {
    line: `GET ${change}`,
    fields: [...typed, "Sec-Purpose: prefetch;prerender"],
  },
  "a form of another site": {
    line: `POST ${change}`,
    fields: [...cross, "Origin: https://evil.example"],
  },
  "a form of a sandboxed page": { line: `POST ${change}`, fields: [...cross, "Origin: null"] },
  "a form where browsers say only the origin": {
    line: `POST ${change}`,
    fields: ["Origin: http://evil.localhost:9090"],
  },
  "a form of the same host on another port": {
    line: `POST ${change}`,
    fields: ["Origin: http://shop.localhost:3000"],
  },
  "a form of which nothing is said": { line: `POST ${change}`, fields: [] },
  "a form with two origins": {
    line: `POST ${change}`,
    fields: [ownOrigin, "Origin: https://evil.example"],
  },
  "a form of the same origin by another site's word": {
    line: `POST ${change}`,
    fields: ["Sec-Fetch-Site: same-origin", "Origin: null"],
  },
  "another method": { line: `PUT ${change}`, fields: [...own, ownOrigin] },
};

describe("a change by", () => {
  for (const [who, asked] of Object.entries(allowed)) {
    test(`${who} is made, and leads on`, () => {
      const { status, fields } = reply(asked)!;
      expect(status).toBe(303);
      expect(Object.fromEntries(fields)).toMatchObject({
        Location: "/",
        "Set-Cookie": "localhostess-use=fix-nav; Path=/; HttpOnly; SameSite=Lax",
        "Clear-Site-Data": '"cache"',
      });
    });
  }
  for (const [who, asked] of Object.entries(refused)) {
    test(`${who} is not made`, () => {
      const { status, fields } = reply(asked)!;
      expect([200, 403, 405]).toContain(status);
      expect(fields.map(([name]) => name)).not.toContain("Set-Cookie");
    });
  }
});

test("by https the cookie is for https, and goes along with other sites' callbacks", () => {
  const asked = { ...allowed["an address that is typed"], secure: true };
  expect(cookieIn(asked)).toBe(
    "__Host-localhostess-use=fix-nav; Path=/; HttpOnly; Secure; SameSite=None",
  );
});

test("what is ended by https is ended by http too, whose cookie would count there", () => {
  const asked = { line: `GET ${page}?worktree=`, fields: typed, secure: true };
  expect(cookiesIn(asked, { wider: false })).toEqual([
    "__Host-localhostess-use=; Max-Age=0; Path=/; HttpOnly; Secure; SameSite=None",
    "localhostess-use=; Max-Age=0; Path=/; HttpOnly; SameSite=Lax",
  ]);
});

test("a cookie that a server of a longer name has set for this one ends with each choice, and before its own", () => {
  const asked = { line: `GET ${change}`, fields: typed, host: "api.shop.localhost:9090" };
  const domains = ["api.shop.localhost", "shop.localhost"];
  expect(cookiesIn(asked, { wider: true })).toEqual(
    domains.map((its) => `localhostess-use=; Max-Age=0; Domain=${its}; Path=/`),
  );
  expect(
    reply(asked)!
      .fields.filter(([name]) => name === "Set-Cookie")
      .at(-1)![1],
  ).toBe(cookieIn(asked)!);
  expect(cookiesIn({ ...asked, host: "shop" }, { wider: true })).toEqual([]);
});

test("the main checkout is remembered only against what all browsers see", () => {
  const shown: Choice = {
    repository: testRepository,
    root: "/srv/shop-old",
    label: "old",
    of: undefined,
    names: [],
  };
  const line = `GET ${page}?worktree=--`;
  const ended = "localhostess-use=; Max-Age=0; Path=/; HttpOnly; SameSite=Lax";
  expect(cookieIn({ line, fields: typed })).toBe(ended);
  expect(cookieIn({ line, fields: typed, choices: [shown] })).toBe(
    "localhostess-use=--; Path=/; HttpOnly; SameSite=Lax",
  );
  const none = { line: `GET ${page}?worktree=`, fields: typed, choices: [shown] };
  expect(cookieIn(none)).toBe(ended);
});

test("a worktree that there is not cannot be chosen, and nothing of its name is in the answer but text", () => {
  for (const label of ["nosuch", "%22%3E%3Cscript%3E", "a%0d%0aX:%201", "%1b[2J", "a;b", "%ff"]) {
    for (const wants of ["html", "json", "text"] as const) {
      const { status, fields, body } = reply({
        line: `GET ${page}?worktree=${label}`,
        fields: typed,
        wants,
      })!;
      expect(status).toBe(404);
      expect(fields.map(([name]) => name)).not.toContain("Set-Cookie");
      expect(body).not.toMatch(wants === "html" ? /<script>|\x1b|\r/ : /\x1b|\r/);
    }
  }
});

const ways: [to: string | null, path: string][] = [
  [null, "/"],
  ["", "/"],
  ["/login?next=/a#b", "/login?next=/a#b"],
  ["/a/../b", "/b"],
  ["//evil.example", "/"],
  ["//evil.example/login", "/"],
  ["/\\evil.example/login", "/"],
  ["/\\evil.example", "/"],
  ["/.//evil.example", "/"],
  ["/a/..//evil.example", "/"],
  ["/\t/evil.example", "/"],
  ["https://evil.example/", "/"],
  ["javascript:alert(1)", "/"],
  ["evil", "/"],
  ["/a\r\nSet-Cookie: a=b", "/"],
  ["/é", "/"],
  [`/${"a".repeat(3_000)}`, "/"],
];

for (const [to, path] of ways) {
  test(`the way back ${JSON.stringify(to)?.slice(0, 40)} is ${path}`, () => {
    expect(pathIn(to, "http://shop.localhost:9090")).toBe(path);
  });
}

test("only the one path is ours, and a query may follow", () => {
  for (const path of ["/.localhostess/use", "/.localhostess/use?x"]) {
    expect(reply({ line: `GET ${path}` })?.status).toBe(200);
  }
  for (const path of [
    "/",
    "/.localhostess",
    "/.localhostess/us",
    "/.localhostess/use/",
    "/.localhostess/user",
    "/.localhostess/Use",
    "/x/.localhostess/use",
    "/.localhostess/%75se",
  ]) {
    expect(reply({ line: `GET ${path}` })).toBeUndefined();
  }
});

test("the page is no app's frame, runs nothing, and sends its forms to its own origin", () => {
  const { fields, body } = reply({})!;
  const policy = Object.fromEntries(fields)["Content-Security-Policy"]!;
  expect(policy).toContain("default-src 'none'");
  expect(policy).toContain("form-action 'self'");
  expect(policy).toContain("frame-ancestors 'none'");
  expect(policy).not.toContain("allow-scripts");
  expect(body).not.toContain("<script");
  expect(body).toContain("/.localhostess/use?worktree=fix-nav&amp;to=%2F");
});

test("a program reads what there is, and what is shown", () => {
  const fields = ["Cookie: localhostess-use=fix-nav"];
  expect(JSON.parse(reply({ wants: "json", fields })!.body)).toEqual({
    host: "shop.localhost",
    name: "shop",
    worktrees: [
      { label: "fix-nav", name: "fix-nav.shop" },
      { label: "old", name: null },
    ],
    all_browsers: null,
    this_browser: "fix-nav",
  });
  expect(reply({ wants: "text", fields })!.body).toContain("* fix-nav  fix-nav.shop");
});

test("through the proxy, the page is ours for a name with several checkouts, and the app's for any other", async () => {
  using server = new RawServer({ answer: () => ok("the app's") });
  const { port } = server;
  await using proxy = await startTestProxy({
    services: { shop: { port, label: "" }, mail: { port } },
    checkouts: testCheckouts,
  });
  using client = await connectRaw(proxy.port);
  const ask = async (host: string, path: string) => {
    client.send(`GET ${path} HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
    return (await client.message()).body;
  };
  expect(await ask("mail.localhost", page)).toBe("the app's");
  expect(await ask("shop.localhost", "/.localhostess/other")).toBe("the app's");
  expect(await ask("shop.localhost", page)).toContain("what shop.localhost shows");
  // A name of one worktree shows nothing else.
  proxy.setServices({ "fix-nav.shop": { port, label: "fix-nav" } });
  expect(await ask("fix-nav.shop.localhost", page)).toBe("the app's");
  // No server has the plain name.
  expect(await ask("shop.localhost", page)).toContain("what shop.localhost shows");
});
