import { expect, test } from "bun:test";
import { type Ours, type Subject, subjectOf } from "../../src/tls/server-name.ts";

const ours: Ours = {
  tlds: ["test", "dev.example.com", "dev.test"],
  bareNames: false,
  isService: (name) => name === "web",
};

function named(name: string, tld?: string): Subject {
  return { name, signer: "names", addresses: false, tld };
}

const loopback: Subject = { name: "", signer: "names", addresses: true };

test.each([
  ["localhost", named("localhost")],
  ["LocalHost.", named("localhost")],
  ["api.localhost", named("api.localhost")],
  ["API.localhost", named("api.localhost")],
  ["api.localhost.", named("api.localhost")],
  ["v1.api.localhost", named("v1.api.localhost")],
  ["my_app.localhost", named("my_app.localhost")],
  ["api.test", named("api.test", "test")],
  ["API.Test.", named("api.test", "test")],
  ["v1.api.test", named("v1.api.test", "test")],
  ["api.dev.test", named("api.dev.test", "dev.test")],
  ["api.dev.example.com", named("api.dev.example.com", "dev.example.com")],
  [undefined, loopback],
  ["", loopback],
  ["127.0.0.1", loopback],
  ["127.9.8.7", loopback],
  ["::1", loopback],
  ["[::1]", loopback],
])("%p is ours", (serverName, subject) => {
  expect(subjectOf(serverName, ours)).toEqual(subject);
});

test.each([
  "example.com",
  "test",
  "dev.example.com",
  "apitest",
  "api.localhost.example.com",
  "notlocalhost",
  "a..localhost",
  ".localhost",
  "..test",
  "-a.localhost",
  "a b.localhost",
  "*.localhost",
  "a\0.localhost",
  "ä.localhost",
  "api.localhost..",
  "10.0.0.1",
  "::2",
  ".",
  `${"a".repeat(64)}.localhost`,
  `${"a.".repeat(123)}localhost`,
  "a".repeat(65_535),
])("%p is not", (serverName) => {
  expect(subjectOf(serverName, ours)).toBeUndefined();
});

test("names as long as DNS lets them be are ours", () => {
  const label = "a".repeat(63);
  expect(subjectOf(`${label}.localhost`, ours)).toEqual(named(`${label}.localhost`));
  const longest = `${"a.".repeat(122)}localhost`;
  expect(longest.length).toBe(253);
  expect(subjectOf(`${longest}.`, ours)).toEqual(named(longest));
});

test("bare names are ours once there is an authority for them", () => {
  expect(subjectOf("api", ours)).toBeUndefined();
  const withBare = { ...ours, bareNames: true };
  expect(subjectOf("API", withBare)).toEqual({ name: "api", signer: "bare", addresses: false });
  expect(subjectOf("2130706433", withBare)).toBeUndefined();
  expect(subjectOf("example.com", withBare)).toBeUndefined();
});

test("without that, a service's bare name is answered for by its name under localhost", () => {
  expect(subjectOf("Web.", ours)).toEqual({ ...named("web.localhost"), insteadOf: "web" });
  expect(subjectOf("web", { ...ours, bareNames: true })).toMatchObject({ signer: "bare" });
  expect(subjectOf("nosuch", ours)).toBeUndefined();
});
