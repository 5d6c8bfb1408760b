/** What a person types for a name -> the name, by the rule of NAME. */
import { expect, test } from "bun:test";
import { wantedName } from "../../src/cli/servers/wanted-name.ts";

const read = (text: string, place?: string) => wantedName(text, { place, tlds: ["test", "a.b"] });

test.each([
  ["api", "api"],
  ["API", "api"],
  ["api.shop", "api.shop"],
  ["api.localhost", "api"],
  ["Api.Shop.LOCALHOST", "api.shop"],
  ["api.test", "api"],
  ["api.a.b", "api"],
  ["http://api.localhost:9090/users", "api"],
  ["https://api.shop.localhost", "api.shop"],
  ["api.localhost:9090/", "api"],
  ["http://api.test/", "api"],
])("%s", (text, name) => {
  expect(read(text)).toBe(name);
});

test.each([
  ["", undefined, "it is empty"],
  ["-", undefined, "it is empty"],
  ["localhost", "3000", "localhost is this machine itself"],
  ["my_app", "3000", "try my-app"],
  ["3000", "api", "the name comes first: localhostess name api 3000"],
  ["127.0.0.1:3000", "api", "the name comes first: localhostess name api 127.0.0.1:3000"],
  ["unix:/run/a.sock", "api", "the name comes first: localhostess name api unix:/run/a.sock"],
  ["http://example.com/", "3000", "is not a usable name"],
  ["http://localhost:3000/", "api", "the name comes first"],
  ["a..b", "1", "empty part"],
  ["x".repeat(64), "1", "at most 63 characters"],
])("%j before %j is a mistake", (text, place, said) => {
  expect(() => read(text, place)).toThrow(said);
});
