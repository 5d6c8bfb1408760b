/** Processes -> the TCP ports that they listen on, and a port -> whether anybody listens on it. */
import { readdirSync, readlinkSync } from "node:fs";
import { dial } from "../../link/dial.ts";
import { nobody } from "../../link/link.ts";
import { runCommand } from "../../system/command.ts";
import { belongsTo } from "../../system/listeners.ts";
import { listeningRows } from "../../system/listening-rows.ts";
import type { ListeningRow } from "../../system/proc-net.ts";
import { slices } from "../../system/slices.ts";
import { shared } from "../family/census.ts";

/** `uid` owns the socket; undefined where the system does not show it. */
export type Listener = { port: number; uid: number | undefined };

export interface Listening {
  /**
   * Whether a server listens there that is ours or root's, not necessarily in a service's family: a container's proxy
   * is not. Another user may have taken the port. On macOS whoever listens counts.
   */
  on(port: number): Promise<boolean>;
  /** Listeners by port, ascending. */
  of(pids: readonly number[]): Promise<readonly Listener[]>;
}

/** The addresses at which a service is dialled. */
const addresses = ["127.0.0.1", "::1"];

/** Milliseconds of work after which the event loop gets its turn. */
const slice = 3;

/** Milliseconds between two readings of the table, however many ask. */
const spacing = 50;

/** Linux: procfs, and no connection that a server would notice. */
export function procfsListening({
  root = "/proc",
  users = [process.getuid?.() ?? 0, 0],
}: { root?: string; users?: readonly number[] } = {}): Listening {
  const breathe = slices(slice);
  let last = Number.NEGATIVE_INFINITY;

  /** Sockets by inode. */
  const table = shared(async () => {
    const early = last + spacing - performance.now();
    if (early > 0) await new Promise((resume) => setTimeout(resume, early));
    last = performance.now();
    const rows = new Map<number, ListeningRow>();
    for (const file of ["tcp", "tcp6"]) await read(`${root}/net/${file}`, rows);
    return rows;
  });

  async function read(path: string, rows: Map<number, ListeningRow>): Promise<void> {
    try {
      for (const found of listeningRows(path)) {
        for (const row of found) rows.set(row.inode, row);
        await new Promise((resume) => setImmediate(resume));
      }
    } catch {
      // A kernel without IPv6 has no such file.
    }
  }

  async function walk(pids: readonly number[]): Promise<readonly Listener[]> {
    const rows = await table();
    const found = new Map<string, Listener>();
    for (const pid of pids) {
      await breathe();
      for (const inode of socketsOf(`${root}/${pid}/fd`)) {
        const row = rows.get(inode);
        if (row !== undefined)
          found.set(`${row.port} ${row.uid}`, { port: row.port, uid: row.uid });
      }
    }
    return [...found.values()].sort((a, b) => a.port - b.port);
  }

  return {
    async on(port) {
      const rows = [...(await table()).values()];
      return addresses.some((address) => belongsTo(rows, { place: { address, port }, users }));
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

/** Parses what `lsof -F n` prints for listening sockets. Pure. */
export function portsInLsof(text: string): number[] {
  const ports = new Set<number>();
  for (const line of text.split("\n")) {
    const port = /^n.*:(\d+)$/.exec(line)?.[1];
    if (port !== undefined) ports.add(Number(port));
  }
  return [...ports].sort((a, b) => a - b);
}

/** macOS: a connection tests one port, lsof lists a process's ports. */
export function lsofListening(run: typeof runCommand = runCommand): Listening {
  return {
    async on(port) {
      for (const address of addresses) {
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
      // lsof exits 1 when it finds no sockets; that is an answer, not a failure.
      const ports = result.kind === "done" ? portsInLsof(result.stdout) : [];
      return ports.map((port) => ({ port, uid: undefined }));
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
