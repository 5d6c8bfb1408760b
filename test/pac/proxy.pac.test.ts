import { expect, test } from "bun:test";
import { runInNewContext } from "node:vm";
import { type PacFacts, pacFile } from "../../pac/proxy.pac.ts";
import { pacPage } from "../../src/proxy/pages/pac-page.ts";

const proxied = "PROXY 127.0.0.1:9090; DIRECT";

/** What the network has, for an engine that asks it. */
type Network = { v4?: readonly string[]; v6?: readonly string[]; engine?: "Chromium" | "another" };

/** What a browser does: the text alone, in a fresh engine. Everything that is asked of the network is in `asked`. */
function answer(
  host: string,
  facts: Partial<PacFacts> = {},
  { v4 = [], v6 = [], engine = "another", asked = [] }: Network & { asked?: string[] } = {},
): string {
  const isResolvable = (name: string) => asked.push(name) > 0 && v4.includes(name);
  const isResolvableEx = (name: string) => isResolvable(name) || v6.includes(name);
  return runInNewContext(
    `${pacFile({ port: 9090, tlds: [], names: [], ...facts })}\nFindProxyForURL(url, host)`,
    {
      url: `http://${host}/`,
      host,
      isResolvable,
      ...(engine === "Chromium" ? { isResolvableEx } : {}),
    },
  );
}

const labels = [
  "api",
  "API",
  "my-app",
  "my_app",
  "a",
  "3d",
  "0xygen",
  "localhost2",
  "xn--mnchen-3ya",
];

test.each(labels)("the bare name %s goes to the proxy, and without us, direct", (host) => {
  expect(answer(host)).toBe(proxied);
});

test.each(labels)("%s goes direct where the network has it", (host) => {
  expect(answer(host, {}, { v4: [host.toLowerCase()] })).toBe("DIRECT");
});

test.each(labels)(
  "%s goes to the proxy where a service has it, whatever the network has",
  (host) => {
    const name = host.toLowerCase();
    const asked: string[] = [];
    expect(answer(host, { names: ["other", name, "last"] }, { v4: [name], asked })).toBe(proxied);
    expect(asked).toEqual([]);
  },
);

test("a name that the network has by IPv6 only is found where the engine can tell", () => {
  const v6 = ["wiki"];
  expect(answer("wiki", {}, { v6, engine: "Chromium" })).toBe("DIRECT");
  expect(answer("wiki", {}, { v6 })).toBe(proxied);
  expect(answer("api", {}, { v6, engine: "Chromium" })).toBe(proxied);
});

test("a part of a known name is no known name, nor is one that languages know", () => {
  const names = ["shop-api", "apiary", "a", "x.b"];
  const network = { v4: ["api", "shop", "b", "constructor", "__proto__", "a_x"] };
  for (const host of network.v4)
    expect([host, answer(host, { names }, network)]).toEqual([host, "DIRECT"]);
  for (const host of ["shop-api", "apiary", "a"])
    expect(answer(host, { names }, network)).toBe(proxied);
  expect(answer("__proto__", { names: ["__proto__"] }, network)).toBe(proxied);
});

test("names that no host can have are left out, and end no text", () => {
  const names = [
    'x"; return "PROXY evil:1',
    "two words",
    "a\nb",
    "",
    "\u2028",
    "API",
    "api.shop",
    "ok",
  ];
  const text = pacFile({ port: 9090, tlds: [], names });
  expect(text).toContain('var known = " ok ";');
});

test("ten thousand names are read", () => {
  const names = Array.from({ length: 10_000 }, (_, n) => `service-${n}`);
  expect(answer("service-9999", { names }, { v4: ["service-9999"] })).toBe(proxied);
});

test.each([
  "localhost",
  "LOCALHOST",
  "api.localhost",
  "example.com",
  "api.",
  "localhost.",
  "127.0.0.1",
  "::1",
  "[::1]",
  "fe80::1%eth0",
  "2130706433",
  "0x7f000001",
  "",
  "-api",
  "api-",
  "a b",
  "api\nx",
])("%j goes direct, and no resolver is asked", (host) => {
  const asked: string[] = [];
  expect(answer(host, {}, { asked })).toBe("DIRECT");
  expect(asked).toEqual([]);
});

test("the proxy is named by the port that it listens on", () => {
  expect(answer("api", { port: 12_345 })).toBe("PROXY 127.0.0.1:12345; DIRECT");
});

test("the text is ASCII without anything newer than ECMAScript 3", () => {
  const text = pacFile({ port: 9090, tlds: ["test", "home.arpa"], names: ["api"] });
  expect(text).toMatch(/^[\x20-\x7e\n]+$/);
  expect(text).not.toMatch(
    /=>|`|\b(?:let|const|class)\b|\.(?:includes|startsWith|endsWith|trim)\(/,
  );
});

test("it is served with the type that browsers ask of a PAC file", () => {
  const facts = { port: 9090, tlds: ["test"], names: ["api"] };
  expect(pacPage(facts)).toEqual({
    status: 200,
    fields: [["Content-Type", "application/x-ns-proxy-autoconfig"]],
    body: pacFile(facts),
  });
});

test.each([
  ["api.test", proxied],
  ["x.api.TEST", proxied],
  ["api.home.arpa", proxied],
  ["api", proxied],
  ["test", proxied],
  [".test", "DIRECT"],
  ["home.arpa", "DIRECT"],
  ["api.test.com", "DIRECT"],
  ["apitest.com", "DIRECT"],
  ["api.localhost", "DIRECT"],
  ["localhost", "DIRECT"],
])("where test and home.arpa are configured, %s gets %s", (host, verdict) => {
  expect(answer(host, { tlds: ["test", "home.arpa"] })).toBe(verdict);
});
