/** What root has installed, and for whom -> by what the names of a user are written, and what is missing. */
import { afterEach, beforeEach, expect, test } from "bun:test";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { askToWrite } from "../../src/helper/hosts-program.ts";
import {
  hostsRight,
  mayWrite,
  rightFingerprint,
  writableDomains,
} from "../../src/helper/hosts-right.ts";

const isRoot = process.getuid?.() === 0;
const asRoot = "(as root, whose files they have to be)";
const linux = { platform: "linux" } as const;

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "localhostess-root-"));
});
afterEach(() => rmSync(root, { recursive: true }));

function put(path: string, text: string, mode = 0o644): string {
  const its = join(root, path);
  mkdirSync(dirname(its), { recursive: true });
  writeFileSync(its, text);
  chmodSync(its, mode);
  return its;
}

const program = "usr/libexec/localhostess/localhostess-hosts";

test.skipIf(!isRoot)(`a listed user asks the program, and others do not ${asRoot}`, () => {
  const path = put(program, "", 0o4755);
  put("etc/localhostess/users", "# users\n1000 ports hosts\n1001 ports\n");
  expect(hostsRight({ root, uid: 1000 }, linux)).toEqual({ kind: "program", path });
  expect(hostsRight({ root, uid: 0 }, linux)).toEqual({ kind: "program", path });
  for (const uid of [1001, 100, 10_000]) {
    expect(hostsRight({ root, uid }, linux)).toMatchObject({
      kind: "none",
      isAsked: false,
      fix: "localhostess setup --hosts",
    });
  }
});

test.skipIf(!isRoot)(
  `a program without its right, or that others can change, is not asked ${asRoot}`,
  () => {
    put("etc/localhostess/users", "1000 hosts\n");
    const missing = hostsRight({ root, uid: 1000 }, linux);
    expect(missing).toMatchObject({ why: "localhostess-hosts is not installed", isAsked: true });
    put(program, "", 0o755);
    const powerless = hostsRight({ root, uid: 1000 }, linux);
    expect(powerless).toMatchObject({ kind: "none", isAsked: true });
    // Root needs no program.
    expect(hostsRight({ root, uid: 0 }, linux)).toEqual({ kind: "ourselves" });
    put(program, "", 0o4777);
    expect(hostsRight({ root, uid: 1000 }, linux)).toMatchObject({ kind: "none" });
    expect(hostsRight({ root, uid: 501 }, { platform: "darwin" })).toMatchObject({ kind: "none" });
  },
);

test.skipIf(!isRoot)(`lists that somebody else can write allow nothing ${asRoot}`, () => {
  put("etc/localhostess/users", "1000 hosts\n", 0o666);
  put("etc/localhostess/domains", "test\n", 0o666);
  expect(mayWrite({ root, uid: 1000 })).toBe(false);
  expect(writableDomains(root)).toEqual([]);
  put("etc/localhostess/users", "1000 hosts\n");
  put("etc/localhostess/domains", "# domains\ntest\ndev.test # ours\ntwo words\ncut");
  expect(mayWrite({ root, uid: 1000 })).toBe(true);
  expect(writableDomains(root)).toEqual(["test", "dev.test"]);
});

test("whatever root changes of it is seen", () => {
  let before = rightFingerprint(root);
  for (const path of ["etc/hosts", "etc/localhostess/users", "etc/localhostess/domains", program]) {
    put(path, path);
    const now = rightFingerprint(root);
    expect(now).not.toBe(before);
    before = now;
  }
});

test("the program's answers are told apart, and it hears all names and their end", async () => {
  const heard = join(root, "heard");
  const path = put(
    "program",
    `#!/bin/sh\nPATH=/usr/bin:/bin\ncat >${heard}; [ "$1 $2" = "1.2.3 write" ] || exit 9\n. ${root}/answer\n`,
    0o755,
  );
  const answer = (script: string) => {
    put("answer", script);
    return askToWrite(["a.localhost", "b.test"], { path, version: "1.2.3" });
  };
  expect(await answer("exit 0")).toEqual({ kind: "written" });
  expect(await Bun.file(heard).text()).toBe("a.localhost\nb.test\n.\n");
  expect(await answer("echo no >&2; exit 2")).toEqual({ kind: "refused", why: "no" });
  expect(await answer("echo 1.2.4; exit 3")).toEqual({ kind: "another version", theirs: "1.2.4" });
  expect(await answer("echo 'line 3: torn' >&2; exit 1")).toEqual({
    kind: "failed",
    why: "line 3: torn",
  });
  expect(await answer("exit 1")).toEqual({
    kind: "failed",
    why: `${path} ended with exit code 1`,
  });
  expect(await answer("kill -9 $$")).toMatchObject({ kind: "failed" });
  await askToWrite([], { path, version: "1.2.3" });
  expect(await Bun.file(heard).text()).toBe(".\n");
});
