import { expect, test } from "bun:test";
import { mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { hostsFile, loopbackNames } from "../../src/system/hosts-file.ts";

function place(): { path: string } & Disposable {
  const folder = mkdtempSync(join(tmpdir(), "localhostess-hosts-"));
  return {
    path: join(folder, "hosts"),
    [Symbol.dispose]: () => rmSync(folder, { recursive: true }),
  };
}

test("names without a dot on a line of a loopback address are there, in small letters", () => {
  const text = `127.0.0.1 localhost
127.0.1.1\tmachine.lan machine
 ::1 localhost ip6-localhost IP6-Loopback\r
0:0:0:0:0:0:0:1 long
127.0.0.1 api web # not-this
#127.0.0.1 commented
127.0.0.1#neither`;
  expect([...loopbackNames(text)]).toEqual([
    "localhost",
    "machine",
    "ip6-localhost",
    "ip6-loopback",
    "long",
    "api",
    "web",
  ]);
});

test("names of other addresses are not", () => {
  const text = `0.0.0.0 blocked
192.168.1.2 nas
::2 two
fe80::1 link
::ffff:127.0.0.1 mapped
1127.0.0.1 wrong
127.0.0.1.evil wrong
api 127.0.0.1`;
  expect([...loopbackNames(text)]).toEqual([]);
});

test("a change of the file is seen at the next look, and no change is the same set", () => {
  using its = place();
  const hosts = hostsFile(its.path);
  expect([...hosts.names()]).toEqual([]);
  writeFileSync(its.path, "127.0.0.1 api\n");
  const first = hosts.names();
  expect([...first]).toEqual(["api"]);
  expect(hosts.names()).toBe(first);
  // By another file in its place, of the same length, as editors write.
  writeFileSync(`${its.path}.new`, "127.0.0.1 web\n");
  renameSync(`${its.path}.new`, its.path);
  expect([...hosts.names()]).toEqual(["web"]);
  rmSync(its.path);
  expect([...hosts.names()]).toEqual([]);
});

test("what is no file has no names and keeps nobody waiting", () => {
  using its = place();
  expect(Bun.spawnSync(["mkfifo", its.path]).success).toBe(true);
  expect([...hostsFile(its.path).names()]).toEqual([]);
  expect([...hostsFile("/").names()]).toEqual([]);
  rmSync(its.path);
  symlinkSync(its.path, its.path);
  expect([...hostsFile(its.path).names()]).toEqual([]);
  expect([...hostsFile("/dev/null/hosts").names()]).toEqual([]);
  expect([...hostsFile("/dev/zero").names()]).toEqual([]);
});

test("of a file of any size the first mebibyte is read, up to its last whole line", () => {
  using its = place();
  const line = "0.0.0.0 x.example\n";
  const filling = line.repeat(Math.floor((1_048_576 - 30) / line.length));
  writeFileSync(
    its.path,
    `127.0.0.1 first\n${filling}127.0.0.1 cut-${"x".repeat(60)}\n127.0.0.1 last\n`,
  );
  expect([...hostsFile(its.path).names()]).toEqual(["first"]);
});
