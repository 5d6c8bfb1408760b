import { describe, expect, test } from "bun:test";
import { lsofSource, type Run } from "../../src/discovery/lsof.ts";
import type { CommandResult } from "../../src/system/command.ts";

const fixture = (file: string) => Bun.file(`${import.meta.dir}/fixtures/${file}`).text();
const done = (stdout: string, code = 0, stderr = ""): CommandResult => ({
  kind: "done",
  code,
  stdout,
  stderr,
});

const sockets = done(await fixture("macos-lsof.txt"));
const processes = done(await fixture("macos-ps.txt"));

function sourceOf(lsof: CommandResult, ps: CommandResult, options: { allUsers?: boolean } = {}) {
  const ran: string[] = [];
  const run: Run = async ([program]) => {
    ran.push(program);
    return program === "lsof" ? lsof : ps;
  };
  return { ran, source: lsofSource({ uid: 501, dialect: "macos", run, ...options }) };
}

describe("macOS, from recorded text", () => {
  test("a scan is two commands", async () => {
    const { ran, source } = sourceOf(sockets, processes);
    await source.scan();
    expect(ran).toEqual(["lsof", "ps"]);
  });

  test("gives sockets with their holders, by port and address", async () => {
    const { observations } = await sourceOf(sockets, processes).source.scan();
    expect(observations).toEqual([
      { address: "::", port: 3000, pids: [2301, 2302] },
      { address: "0.0.0.0", port: 5000, pids: [631] },
      { address: "::", port: 5000, pids: [631] },
      { address: "::1", port: 5173, pids: [2210] },
      { address: "0.0.0.0", port: 7000, pids: [631] },
      { address: "::", port: 7000, pids: [631] },
      { address: "192.168.1.7", port: 8080, pids: [2440] },
      { address: "fe80:1::aede:48ff:fe00:1122", port: 8080, pids: [2440] },
      { address: "127.0.0.1", port: 9229, pids: [2301] },
    ]);
  });

  test("gives owners and ancestors, each with its directory", async () => {
    const scan = await sourceOf(sockets, processes).source.scan();
    expect([...scan.processes.keys()].sort((a, b) => a - b)).toEqual([
      1, 412, 631, 2200, 2209, 2210, 2301, 2302, 2440,
    ]);
    expect(scan.processes.get(2210)).toEqual({
      pid: 2210,
      startedAt: Date.UTC(2026, 10, 21, 9, 15, 2),
      parent: 2209,
      group: 2209,
      uid: 501,
      name: "web",
      variable: "NAME",
      command: "node /Users/ada/My Shop/web/node_modules/.bin/vite --host localhost",
      cwd: "/Users/ada/My Shop/web",
    });
  });

  test("says that others' listeners are left out, unless they are asked for", async () => {
    const own = await sourceOf(sockets, processes).source.scan();
    expect(own.skipped).toEqual([{ pid: 88, why: "it listens, but belongs to user 0" }]);
    const all = await sourceOf(sockets, processes, { allUsers: true }).source.scan();
    expect(all.observations).toContainEqual({ address: "127.0.0.1", port: 631, pids: [88] });
  });
});

test("a process that ended between the two commands is skipped", async () => {
  const { source } = sourceOf(done("p9\nu501\nf3\ntIPv4\nn*:80\n"), processes);
  expect(await source.scan()).toEqual({
    observations: [],
    processes: new Map(),
    skipped: [{ pid: 9, why: "it ended while it was read" }],
  });
});

test("lsof that finds nothing exits 1: that is an answer", async () => {
  const { source } = sourceOf(done("", 1), processes);
  expect((await source.scan()).observations).toEqual([]);
});

test("a start time that ps reckons a second differently is the same start", async () => {
  let second = 2;
  const run: Run = async ([program]) =>
    program === "lsof"
      ? done("p7\nu501\nf3\ntIPv4\nn*:80\n")
      : done(`    7     1     7   501 Sat Nov 21 09:15:0${second} 2026 node\n`);
  const source = lsofSource({ uid: 501, dialect: "macos", run });
  const start = async () => (await source.scan()).processes.get(7)!.startedAt;
  const first = await start();
  second = 3;
  expect(await start()).toBe(first);
  second = 1;
  expect(await start()).toBe(first);
  second = 4;
  expect(await start()).toBe(first + 2000);
});

describe("names of processes, from what ps prints", () => {
  const listens =
    "p7\nu501\nfcwd\ntDIR\nn/srv/api\nf3\ntIPv4\nn*:80\np8\nu501\nfcwd\ntDIR\nn/srv/x\n";
  const line = (pid: number, command: string, { parent = 1, start = "09:15:01" } = {}) =>
    `    ${pid}     ${parent}     ${pid}   501 Sat Nov 21 ${start} 2026 ${command}\n`;
  const scans = async (...texts: string[]) => {
    let text = "";
    const run: Run = async ([program]) => done(program === "lsof" ? listens : text);
    const source = lsofSource({ uid: 501, dialect: "macos", run });
    let last = await source.scan();
    for (text of texts) last = await source.scan();
    return last;
  };

  test("one that was seen stays, though the environment is hidden or written over since", async () => {
    const scan = await scans(line(7, "ruby x NAME=api PORT=80 A=b"), line(7, "puma 6"));
    expect(scan.processes.get(7)).toMatchObject({ name: "api", wantedPort: 80, unreadable: true });
  });

  test("but not for another process under the pid, nor where the environment has none now", async () => {
    const before = line(7, "ruby x NAME=api A=b");
    const other = await scans(before, line(7, "puma 6", { start: "09:20:00" }));
    expect(other.processes.get(7)?.name).toBeUndefined();
    const exec = await scans(before, line(7, "ruby y A=b"), line(7, "puma 6"));
    expect(exec.processes.get(7)?.name).toBeUndefined();
  });

  test("one that another process has as well is told with that process", async () => {
    const scan = await scans(
      line(7, "x NAME=api A=b") + line(8, "vim NAME=api A=b") + line(9, "y A=b"),
    );
    expect(scan.bystanders).toMatchObject([{ pid: 8, name: "api", cwd: "/srv/x" }]);
  });
});

describe("without an answer a scan fails, with what to do", () => {
  test.each<[CommandResult, CommandResult, string]>([
    [{ kind: "missing" }, processes, "lsof is not installed"],
    [{ kind: "missing" }, processes, "apt install lsof"],
    [sockets, { kind: "missing" }, "apt install procps"],
    [{ kind: "failed", why: "lsof took longer than 8000 ms" }, processes, "took longer than"],
    [done("", 1, "lsof: unknown option"), processes, "lsof does not answer: lsof: unknown option"],
    [sockets, done("", 1, "ps: bad -o argument\nusage"), "ps does not answer: ps: bad -o argument"],
    [sockets, done("", 3), "ps does not answer: exit code 3"],
  ])("%#", async (lsof, ps, why) => {
    await expect(sourceOf(lsof, ps).source.scan()).rejects.toThrow(why);
  });
});
