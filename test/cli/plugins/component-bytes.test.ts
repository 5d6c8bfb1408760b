/** Which addresses a component is taken from. */
import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { checkAddress, componentBytes } from "../../../src/cli/plugins/component-bytes.ts";
import { examplePlugin } from "../../support/plugin-calls.ts";

const check = (to: string, from?: string) => () =>
  checkAddress(new URL(to), from === undefined ? undefined : new URL(from));

test("an address elsewhere leads to none on this machine", () => {
  for (const here of ["http://127.0.0.1:3000/x", "http://localhost/x", "https://[::1]/x"]) {
    expect(check(here, "https://plugins.test/a")).toThrow("on this machine, which is not taken");
    expect(check(here)).not.toThrow();
    expect(check(here, "http://127.0.0.1/a")).not.toThrow();
  }
  expect(check("https://other.test/x", "https://plugins.test/a")).not.toThrow();
});

test("an address without TLS, or with a password, is taken from nobody", () => {
  expect(check("http://plugins.test/x", "https://plugins.test/a")).toThrow("use https");
  expect(check("https://a:b@plugins.test/x", "https://plugins.test/a")).toThrow("with a password");
  expect(check("file:///etc/passwd", "https://plugins.test/a")).toThrow("is not taken");
});

test("nothing behind the question mark of an address is kept or told", async () => {
  const bytes = readFileSync(examplePlugin("redis"));
  await using server = Bun.serve({
    ...{ hostname: "127.0.0.1", port: 0 },
    fetch: ({ url }) =>
      url.includes("redis.wasm") ? new Response(bytes) : new Response("", { status: 403 }),
  });
  const at = (path: string) => `${server.url.origin}${path}`;
  const its = await componentBytes(at("/redis.wasm?token=secret"), { cwd: "/" });
  expect([its.source, its.name]).toEqual([at("/redis.wasm"), "redis"]);
  await expect(componentBytes(at("/other?token=secret"), { cwd: "/" })).rejects.toThrow(
    `${at("/other")} was answered with status 403`,
  );
});

test("a file: address of another machine is none", async () => {
  for (const word of ["file://host.test/a.wasm", "file:///a%2Fb.wasm"]) {
    await expect(componentBytes(word, { cwd: "/" })).rejects.toThrow("is no address of a file");
  }
});
