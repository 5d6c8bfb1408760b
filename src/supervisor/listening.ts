/** Processes -> the TCP ports that they listen on, and a port -> whether anybody listens on it. */
import { closeSync, openSync, readdirSync, readlinkSync, readSync } from "node:fs";
import { dial } from "../link/dial.ts";
import { nobody } from "../link/link.ts";
import { runCommand } from "../system/command.ts";
import { parseProcNetLine } from "../system/proc-net.ts";
import { slices } from "../system/slices.ts";
import { shared } from "./census.ts";

export interface Listening {
  /** Whether a server of this machine listens there, whoever it belongs to: a container's proxy is not in a service's family. */
  on(port: number): Promise<boolean>;
  /** Ascending. */
  of(pids: readonly number[]): Promise<readonly number[]>;
}

/** Milliseconds of work after which the event loop gets its turn. */
const slice = 3;

/**
 * Rows that do not listen, after which the table is closed. Listening sockets stand first in it (net/ipv4/tcp_ipv4.c,
 * tcp_seq_start), and behind them there may be tens of thousands of connections.
 */
const enoughOthers = 1000;

/** Milliseconds between two readings of the table, however many ask. */
const spacing = 50;

/** Linux: procfs, and no connection that a server would notice. */
export function procfsListening({ root = "/proc" }: { root?: string } = {}): Listening {
  const breathe = slices(slice);
  let last = Number.NEGATIVE_INFINITY;
  const chunk = Buffer.allocUnsafe(32 * 1024);

  /** Inode -> port. */
  const table = shared(async () => {
    const early = last + spacing - performance.now();
    if (early > 0) await new Promise((resume) => setTimeout(resume, early));
    last = performance.now();
    const ports = new Map<number, number>();
    for (const file of ["tcp", "tcp6"]) await read(`${root}/net/${file}`, ports);
    return ports;
  });

  async function read(path: string, ports: Map<number, number>): Promise<void> {
    // A kernel without IPv6 has no such file.
    const descriptor = orNothing(() => openSync(path, "r"));
    if (descriptor === undefined) return;
    try {
      let rest = "";
      let others = 0;
      while (others < enoughOthers) {
        const size = readSync(descriptor, chunk, 0, chunk.length, null);
        if (size === 0) return;
        const lines = (rest + chunk.toString("latin1", 0, size)).split("\n");
        rest = lines.pop()!;
        for (const line of lines) {
          const row = parseProcNetLine(line);
          if (row === "other") others++;
          else if (row !== "unread") ports.set(row.inode, row.port);
        }
        await new Promise((resume) => setImmediate(resume));
      }
    } finally {
      closeSync(descriptor);
    }
  }

  async function walk(pids: readonly number[]): Promise<readonly number[]> {
    const ports = await table();
    const found = new Set<number>();
    for (const pid of pids) {
      await breathe();
      for (const inode of socketsOf(`${root}/${pid}/fd`)) {
        const port = ports.get(inode);
        if (port !== undefined) found.add(port);
      }
    }
    return [...found].sort((a, b) => a - b);
  }

  return {
    async on(port) {
      return [...(await table()).values()].includes(port);
    },
    of: walk,
  };
}

/** The inodes of a process's sockets; none where it has ended, or is not ours to look into. */
function socketsOf(folder: string): number[] {
  const names = orNothing(() => readdirSync(folder)) ?? [];
  return names.flatMap((name) => {
    const target = orNothing(() => readlinkSync(`${folder}/${name}`));
    return target?.startsWith("socket:[") ? [Number(target.slice(8, -1))] : [];
  });
}

function orNothing<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    // Ended, or closed since it was listed: the next look is soon.
    return undefined;
  }
}

/** What `lsof -F n` prints for listening sockets. Pure. */
export function portsInLsof(text: string): number[] {
  const ports = new Set<number>();
  for (const line of text.split("\n")) {
    const port = /^n.*:(\d+)$/.exec(line)?.[1];
    if (port !== undefined) ports.add(Number(port));
  }
  return [...ports].sort((a, b) => a - b);
}

/** macOS: a connection tells of one port, lsof of a process's. */
export function lsofListening(run: typeof runCommand = runCommand): Listening {
  return {
    async on(port) {
      for (const address of ["127.0.0.1", "::1"]) {
        if (await connects({ address, port })) return true;
      }
      return false;
    },
    async of(pids) {
      if (pids.length === 0) return [];
      const argv = ["lsof", "-nP", "-a", "-iTCP", "-sTCP:LISTEN", "-F", "n", "-p", pids.join(",")];
      const result = await run(argv as [string, ...string[]], {
        env: { PATH: "/usr/sbin:/usr/bin:/sbin:/bin" },
        deadline: 5000,
        limit: 1024 * 1024,
      });
      // It exits 1 when it finds no sockets; that is an answer, not a failure.
      return result.kind === "done" ? portsInLsof(result.stdout) : [];
    },
  };
}

function connects(place: { address: string; port: number }): Promise<boolean> {
  return new Promise((resolve) => {
    dial(
      place,
      {
        connected(link) {
          link.close();
          resolve(true);
        },
        failed: () => resolve(false),
      },
      nobody,
    );
  });
}
