/** `localhostess connect`, as far as it comes without a daemon: which pages it opens, and what it says of others. */
import { describe, expect, test } from "bun:test";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { strangerAt } from "../../src/cli/daemon/page-listener.ts";
import { asRoot, canBeOther, otherListener, otherUid } from "../support/other-user.ts";
import { cli, freshState } from "./cli.ts";

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

test("a password in the address is not repeated", async () => {
  const { code, out, err } = await cli([
    "connect",
    "http://me:hun:t@er2@localhost:5173/",
    "--json",
  ]);
  expect(code).toBe(2);
  expect(err).toContain("http://me:…@localhost:5173/: an address with a user name or a password");
  expect(out + err).not.toMatch(/hun|er2/);
});

test("an origin that is not allowed starts no daemon, and the answer says what to write where", async () => {
  const env = { LOCALHOSTESS_CONFIG: "/nonexistent/config.toml" };
  const { code, out, err } = await cli(["connect", "HTTP://LocalHost:5173/app"], { env });
  expect({ code, out }).toEqual({ code: 1, out: "" });
  expect(err).toContain("http://localhost:5173 may not use the daemon");
  expect(err).toContain("/nonexistent/config.toml");
  expect(err).toContain('allowed_origins = ["http://localhost:5173"]');
});

describe("a page that another user's server would be loaded from", () => {
  const rowsOf = (...rows: [address: string, uid: number][]) =>
    rows.map(([address, uid]) => ({ address, port: 5173, uid }));

  test.each([
    ["http://localhost:5173/", rowsOf(["127.0.0.1", 7]), 7],
    ["http://localhost:5173/", rowsOf(["127.0.0.1", 1000], ["::1", 7]), 7],
    ["http://app.localhost:5173/", rowsOf(["::", 7]), 7],
    ["http://127.0.0.1:5173/", rowsOf(["0.0.0.0", 7]), 7],
    ["http://[::1]:5173/", rowsOf(["::1", 7]), 7],
    ["http://0x7f.1:5173/", rowsOf(["127.0.0.1", 7]), 7],
    ["http://localhost:5173/", rowsOf(["127.0.0.1", 1000], ["::1", 1000]), undefined],
    ["http://localhost:5173/", rowsOf(["127.0.0.1", 0]), undefined],
    ["http://127.0.0.1:5173/", rowsOf(["127.0.0.1", 1000], ["192.0.2.7", 7]), undefined],
    ["http://localhost:5173/", [], undefined],
    ["https://example.com:5173/", rowsOf(["127.0.0.1", 7]), undefined],
  ])("%s with %j is that of %p", (url, rows, expected) => {
    expect(strangerAt(new URL(url), { uid: 1000, listeners: () => rows })).toBe(expected);
  });

  test("the port of a URL without one is its scheme's", () => {
    const asked: number[] = [];
    const listeners = (port: number) => {
      asked.push(port);
      return [];
    };
    for (const url of ["http://localhost/", "https://localhost/"]) {
      strangerAt(new URL(url), { uid: 1000, listeners });
    }
    expect(asked).toEqual([80, 443]);
  });

  test.if(canBeOther)(`is not opened, gets no token, and starts no daemon ${asRoot}`, async () => {
    await using other = await otherListener();
    await using state = await freshState();
    const config = join(state.directory, "config.toml");
    const origin = `http://localhost:${other.port}`;
    await Bun.write(config, `allowed_origins = ["${origin}"]\n`);
    const env = { ...state.env, LOCALHOSTESS_CONFIG: config };
    const { code, out, err } = await cli(["connect", `${origin}/`, "--print"], { env });
    expect({ code, out }).toEqual({ code: 1, out: "" });
    expect(err).toContain(`is served by another user of this machine (uid ${otherUid})`);
    expect(other.heard()).toBe("");
    expect(await readdir(state.directory)).toEqual(["config.toml"]);
  });
});
