/** A state directory that the file's end removes -> the options of a daemon in this process, and its open sockets. */
import { afterAll } from "bun:test";
import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { DaemonOptions } from "../../src/daemon/daemon.ts";

const directories: string[] = [];
// Last of all: a daemon that a test ends afterwards would make its directory again.
afterAll(async () => {
  for (const directory of directories.splice(0))
    await rm(directory, { recursive: true, force: true });
});

export async function daemonOptions(more: Partial<DaemonOptions> = {}): Promise<DaemonOptions> {
  const directory = await mkdtemp(join(tmpdir(), "localhostess-daemon-"));
  directories.push(directory);
  return {
    port: 0,
    extraPorts: [],
    httpsRedirect: false,
    otherUsers: false,
    infer: false,
    scanner: "auto",
    allUsers: false,
    stateDirectory: directory,
    socket: join(directory, "socket"),
    log: undefined,
    allowedOrigins: [],
    trust: async () => [],
    unlessRunning: false,
    mustBeFound: false,
    tlds: [],
    bareNames: false,
    env: {},
    configFile: undefined,
    serviceTrust: async () => ({}),
    trial: 200,
    onServices() {},
    onNote() {},
    onSkipped() {},
    ...more,
  };
}

/** How many sockets that others can reach this process has open. The kernel's diagnostics are asked on another kind. */
export function sockets(): number {
  const tables = ["tcp", "tcp6", "unix"].map((name) =>
    readFileSync(`/proc/self/net/${name}`, "utf8"),
  );
  const known = new Set(tables.join("\n").split(/\s+/));
  return readdirSync("/proc/self/fd").filter((name) => {
    try {
      const [, inode] = readlinkSync(`/proc/self/fd/${name}`).match(/^socket:\[(\d+)\]$/) ?? [];
      return inode !== undefined && known.has(inode);
    } catch {
      // The descriptor by which the directory was read, which is closed again.
      return false;
    }
  }).length;
}
