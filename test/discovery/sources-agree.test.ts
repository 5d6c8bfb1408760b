import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { networkInterfaces } from "node:os";
import { join } from "node:path";
import { lsofSource } from "../../src/discovery/lsof.ts";
import type { ObservedProcess, Scan, Source } from "../../src/discovery/observation.ts";
import { procfsSource } from "../../src/discovery/procfs.ts";
import { describeWith } from "../support/with-programs.ts";
import { type RealServer, realServer } from "./real-server.ts";

const fixture = (file: string) => join(import.meta.dir, "fixtures", file);
const uid = process.getuid!();

const hasIPv6 = Object.values(networkInterfaces()).some((list) =>
  list?.some(({ address }) => address === "::1"),
);
const loopbacks = hasIPv6 ? ["127.0.0.1", "::1"] : ["127.0.0.1"];
const wildcards = hasIPv6 ? ["0.0.0.0", "::"] : ["0.0.0.0"];

/** What runs here: name -> the beginning of a command that starts a server on the addresses given. */
const runtimes = new Map<string, string[]>([["bun", [process.execPath, fixture("server.mjs")]]]);
const node = Bun.which("node");
if (node !== null) runtimes.set("node", [node, fixture("server.mjs")]);
const python = Bun.which("python3");
if (python !== null) runtimes.set("python3", [python, fixture("server.py")]);

// Elsewhere there is no procfs to compare with.
const suite = process.platform === "linux" ? describeWith(["lsof", "ps"]) : describe.skip;

suite("procfs and lsof", () => {
  const servers = new Map<string, RealServer>();
  const sources: Source[] = [];
  let scans: Scan[];

  beforeAll(async () => {
    const start = async (key: string, command: string[], environment: { NAME?: string }) =>
      servers.set(key, await realServer(command, environment));
    const starting: Promise<unknown>[] = [];
    for (const [name, command] of runtimes) {
      starting.push(
        start(`${name} named`, [...command, ...loopbacks], { NAME: `${name}.agree` }),
        start(`${name} nameless`, [...command, ...wildcards], {}),
      );
    }
    const bun = runtimes.get("bun")!;
    starting.push(
      start("spaces", [...bun, "127.0.0.1"], { NAME: "my first app" }),
      start("empty", [...bun, "127.0.0.1"], { NAME: "" }),
      start("accents", [...bun, "127.0.0.1"], { NAME: "café" }),
      start("argument", [...bun, "127.0.0.1", "NAME=from.argument"], { NAME: "from.environment" }),
      start("only argument", [...bun, "127.0.0.1", "NAME=from.argument", "PATH=x"], {}),
    );
    if (node !== null) {
      starting.push(start("shared", [node, fixture("shared.mjs")], { NAME: "shared.agree" }));
    }
    // All are waited for, so that one that fails leaves no other behind.
    const failed = (await Promise.allSettled(starting)).find((its) => its.status === "rejected");
    if (failed !== undefined) throw failed.reason;
    sources.push(procfsSource({ uid }), lsofSource({ uid }));
    scans = await Promise.all(sources.map((source) => source.scan()));
  });

  afterAll(async () => {
    await Promise.all([...servers.values()].map((server) => server.end()));
  });

  /** Other tests start servers at the same time: only ours are compared. */
  const ours = ({ observations }: Scan) => {
    const ports = new Set([...servers.values()].flatMap((server) => server.ports));
    return observations.filter(({ port }) => ports.has(port));
  };
  const processOf = (scan: Scan, key: string) => scan.processes.get(servers.get(key)!.pid)!;

  test("see the same sockets, held by the same processes", () => {
    const [procfs, lsof] = scans.map(ours);
    expect(procfs!.length).toBeGreaterThanOrEqual(runtimes.size * 2);
    expect(lsof).toEqual(procfs!);
  });

  test("see each socket at the address it was given", () => {
    for (const name of runtimes.keys()) {
      for (const [key, addresses] of [
        [`${name} named`, loopbacks],
        [`${name} nameless`, wildcards],
      ] as const) {
        const { pid, ports } = servers.get(key)!;
        for (const scan of scans) {
          const its = scan.observations.filter((observation) => observation.pids.includes(pid));
          const found = ports.map((port) => its.find((one) => one.port === port)?.address);
          expect(found).toEqual([...addresses]);
        }
      }
    }
  });

  test("say the same of every process, but for a second in its start time", () => {
    const [procfs, lsof] = scans;
    for (const { pids } of ours(procfs!)) {
      for (const pid of pids) {
        const { startedAt, ...facts } = procfs!.processes.get(pid)!;
        const { startedAt: other, ...others } = lsof!.processes.get(pid)!;
        expect(others).toEqual(facts);
        expect(Math.abs(other - startedAt)).toBeLessThanOrEqual(1000);
        expect(Math.abs(startedAt - Date.now())).toBeLessThan(60_000);
      }
    }
  });

  test("know the same ancestors", () => {
    const [procfs, lsof] = scans;
    // Arguments and variables of a developer's shells may hold newlines, which ps cannot show.
    const line = (scan: Scan) => {
      const ancestors: Pick<ObservedProcess, "pid" | "parent" | "group" | "uid">[] = [];
      let process = scan.processes.get(servers.get("bun named")!.pid);
      while (process !== undefined) {
        const { pid, parent, group, uid: owner } = process;
        ancestors.push({ pid, parent, group, uid: owner });
        process = scan.processes.get(parent);
      }
      return ancestors;
    };
    expect(line(procfs!).map(({ pid }) => pid)).toContain(process.pid);
    expect(line(lsof!)).toEqual(line(procfs!));
  });

  test("read NAME from the environment", () => {
    for (const scan of scans) {
      for (const name of runtimes.keys()) {
        expect(processOf(scan, `${name} named`).name).toBe(`${name}.agree`);
        expect(processOf(scan, `${name} nameless`).name).toBeUndefined();
      }
      expect(processOf(scan, "spaces").name).toBe("my first app");
      expect(processOf(scan, "empty").name).toBe("");
      expect(processOf(scan, "accents").name).toBe("café");
      expect(processOf(scan, "argument").name).toBe("from.environment");
      expect(processOf(scan, "only argument").name).toBeUndefined();
    }
  });

  test.skipIf(node === null)("see both processes that share a socket", () => {
    for (const scan of scans) {
      const { pid, ports } = servers.get("shared")!;
      const [observation] = scan.observations.filter((its) => its.port === ports[0]);
      expect(observation!.pids).toHaveLength(2);
      const child = observation!.pids.find((its) => its !== pid)!;
      expect(scan.processes.get(child)).toMatchObject({ parent: pid, name: "shared.agree" });
    }
  });

  test("know of a process whether it still runs", async () => {
    const server = await realServer([...runtimes.get("bun")!, "127.0.0.1"], { NAME: "brief" });
    const identities = await Promise.all(
      sources.map(async (source) => (await source.scan()).processes.get(server.pid)!),
    );
    const alive = () => sources.map((source, at) => source.alive!(identities[at]!));
    expect(alive()).toEqual([true, true]);
    await server.end();
    expect(alive()).toEqual([false, false]);
  });
});
