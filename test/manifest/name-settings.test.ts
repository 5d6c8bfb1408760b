/** How requests to a name are treated: the keys in both files, their errors, and which of them counts. */
import { expect, test } from "bun:test";
import { isAllowedBy, readAllowedOrigin } from "../../src/manifest/allowed-origin.ts";
import { namesIn, readConfig } from "../../src/manifest/config.ts";
import { usualSettings } from "../../src/manifest/name-settings.ts";
import { nameMistake } from "../../src/manifest/project-name.ts";
import { readPostPath } from "../../src/manifest/post-path.ts";
import { routeTable } from "../../src/routes/table.ts";
import { testSupervised } from "../support/test-proxy.ts";
import { mistakes, project } from "./manifest.ts";

test.each<[text: string, why: string | undefined]>([
  ["https://example.com", undefined],
  ["http://192.168.1.5:3000", undefined],
  ["https://[2001:db8::1]:8443", undefined],
  ["https://*.example.com", undefined],
  ["https://*.example.com:8443", undefined],
  ["chrome-extension://abcdefghijklmnop", undefined],
  ["moz-extension://*", undefined],
  ["capacitor://localhost", undefined],
  ["example.com", 'did you mean "https://example.com"?'],
  ["example.com:8443", 'did you mean "https://example.com:8443"?'],
  ["https://Example.com", 'did you mean "https://example.com"?'],
  ["https://example.com/", 'did you mean "https://example.com"?'],
  ["https://example.com:443", 'did you mean "https://example.com"?'],
  ["https://user@example.com", 'did you mean "https://example.com"?'],
  ["https://*.Example.com/", 'did you mean "https://*.example.com"?'],
  ["https://*", "in a place other than before a domain"],
  ["*", 'is every site; guard = "off" says that openly'],
  ["https://a.*.com", "in a place other than before a domain"],
  ["https://*.*.com", "in a place other than before a domain"],
  ["https://*.com", "everybody who can have a name under com"],
  ["https://*.localhost", "everybody who can have a name under localhost"],
  ["https://*.10.0.0.1", "everybody who can have a name under 10.0.0.1"],
  ["null", "every sandboxed page"],
  ["", "is not an origin"],
  ["https://", "is not in the form that browsers send"],
])("allow_origins = [%j]", (text, why) => {
  const read = readAllowedOrigin(text);
  if (why === undefined) expect(read).toEqual({ kind: "origin", origin: text });
  else expect(read.kind === "mistake" && read.why).toContain(why);
});

test("an origin that an error suggests is accepted", () => {
  const hosts = [
    "*",
    "*:*",
    "*.com",
    "*.*.com",
    "a.*.com",
    "*.example.com",
    "example.com/a",
    "a b",
  ];
  const schemes = ["", "HTTPS://", "http://", "chrome-extension://", "//"];
  const texts = schemes.flatMap((scheme) => hosts.map((host) => scheme + host));
  const suggested = texts.flatMap((text) => {
    const read = readAllowedOrigin(text);
    const quoted = read.kind === "mistake" && /did you mean (".*")\?/.exec(read.why)?.[1];
    return quoted ? [[text, JSON.parse(quoted) as string] as const] : [];
  });
  expect(suggested).not.toBeEmpty();
  expect(suggested.filter(([, origin]) => readAllowedOrigin(origin).kind === "mistake")).toEqual(
    [],
  );
});

test.each<[allowed: string, origin: string, is: boolean]>([
  ["https://example.com", "https://example.com", true],
  ["https://example.com", "http://example.com", false],
  ["https://example.com", "https://example.com:8443", false],
  ["https://example.com", "https://example.com.evil.org", false],
  ["https://*.example.com", "https://a.example.com", true],
  ["https://*.example.com", "https://a.b.example.com", true],
  ["https://*.example.com", "https://example.com", false],
  ["https://*.example.com", "https://.example.com", false],
  ["https://*.example.com", "https://evilexample.com", false],
  ["https://*.example.com", "http://a.example.com", false],
  ["https://*.example.com", "https://a.example.com:8443", false],
  ["https://*.example.com:8443", "https://a.example.com:8443", true],
  ["moz-extension://*", "moz-extension://0b4c", true],
  ["moz-extension://*", "moz-extension://", false],
])("%s and the origin %s: %p", (allowed, origin, is) => {
  expect(isAllowedBy(allowed, origin)).toBe(is);
});

test.each<[text: string, why: string | undefined]>([
  ["/auth/callback", undefined],
  ["/", undefined],
  ["//twice", undefined],
  ["/a%20b", undefined],
  ["auth/callback", 'did you mean "/auth/callback"?'],
  ["https://api.localhost/auth?x=1", 'did you mean "/auth"?'],
  ["/auth/callback?code=1", 'did you mean "/auth/callback"?'],
  ["/a/../b", 'did you mean "/b"?'],
  ["/a b", 'did you mean "/a%20b"?'],
  ["/auth/*", "list each path"],
  ["", "does not begin with /"],
])("allow_posts = [%j]", (text, why) => {
  const read = readPostPath(text);
  if (why === undefined) expect(read).toEqual({ kind: "path", path: text });
  else expect(read.kind === "mistake" && read.why).toContain(why);
});

test("a suggestion is one that the file may have", () => {
  const origins = [
    "*.com",
    "https://*.Com",
    "*.example.com",
    "HTTP://*",
    "http://u@*",
    "a b",
    "//*",
    "moz-extension:*",
  ];
  const paths = [
    "a b",
    "auth/*",
    "https://api.localhost/a*",
    "a?b",
    "http:///",
    "x/../*",
    "/a#b",
    "\\a",
  ];
  const meant = (why: string): string[] =>
    [...why.matchAll(/did you mean ("[^?]*")\?$/g)].map(([, its]) => JSON.parse(its!));
  for (const text of origins) {
    const read = readAllowedOrigin(text);
    if (read.kind === "origin") continue;
    for (const its of meant(read.why))
      expect(readAllowedOrigin(its)).toEqual({ kind: "origin", origin: its });
  }
  for (const text of paths) {
    const read = readPostPath(text);
    if (read.kind === "path") continue;
    for (const its of meant(read.why))
      expect(readPostPath(its)).toEqual({ kind: "path", path: its });
  }
  for (const text of [
    "http://api.localhost",
    "http://*.localhost",
    ".localhost",
    "API.localhost",
  ]) {
    for (const its of meant(nameMistake(text)!)) expect(nameMistake(its)).toBeUndefined();
  }
});

test("each key of a service is its own, and else its project's", () => {
  const { services } = project(`
[project]
guard = "strict"
allow_origins = ["https://example.com"]
[services.web]
command = "serve"
[services.api]
command = "serve"
guard = "log"
allow_posts = ["/auth/callback"]
forwarded = "none"
`);
  expect(services.map(({ settings }) => settings)).toEqual([
    { guard: "strict", allowOrigins: ["https://example.com"] },
    {
      guard: "log",
      allowOrigins: ["https://example.com"],
      allowPosts: ["/auth/callback"],
      forwarded: "none",
    },
  ]);
});

test("without a word of it there are no settings, so that the person's own count", () => {
  expect(project(`[services]\nweb = "serve"`).services[0]).not.toHaveProperty("settings");
});

test("errors in locald.toml have their lines", () => {
  expect(
    mistakes(`[project]
guard = "onn"
[services.web]
command = "serve"
allow_origins = ["https://example.com", "example.com"]
allow_posts = "/auth"
allow_origin = []
[services.jobs]
command = "work"
type = "worker"
guard = "off"
`),
  ).toEqual([
    'locald.toml:2 project.guard: expected "off", "log", "on" or "strict", got "onn"',
    'locald.toml:5 services.web.allow_origins[1]: "example.com" is not an origin; expected a scheme, a host and an optional port, such as "https://example.com"; did you mean "https://example.com"?',
    'locald.toml:6 services.web.allow_posts: expected a list such as ["/auth/callback"], got "/auth"',
    'locald.toml:7 services.web.allow_origin: unknown key; did you mean "allow_origins"?',
    "locald.toml:11 services.jobs.guard: it has no address, so that no request reaches it",
  ]);
});

test("errors in config.toml have their lines", () => {
  const read = readConfig(
    `forwarded = "some"
[names.api]
gaurd = "off"
[names.api.shop]
guard = "off"
[names."web.localhost"]
guard = "off"
[names.Docs]
guard = "off"
[names."my_app.shop"]
guard = "off"
[names]
it = "off"
`,
    "config.toml",
  );
  expect(read.kind === "mistakes" && read.mistakes).toEqual([
    'config.toml:1 forwarded: expected "all" or "none", got "some"',
    'config.toml:3 names.api.gaurd: unknown key; did you mean "guard"?',
    'config.toml:4 names.api.shop: a name with a dot needs quotes: [names."api.shop"]',
    'config.toml:6 names."web.localhost": a name is written without .localhost; did you mean "web"?',
    'config.toml:8 names.Docs: a name is in lower case; did you mean "docs"?',
    'config.toml:10 names."my_app.shop": a name in an address has only letters, digits, inner hyphens and dots; did you mean "my-app.shop"?',
    'config.toml:13 names.it: expected a table such as [names.api] with guard = "log", got "off"',
  ]);
});

const configured = (text: string) => {
  const read = readConfig(text, "config.toml");
  if (read.kind === "mistakes") throw new Error(read.mistakes.join("\n"));
  return namesIn(read.config);
};

test("a project counts before config.toml's word on the name, and that before its word on all", () => {
  const table = routeTable([], {
    configured: configured(`guard = "log"
forwarded = "none"
allow_posts = ["/all"]
[names."api.shop"]
guard = "off"
allow_posts = ["/one"]
`),
  });
  const supervised = testSupervised({ settings: { guard: "strict" } });
  expect(table.settings({ name: "api.shop", supervised })).toEqual({
    guard: "strict",
    allowOrigins: [],
    allowPosts: ["/one"],
    forwarded: "none",
    strictSubdomains: false,
  });
  expect(table.settings({ name: "api.shop", supervised: undefined }).guard).toBe("off");
  expect(table.settings({ name: "x.api.shop", supervised: undefined }).guard).toBe("log");
});

test("what config.toml says of a shared name counts for its instances", () => {
  const table = routeTable([], { configured: configured(`[names.shop]\nguard = "off"`) });
  const instance = { of: "web", number: 2, routeName: "shop" };
  const supervised = testSupervised({ routeName: "web-2.shop", instance });
  expect(table.settings({ name: "web-2.shop", supervised }).guard).toBe("off");
});

test("where nobody says anything, the guard is on", () => {
  const settings = routeTable([]).settings({ name: "api", supervised: undefined });
  expect(settings).toBe(usualSettings);
  expect(settings).toEqual({
    guard: "on",
    allowOrigins: [],
    allowPosts: [],
    forwarded: "all",
    strictSubdomains: false,
  });
});
