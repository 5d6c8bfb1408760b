/** Root without a helper -> the hosts file: whole at every moment, as it was before but for the block. */
import { afterEach, beforeEach, expect, test } from "bun:test";
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { writeHosts } from "../../src/helper/write-hosts.ts";
import { lockFile } from "../../src/system/file-lock.ts";
import { canMount, byMount } from "../support/small-disk.ts";

let root: string;
let hosts: string;
const names = ["api.localhost"];

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "localhostess-root-"));
  mkdirSync(join(root, "etc"));
  hosts = join(root, "etc/hosts");
  writeFileSync(hosts, "127.0.0.1 localhost\n\xff", "latin1");
});
afterEach(() => rmSync(root, { recursive: true }));

test("mode, owner and bytes of others stay, and nothing else is left in the folder", async () => {
  chmodSync(hosts, 0o640);
  if (process.getuid?.() === 0) chownSync(hosts, 12, 34);
  expect(await writeHosts({ root, uid: 7, names })).toEqual({ kind: "written" });
  expect(readFileSync(hosts, "latin1")).toBe(
    "127.0.0.1 localhost\n\xff\n# BEGIN localhostess 7\n127.0.0.1 api.localhost\n::1 api.localhost\n# END localhostess 7",
  );
  const { mode, uid, gid } = statSync(hosts);
  expect(mode & 0o7777).toBe(0o640);
  if (process.getuid?.() === 0) expect([uid, gid]).toEqual([12, 34]);
  expect(await writeHosts({ root, uid: 7, names })).toEqual({ kind: "unchanged" });
  expect(await writeHosts({ root, uid: 7, names: [] })).toEqual({ kind: "written" });
  expect(readFileSync(hosts, "latin1")).toBe("127.0.0.1 localhost\n\xff");
  expect(readdirSync(join(root, "etc"))).toEqual(["hosts"]);
});

test("a torn file, a link, a folder and a missing file are left alone, with words", async () => {
  const torn = "# BEGIN localhostess 7\n";
  writeFileSync(hosts, torn);
  expect(await writeHosts({ root, uid: 7, names })).toMatchObject({
    kind: "failed",
    why: expect.stringContaining(`${hosts} line 1: this block does not end`),
  });
  expect(readFileSync(hosts, "utf8")).toBe(torn);
  rmSync(hosts);
  expect(await writeHosts({ root, uid: 7, names })).toMatchObject({ kind: "failed" });
  expect(existsSync(hosts)).toBe(false);
  symlinkSync("/etc/hostname", hosts);
  expect(await writeHosts({ root, uid: 7, names })).toEqual({
    kind: "failed",
    why: `${hosts} is a link, which is left alone`,
  });
  rmSync(hosts);
  mkdirSync(hosts);
  expect(await writeHosts({ root, uid: 7, names })).toMatchObject({ kind: "failed" });
});

test("whoever else holds the lock is waited for", async () => {
  mkdirSync(join(root, "etc/localhostess"));
  const lock = lockFile(join(root, "etc/localhostess/hosts.lock"));
  const blocked = writeHosts({ root, uid: 7, names });
  // Another one goes through in that time.
  const beside = mkdtempSync(join(tmpdir(), "localhostess-root-"));
  mkdirSync(join(beside, "etc"));
  writeFileSync(join(beside, "etc/hosts"), "");
  expect(await writeHosts({ root: beside, uid: 7, names })).toEqual({ kind: "written" });
  rmSync(beside, { recursive: true });
  expect(readFileSync(hosts, "latin1")).not.toContain("BEGIN");
  if (lock.kind === "locked") lock.release();
  expect(await blocked).toEqual({ kind: "written" });
});

test.skipIf(!canMount)(
  `a file that is a mount is written in place, and gets shorter too${byMount}`,
  async () => {
    const behind = join(root, "behind");
    writeFileSync(behind, "127.0.0.1 localhost\n");
    const mount = (...words: string[]) => expect(Bun.spawnSync(words).exitCode).toBe(0);
    mount("mount", "--bind", behind, hosts);
    try {
      expect(await writeHosts({ root, uid: 7, names })).toEqual({ kind: "written" });
      expect(readFileSync(behind, "utf8")).toContain("api.localhost\n# END localhostess 7\n");
      expect(await writeHosts({ root, uid: 7, names: [] })).toEqual({ kind: "written" });
      expect(readFileSync(behind, "utf8")).toBe("127.0.0.1 localhost\n");
      expect(readdirSync(join(root, "etc"))).toEqual(["hosts"]);
    } finally {
      mount("umount", hosts);
    }
  },
);
