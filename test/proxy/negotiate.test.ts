import { expect, test } from "bun:test";
import { negotiate } from "../../src/proxy/pages/negotiate.ts";

test.each([
  ["curl", "*/*", "text"],
  ["a client that says nothing", undefined, "text"],
  ["an empty field", "", "text"],
  [
    "Chrome",
    "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,image/apng,*/*;q=0.8,application/signed-exchange;v=b3;q=0.7",
    "html",
  ],
  ["Firefox", "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", "html"],
  ["axios", "application/json, text/plain, */*", "json"],
  ["an API client", "application/json", "json"],
  ["a vendor's JSON", "application/vnd.api+json", "json"],
  ["problem details", "application/problem+json, text/html;q=0.5", "json"],
  ["any application type", "application/*", "json"],
  ["any text", "text/*", "text"],
  ["a range behind a type", "text/*;q=0.5, text/html", "html"],
  ["an image", "image/avif,image/webp", "text"],
  ["an image, or anything", "image/avif,image/webp,*/*;q=0.8", "text"],
  ["an event stream", "text/event-stream", "text"],
] as const)("%s gets what it can read: %s", (_, accept, wants) => {
  expect(negotiate(accept)).toBe(wants);
});

test.each([
  ["application/json;q=0.9, text/html", "html"],
  ["text/html;q=0.9, application/json", "json"],
  ["text/html;q=0.1, */*;q=0.5", "text"],
  ["text/html;q=0, */*", "text"],
  ["text/plain;q=0, */*", "html"],
  ["text/plain;q=0, text/html;q=0.0, */*;q=0.001", "json"],
  ["*/*;q=0", "text"],
  ["TEXT/HTML ; Q=0.8 , application/json ; q=0.7", "html"],
  ["text/html, application/json", "html"],
  ["application/json, text/html", "json"],
  ["*/*, application/json", "json"],
] as const)("quality, then exactness, then order decides %s: %s", (accept, wants) => {
  expect(negotiate(accept)).toBe(wants);
});

test.each([
  ["text/html;q=2, application/json;q=0.1", "json"],
  ["text/html;q=high, application/json;q=0.1", "json"],
  ["html, application/json", "json"],
  [",,;, application/json,", "json"],
  ['text/html;note="a, application/json", application/json;q=0.2', "html"],
  ['text/html;note="unfinished, application/json', "html"],
] as const)("a malformed member is passed over: %s", (accept, wants) => {
  expect(negotiate(accept)).toBe(wants);
});

test("a field as long as a head is read in one pass", () => {
  expect(negotiate(`${'"\\'.repeat(30_000)}`)).toBe("text");
  expect(negotiate(`${"a/b;q=0.5,".repeat(6_000)}text/html`)).toBe("html");
});
