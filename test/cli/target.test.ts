import { expect, test } from "bun:test";
import { readTarget } from "../../src/cli/target.ts";

const name = { kind: "name", bare: false, scheme: "http", port: undefined, path: "/" } as const;

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
  ["http://api/", { ...name, name: "api", bare: true, port: 80 }],
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

const mistakes: [text: string, part: string][] = [
  ["", "neither a name nor a URL"],
  ["a b", "neither a name nor a URL"],
  ["http://", "neither a name nor a URL"],
  ["http://a\\b/", "neither a name nor a URL"],
  ["http://ann:secret@api/", "neither a name nor a URL"],
  ["api:99999", "neither a name nor a URL"],
  ["ftp://api.localhost/", "http:// and https:// URLs only"],
  ["http://example.com/", "example.com is not a name that localhostess serves"],
  ["10.0.0.1", "10.0.0.1 is not a name that localhostess serves"],
  ["-api", "not a name that localhostess serves"],
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
