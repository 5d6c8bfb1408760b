import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Source } from "../../src/discovery/observation.ts";
import { procfsSource } from "../../src/discovery/procfs.ts";
import { FakeProc } from "./fake-proc.ts";

const uid = process.getuid!();
let proc: FakeProc;
let source: Source;

beforeEach(() => {
  proc = new FakeProc();
  source = procfsSource({ root: proc.root, uid });
});

afterEach(() => proc.remove());

const server = {
  pid: 42,
  parent: 7,
  environ: "PATH=/bin\0NAME=api\0SECRET=x\0",
  cmdline: "node\0server.js\0",
  cwd: "/srv/api",
  files: { 0: "/dev/null", 3: "socket:[555]", 4: "anon_inode:[eventpoll]" },
};

async function name(pid = 42): Promise<string | undefined> {
  return (await source.scan()).processes.get(pid)?.name;
}

describe("what it sees", () => {
  test("a listening socket, its owner, and the owner's ancestors", async () => {
    proc.listen({ 555: 3000 });
    proc.put(server);
    proc.put({ pid: 7, parent: 1, cmdline: "bash\0", comm: "bash" });
    proc.put({ pid: 99, files: { 3: "socket:[777]" } });
    const scan = await source.scan();
    expect(scan.observations).toEqual([{ address: "127.0.0.1", port: 3000, pids: [42] }]);
    expect([...scan.processes.keys()]).toEqual([42, 7]);
    expect(scan.processes.get(42)).toEqual({
      pid: 42,
      startedAt: 1_700_000_001_000,
      parent: 7,
      group: 42,
      uid,
      name: "api",
      variable: "NAME",
      command: "node server.js",
      cwd: "/srv/api",
    });
  });

  test("nothing of the environment but NAME", async () => {
    proc.listen({ 555: 3000 });
    proc.put(server);
    expect(Bun.inspect(await source.scan(), { depth: 9 })).not.toContain("SECRET");
  });

  test.each([
    ["NAME=first\0OTHER=x\0", "first"],
    ["OTHER=NAME=no\0XNAME=no\0NAME=yes\0", "yes"],
    ["NAME=a\0NAME=b\0", "a"],
    ["NAME=\0", ""],
    ["NAME=a b=c", "a b=c"],
    ["", undefined],
    ["NAMES=x\0", undefined],
    ["NAME=db\0LOCALHOSTESS_NAME=api.shop\0", "api.shop"],
    ["LOCALHOSTESS_NAME=api.shop\0NAME=db\0", "api.shop"],
    ["LOCALHOSTESS_NAME=\0NAME=db\0", "db"],
  ])("NAME in %p is %p", async (environ, expected) => {
    proc.listen({ 555: 3000 });
    proc.put({ ...server, environ });
    expect(await name()).toBe(expected);
  });

  test("sockets with one address and port as one observation", async () => {
    proc.listen({ 555: 3000, 556: 3000 });
    proc.put(server);
    proc.put({ pid: 41, files: { 5: "socket:[556]", 6: "socket:[555]" } });
    const { observations } = await source.scan();
    expect(observations).toEqual([{ address: "127.0.0.1", port: 3000, pids: [41, 42] }]);
  });

  test("other processes with a NAME that a server has, and the sessions of both", async () => {
    proc.listen({ 555: 3000 });
    proc.put(server);
    proc.put({ pid: 50, environ: "NAME=api\0", cwd: "/srv/other", session: 49, terminal: true });
    proc.put({ pid: 51, environ: "NAME=other\0" });
    proc.put({ pid: 52, environ: "LOCALHOSTESS_NAME=other\0NAME=api\0" });
    const { bystanders, sessions } = await source.scan();
    expect(bystanders).toMatchObject([{ pid: 50, name: "api", cwd: "/srv/other" }]);
    expect(sessions!.get(50)).toEqual({ id: 49, terminal: true });
    expect(sessions!.get(42)).toEqual({ id: 42, terminal: false });
  });

  test("of a NAME that thousands have, no more than tell anything", async () => {
    proc.listen({ 555: 3000 });
    proc.put(server);
    for (let pid = 100; pid < 200; pid++) proc.put({ pid, environ: "NAME=api\0" });
    expect((await source.scan()).bystanders).toHaveLength(64);
  });

  test("a process without arguments by its short name", async () => {
    proc.listen({ 555: 3000 });
    proc.put({ ...server, cmdline: "" });
    expect((await source.scan()).processes.get(42)?.command).toBe("[node]");
  });

  test("a socket whose owner it cannot see only as skipped", async () => {
    proc.listen({ 556: 5432 }, { uid: 105 });
    const scan = await source.scan();
    expect(scan.observations).toEqual([]);
    expect(scan.skipped).toEqual([
      { pid: undefined, why: "port 5432 on 127.0.0.1 is held by user 105" },
    ]);
  });

  test("listening sockets before any number of connections", async () => {
    proc.listen({ 555: 3000 }, { after: 50_000 });
    proc.put(server);
    expect((await source.scan()).observations).toHaveLength(1);
  });

  test("nothing of other users' processes, unless asked to", async () => {
    proc.listen({ 555: 3000 });
    proc.put(server);
    const other = { root: proc.root, uid: uid + 1 };
    expect((await procfsSource(other).scan()).observations).toEqual([]);
    const all = await procfsSource({ ...other, allUsers: true }).scan();
    expect(all.processes.get(42)?.name).toBe("api");
  });
});

test.skipIf(uid !== 0)(
  "(as root) of another user's process among the ancestors, neither environment nor folder is read",
  async () => {
    proc.listen({ 555: 3000 });
    proc.put({ ...server, uid: uid + 1 });
    const environ = "NAME=theirs\0PORT=4444\0";
    proc.put({ pid: 7, parent: 1, environ, cmdline: "sshd\0", cwd: "/home/theirs" });
    const mine = { root: proc.root, uid: uid + 1 };
    const parent = (await procfsSource(mine).scan()).processes.get(7);
    expect(parent).toMatchObject({ uid, command: "sshd", name: undefined, cwd: undefined });
    expect(parent!.wantedPort).toBeUndefined();
    const all = await procfsSource({ ...mine, allUsers: true }).scan();
    expect(all.processes.get(7)).toMatchObject({ name: "theirs", wantedPort: 4444 });
  },
);

describe("a process that cannot be read", () => {
  test("is skipped, with the reason", async () => {
    proc.put(server);
    // Root may read every folder, so this one is made unreadable by being none.
    rmSync(join(proc.root, "42/fd"), { recursive: true });
    writeFileSync(join(proc.root, "42/fd"), "");
    const { skipped } = await source.scan();
    expect(skipped).toEqual([{ pid: 42, why: "its files: ENOTDIR" }]);
  });

  test("because it ended half-way, is skipped, and the others are seen", async () => {
    proc.listen({ 555: 3000 });
    proc.put(server);
    proc.put({ pid: 43 });
    proc.put({ pid: 44 });
    rmSync(join(proc.root, "43/fd"), { recursive: true });
    rmSync(join(proc.root, "44/stat"));
    const scan = await source.scan();
    expect(scan.observations).toHaveLength(1);
    expect(scan.skipped).toEqual([{ pid: 43, why: "it ended while it was read" }]);
  });

  test("keeps its place without name, command and directory", async () => {
    proc.listen({ 555: 3000 });
    proc.put(server);
    for (const file of ["environ", "cmdline", "cwd"]) rmSync(join(proc.root, "42", file));
    expect((await source.scan()).processes.get(42)).toMatchObject({
      name: undefined,
      command: "[node]",
      cwd: undefined,
    });
  });
});

describe("from scan to scan", () => {
  beforeEach(async () => {
    proc.listen({ 555: 3000, 900: 5432 });
    proc.put(server);
    expect(await name()).toBe("api");
  });

  const renamed = { ...server, environ: "NAME=other\0" };

  test("an old process is not read again, also while a socket is nobody's", async () => {
    proc.change(renamed);
    expect(await name()).toBe("api");
  });

  test("but it is after a minute", async () => {
    proc.change(renamed);
    proc.uptime(1059);
    expect(await name()).toBe("api");
    proc.uptime(1060);
    expect(await name()).toBe("other");
  });

  test("a process that was young when it was read is read again", async () => {
    proc.put({ ...server, start: 980 });
    expect(await name()).toBe("api");
    proc.change({ ...renamed, start: 980 });
    expect(await name()).toBe("other");
  });

  test("a reused pid is another process", async () => {
    proc.put({ ...renamed, start: 2 });
    const scan = await source.scan();
    expect(scan.processes.get(42)).toMatchObject({ name: "other", startedAt: 1_700_000_002_000 });
  });

  test("it is by its start time alone, too, and though it has the same socket", async () => {
    proc.change({ ...renamed, start: 2 });
    const scan = await source.scan();
    expect(scan.processes.get(42)).toMatchObject({ name: "other", startedAt: 1_700_000_002_000 });
  });

  test("a reused pid of a process that had no socket is another process", async () => {
    proc.put({ pid: 50 });
    await source.scan();
    proc.put({ pid: 50, start: 2, environ: "NAME=worker\0", files: { 3: "socket:[555]" } });
    expect(await name(50)).toBe("worker");
  });

  test("a reused pid of an ancestor is another process", async () => {
    proc.put({ pid: 7, environ: "NAME=old\0" });
    expect(await name(7)).toBe("old");
    proc.change({ pid: 7, start: 2, environ: "NAME=new\0" });
    expect(await name(7)).toBe("new");
  });

  test("a reused pid without the socket has nothing", async () => {
    proc.put({ ...renamed, start: 2, files: {} });
    expect((await source.scan()).observations).toEqual([]);
  });

  test("exec makes it another program", async () => {
    proc.change({ ...renamed, stack: 8 });
    expect(await name()).toBe("other");
  });

  test("a new process that shares the socket is seen", async () => {
    proc.put({ pid: 43, parent: 42, files: { 9: "socket:[555]" } });
    const { observations } = await source.scan();
    expect(observations).toEqual([{ address: "127.0.0.1", port: 3000, pids: [42, 43] }]);
  });

  test("an old process that begins to listen is seen", async () => {
    proc.change({ ...server, files: { ...server.files, 8: "socket:[600]" } });
    proc.listen({ 555: 3000, 900: 5432, 600: 4000 });
    expect((await source.scan()).observations.map((its) => its.port)).toEqual([3000, 4000]);
  });

  test("a socket that moved to another descriptor is followed", async () => {
    proc.change({ ...server, files: { 3: "/dev/null", 12: "socket:[555]" } });
    expect((await source.scan()).observations).toHaveLength(1);
  });

  test("a socket that no longer listens is gone, though it is still open", async () => {
    proc.listen({ 900: 5432 });
    expect((await source.scan()).observations).toEqual([]);
  });

  test("a process that ended is gone", async () => {
    proc.end(42);
    expect(await source.scan()).toMatchObject({ observations: [], processes: new Map() });
  });

  test("parent and group are always those of now", async () => {
    proc.change({ ...server, parent: 1, group: 5 });
    const scan = await source.scan();
    expect(scan.processes.get(42)).toMatchObject({ parent: 1, group: 5 });
  });
});

test("a process is alive while its pid has its start time", async () => {
  proc.put(server);
  const identity = { pid: 42, startedAt: 1_700_000_001_000 };
  expect(source.alive!(identity)).toBe(true);
  proc.put({ ...server, start: 9 });
  expect(source.alive!(identity)).toBe(false);
  proc.end(42);
  expect(source.alive!(identity)).toBe(false);
});

test("a folder that is no procfs fails with its reason", async () => {
  proc.remove();
  await expect(source.scan()).rejects.toThrow("ENOENT");
});

test("an environment that its program has written a title over is known as such; any other is not", async () => {
  proc.listen({ 555: 3000 });
  const overwritten = async (environ: string) => {
    proc.put({ ...server, environ });
    source = procfsSource({ root: proc.root, uid });
    return (await source.scan()).processes.get(42)?.overwritten ?? false;
  };
  expect(await overwritten("\0".repeat(300))).toBe(true);
  expect(await overwritten(`ss nginx -g daemon off;${"\0".repeat(80)}`)).toBe(true);
  expect(await overwritten("tcp://0.0.0.0:3000) [shop=1]\0HOME=/root\0")).toBe(true);
  expect(await overwritten("")).toBe(false);
  expect(await overwritten("A=\0NAME=api\0")).toBe(false);
  expect(await overwritten("BASH_FUNC_x%%=() { :; }\0")).toBe(false);
  expect(await overwritten(`=1] title\0${"\0".repeat(9)}A=b\0`)).toBe(true);
  expect(await overwritten(`title=1\0${"\0".repeat(9)}`)).toBe(true);
});

describe("a program that writes over its environment", () => {
  const titled = "\0".repeat(40);
  const seen = async (environ: string) => {
    proc.change({ ...server, start: 990, environ });
    return (await source.scan()).processes.get(42);
  };

  beforeEach(() => {
    proc.listen({ 555: 3000 });
    proc.put({ ...server, start: 990 });
  });

  test("keeps the name and the port that it was seen with", async () => {
    await seen("LOCALHOSTESS_NAME=api\0NAME=x\0PORT=3000\0");
    expect(await seen(titled)).toMatchObject({
      name: "api",
      variable: "LOCALHOSTESS_NAME",
      wantedPort: 3000,
      overwritten: true,
    });
  });

  test("has the last one that it could be seen with, as exec may give it another", async () => {
    await seen("NAME=shell\0");
    await seen("NAME=api\0");
    expect(await seen(titled)).toMatchObject({ name: "api" });
    await seen("A=b\0");
    expect((await seen(titled))?.name).toBeUndefined();
  });

  test("is another process under its pid, and has nothing of the one before", async () => {
    await seen("NAME=api\0");
    proc.put({ ...server, start: 995, environ: titled });
    expect((await source.scan()).processes.get(42)?.name).toBeUndefined();
  });

  test("is known where it was looked at between two scans, before it listened", async () => {
    proc.end(42);
    proc.latest(41);
    expect(source.glance!()).toEqual([]);
    proc.put({ pid: 42, start: 999, environ: "NAME=api\0", files: {} });
    proc.latest(42);
    expect(source.glance!()).toEqual(["api"]);
    expect(await seen(titled)).toMatchObject({ name: "api", overwritten: true });
  });

  test("is known where a scan saw it before it listened, and where it had not called exec at the first", async () => {
    proc.listen({});
    await source.scan();
    proc.put({ pid: 43, start: 999, environ: "A=b\0", files: {} });
    await source.scan();
    proc.change({ pid: 43, start: 999, environ: "NAME=api\0", files: {} });
    await source.scan();
    proc.listen({ 555: 3000 });
    proc.change({ ...server, pid: 43, start: 999, environ: titled });
    expect((await source.scan()).processes.get(43)?.name).toBe("api");
  });

  test("has a NAME behind its title, but none that is only the end of another variable", async () => {
    expect(await seen("1:3000) [x]\0HOME=/\0NAME=api\0")).toMatchObject({ name: "api" });
    expect((await seen("1:3000) [x]\0NAME=desk\0A=b\0"))?.name).not.toBe("desk");
  });
});
