import { expect, test } from "bun:test";
import { readTarget } from "../../src/routes/target.ts";

const name = {
  kind: "name",
  domain: "localhost",
  scheme: "http",
  port: undefined,
  path: "/",
} as const;

const cases: [text: string, target: object][] = [
  ["api", { ...name, name: "api" }],
  ["API", { ...name, name: "api" }],
  ["Api.Localhost", { ...name, name: "api" }],
  ["api.localhost.", { ...name, name: "api" }],
  ["api.shop", { ...name, name: "api.shop" }],
  ["api.shop.localhost", { ...name, name: "api.shop" }],
  ["api/docs?q=1#top", { ...name, name: "api", path: "/docs?q=1" }],
  ["api:9090/docs", { ...name, name: "api", port: 9090, path: "/docs" }],
  ["http://api.localhost:9090/a", { ...name, name: "api", port: 9090, path: "/a" }],
  ["http://api.localhost/", { ...name, name: "api", port: 80 }],
  ["HTTPS://api.localhost/", { ...name, name: "api", scheme: "https", port: 443 }],
  ["ws://api.localhost:9090/hmr", { ...name, name: "api", port: 9090, path: "/hmr" }],
  ["http://api/", { ...name, name: "api", domain: "", port: 80 }],
  ["localhost", { kind: "own", scheme: "http", port: undefined, path: "/" }],
  ["http://localhost:9090/", { kind: "own", scheme: "http", port: 9090, path: "/" }],
  ["http://127.0.0.1:9090/x", { kind: "own", scheme: "http", port: 9090, path: "/x" }],
  ["http://[::1]:9090/", { kind: "own", scheme: "http", port: 9090, path: "/" }],
];

for (const [text, target] of cases) {
  test(`${text} is understood`, () => {
    expect(readTarget(text)).toEqual(target as ReturnType<typeof readTarget>);
  });
}

const inTest = { ...name, name: "api", domain: "test" };

test.each<[text: string, target: object]>([
  ["api.test", inTest],
  ["API.Test.", inTest],
  ["api.test/docs", { ...inTest, path: "/docs" }],
  ["http://api.test/", { ...inTest, port: 80 }],
  ["https://x.api.test:9090/", { ...inTest, name: "x.api", scheme: "https", port: 9090 }],
  ["api.shop", { ...name, name: "api.shop" }],
  ["test", { ...name, name: "test" }],
  ["localhost", { kind: "own", scheme: "http", port: undefined, path: "/" }],
])("%s is understood where test is configured", (text, target) => {
  expect(readTarget(text, ["test"])).toEqual(target as ReturnType<typeof readTarget>);
});

test("where test is configured, the mistake of another says so", () => {
  expect(readTarget("http://api.dev/", ["test"])).toMatchObject({
    what: expect.stringContaining("names end in .localhost or .test, or have no dot"),
  });
});

const mistakes: [text: string, part: string][] = [
  ["", "neither a name nor a URL"],
  ["a b", "neither a name nor a URL"],
  ["http://", "neither a name nor a URL"],
  ["http://a\\b/", "neither a name nor a URL"],
  ["http://ann:secret@api/", "neither a name nor a URL"],
  ["api:99999", "neither a name nor a URL"],
  ["ftp://api.localhost/", "only http:// and https:// URLs"],
  ["http://example.com/", "example.com is not served by localhostess"],
  ["10.0.0.1", "10.0.0.1 is not served by localhostess"],
  ["3000", '"3000" is a number, and no name; for the port of each server: localhostess ls'],
  ["-api", "is not served by localhostess"],
];

for (const [text, part] of mistakes) {
  test(`${JSON.stringify(text)} is a mistake that is explained`, () => {
    expect(readTarget(text)).toEqual({ kind: "mistake", what: expect.stringContaining(part) });
  });
}

test("a mistake is told without the escapes in it", () => {
  const target = readTarget("\x1b[2J\u202e");
  expect(target.kind).toBe("mistake");
  expect(JSON.stringify(target)).not.toMatch(/\\u001b\[|\u202e/);
});
