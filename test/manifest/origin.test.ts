import { expect, test } from "bun:test";
import { readOrigin } from "../../src/manifest/origin.ts";

test.each([
  "http://localhost:5173",
  "https://localhost",
  "http://app.localhost:9090",
  "https://example.com",
  "http://127.0.0.1:3000",
  "http://[::1]:3000",
  "https://xn--bcher-kva.example",
])("%s is an origin", (origin) => {
  expect(readOrigin(origin)).toEqual({ kind: "origin", origin });
});

test.each([
  ["http://localhost:5173/", 'did you mean "http://localhost:5173"?'],
  ["http://localhost:5173/app", 'did you mean "http://localhost:5173"?'],
  ["http://localhost?x", 'did you mean "http://localhost"?'],
  ["http://localhost#x", 'did you mean "http://localhost"?'],
  ["http://ann@localhost", 'did you mean "http://localhost"?'],
  ["http://localhost:80", 'did you mean "http://localhost"?'],
  ["https://localhost:443", 'did you mean "https://localhost"?'],
  ["HTTP://LocalHost:1", 'did you mean "http://localhost:1"?'],
  ["http://bücher.example", 'did you mean "http://xn--bcher-kva.example"?'],
  ["http://127.1", 'did you mean "http://127.0.0.1"?'],
  [" http://localhost", "is not an origin"],
  ["http:localhost", "is not an origin"],
  ["http://", "is not an origin"],
  ["http://localhost:99999", "is not an origin"],
  ["localhost", 'did you mean "http://localhost"?'],
  ["localhost:5173", 'did you mean "http://localhost:5173"?'],
  ["ftp://localhost", "is not an origin"],
  ["file:///x", "is not an origin"],
  ["", "is not an origin"],
  ["*", "contains *"],
  ["http://*.localhost", "contains *"],
  ["null", "every sandboxed page"],
])("%j is none, and what to write is told", (text, part) => {
  expect(readOrigin(text)).toEqual({ kind: "mistake", why: expect.stringContaining(part) });
});
