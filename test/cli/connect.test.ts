/** `localhostess connect`, as far as it comes without a daemon: which pages it opens, and what it says of others. */
import { expect, test } from "bun:test";
import { cli } from "./cli.ts";

test.each([
  ["localhost:5173", "it is not the address of a web page"],
  ["ftp://localhost/", "it is not the address of a web page"],
  ["http://me@localhost:5173/", "a user name or a password"],
  ["http://localhost:5173/#/orders", "from # on"],
])("%s is a usage error that says why, and how to spell it", async (url, why) => {
  const { code, out, err } = await cli(["connect", url]);
  expect({ code, out }).toEqual({ code: 2, out: "" });
  expect(err).toContain(url);
  expect(err).toContain(why);
});

test("an origin that is not allowed starts no daemon, and the answer says what to write where", async () => {
  const env = { LOCALHOSTESS_CONFIG: "/nonexistent/config.toml" };
  const { code, out, err } = await cli(["connect", "HTTP://LocalHost:5173/app"], { env });
  expect({ code, out }).toEqual({ code: 1, out: "" });
  expect(err).toContain("http://localhost:5173 may not use the daemon");
  expect(err).toContain("/nonexistent/config.toml");
  expect(err).toContain('allowed_origins = ["http://localhost:5173"]');
});
