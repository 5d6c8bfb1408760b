/** Linux's /proc -> listening sockets and their processes, without starting any process. */
import { readdirSync, readFileSync, readlinkSync, statSync } from "node:fs";
import { listeningRows } from "../system/listening-rows.ts";
import type { ListeningRow } from "../system/proc-net.ts";
import { type ProcStat, parseProcStat } from "../system/proc-stat.ts";
import { portIn } from "./pick-port.ts";
import type { Observation, ObservedProcess, Scan, Skipped, Source } from "./observation.ts";

export type ProcfsOptions = {
  /** Where procfs is mounted; `/proc` if not given. */
  root?: string;
  /** Whose processes are read. */
  uid: number;
  /** Reads everybody's. */
  allUsers?: boolean;
  /** Milliseconds since the machine started; what `uptime` in the root says if not given. */
  uptime?: () => number;
};

/** Milliseconds. USER_HZ, what the kernel shows to programs, is 100 on every machine that Bun runs on. */
const tick = 10;

/**
 * Milliseconds. A process this young at its last walk is walked again: it may still be starting.
 * Between fork and exec it shows its parent's files and environment, and a worker gets a socket that
 * its parent opened long ago handed over when it calls listen (node:cluster).
 */
const youth = 30_000;

/** Milliseconds after which any process is walked again: the bound on what the rules below miss. */
const oldest = 60_000;

/** Milliseconds of work after which the event loop gets its turn: requests go on during a scan. */
const slice = 5;

/** What is known of a process, kept from scan to scan while it stays the same process and program. */
type Known = ProcStat & {
  pid: number;
  uid: number;
  /** Which folder of procfs it was found in: differs when the pid is another process. */
  folder: string;
  /** The scan that last read its `stat`. */
  verified: number;
  /** The uptime at which its descriptors were last walked; undefined before the first time. */
  walkedAt: number | undefined;
  /** Listening sockets it holds: inode -> the path of one descriptor that is it. */
  sockets: Map<number, string>;
  /** Why it could not be walked. */
  refused: string | undefined;
  /** Read when first asked for after a walk. Nothing of the environment but the name and PORT is ever kept. */
  facts: Facts | undefined;
};

type Facts = {
  name: string | undefined;
  wantedPort: number | undefined;
  command: string;
  cwd: string | undefined;
};

function codeOf(error: unknown): string {
  return (error as NodeJS.ErrnoException).code ?? String(error);
}

/** A process that ended while it was read: its files are gone, or say so. */
function isGone(code: string): boolean {
  return code === "ENOENT" || code === "ESRCH";
}

/** A variable, as it stands at the start of an environment, and behind another. */
type Sought = { atStart: Buffer; inside: Buffer };

function sought(name: string): Sought {
  return { atStart: Buffer.from(`${name}=`), inside: Buffer.from(`\0${name}=`) };
}

const ownName = sought("LOCALHOSTESS_NAME");
const plainName = sought("NAME");
const port = sought("PORT");

/** The value of a variable among NUL-ended strings; the first, as getenv(3) finds it. */
function valueIn(environment: Buffer, { atStart, inside }: Sought): string | undefined {
  let start = -1;
  if (environment.subarray(0, atStart.length).equals(atStart)) start = atStart.length;
  else {
    const at = environment.indexOf(inside);
    if (at !== -1) start = at + inside.length;
  }
  if (start === -1) return undefined;
  const end = environment.indexOf(0, start);
  return environment.toString("utf8", start, end === -1 ? environment.length : end);
}

/**
 * What a scan reads, and why that is enough:
 *
 * - The folder of every process. Linux makes its inode when it is first looked up and drops it when the
 *   process ends, so a reused pid shows another inode and another change time; and its owner is the
 *   process's user. Where anything differs, it is a stranger of which nothing is known.
 * - `stat` of strangers, and of all that have listening sockets or descend to one that has: pid and start
 *   time are their identity, whatever the folder says. exec, too, makes strangers of them.
 * - The descriptors of a process (the expensive part) when it is a stranger, young, or was last
 *   walked a minute ago.
 * - One link for each listening socket that a process was found with: it still holds it there, or
 *   it is walked again.
 * - The descriptors of everybody, once, when a listening socket has no known owner: a process known
 *   for long has opened it. Where that finds none (another user's, another namespace's), the socket
 *   is remembered as nobody's; only a stranger can bring it to us, and strangers are walked.
 */
export function procfsSource({
  root = "/proc",
  uid,
  allUsers = false,
  uptime = () => Number.parseFloat(readFileSync(`${root}/uptime`, "latin1")) * 1000,
}: ProcfsOptions): Source {
  let known = new Map<number, Known>();
  let nobodys = new Set<number>();
  let bootTime: number | undefined;
  let scans = 0;
  /** The uptime at which the scan began: unlike the clock, nobody sets it. */
  let moment = 0;

  /** Seconds since the epoch. Read once: when the clock is set, start times must not all move. */
  function bootedAt(): number {
    bootTime ??= Number(/^btime (\d+)$/m.exec(readFileSync(`${root}/stat`, "latin1"))?.[1] ?? 0);
    return bootTime;
  }

  function startOf(ticks: number): number {
    return (bootedAt() + Math.floor((ticks * tick) / 1000)) * 1000;
  }

  function readTable(file: string, rows: Map<number, ListeningRow>): void {
    for (const found of listeningRows(`${root}/net/${file}`)) {
      for (const row of found) rows.set(row.inode, row);
    }
  }

  /** By inode. */
  function rowsByInode(): Map<number, ListeningRow> {
    const rows = new Map<number, ListeningRow>();
    readTable("tcp", rows);
    try {
      readTable("tcp6", rows);
    } catch (error) {
      // A kernel without IPv6 has no such file.
      if (codeOf(error) !== "ENOENT") throw error;
    }
    return rows;
  }

  function readStat(pid: number): ProcStat | undefined {
    try {
      return parseProcStat(readFileSync(`${root}/${pid}/stat`, "utf8"));
    } catch (error) {
      // Ended; or hidden from us (the mount option hidepid), which is the same to us.
      const code = codeOf(error);
      if (isGone(code) || code === "EPERM" || code === "EACCES") return undefined;
      throw error;
    }
  }

  /** The processes of this moment, with what is already known of them. */
  function census(): Map<number, Known> {
    const present = new Map<number, Known>();
    for (const entry of readdirSync(root)) {
      const pid = Number(entry);
      if (!Number.isInteger(pid)) continue;
      const status = statSync(`${root}/${pid}`, { throwIfNoEntry: false });
      if (status === undefined) continue;
      const folder = `${status.ino} ${status.ctimeMs}`;
      const before = known.get(pid);
      if (before !== undefined && before.folder === folder && before.uid === status.uid) {
        present.set(pid, before);
        continue;
      }
      const stat = readStat(pid);
      if (stat === undefined) continue;
      present.set(pid, {
        ...stat,
        pid,
        uid: status.uid,
        folder,
        verified: scans,
        walkedAt: undefined,
        sockets: new Map(),
        refused: undefined,
        facts: undefined,
      });
    }
    return present;
  }

  /** Reads its `stat` again: whether it is the same process and program as before. */
  function verify(process: Known): boolean {
    if (process.verified === scans) return true;
    process.verified = scans;
    const stat = readStat(process.pid);
    // Gone since the census: the next one will not list it.
    if (stat === undefined) return true;
    const same = process.startTicks === stat.startTicks && process.image === stat.image;
    if (!same) process.facts = undefined;
    // Orphans get a new parent, shells move their jobs to new groups.
    Object.assign(process, stat);
    return same;
  }

  function walk(process: Known, rows: ReadonlyMap<number, ListeningRow>): void {
    process.walkedAt = moment;
    process.sockets = new Map();
    process.refused = undefined;
    process.facts = undefined;
    const folder = `${root}/${process.pid}/fd`;
    let descriptors: string[];
    try {
      descriptors = readdirSync(folder);
    } catch (error) {
      const code = codeOf(error);
      process.refused = isGone(code) ? "it ended while it was read" : `its files: ${code}`;
      return;
    }
    for (const descriptor of descriptors) {
      const path = `${folder}/${descriptor}`;
      const inode = socketAt(path);
      if (inode !== undefined && rows.has(inode)) process.sockets.set(inode, path);
    }
  }

  /** The inode of the socket that a descriptor is. */
  function socketAt(path: string): number | undefined {
    let target: string;
    try {
      target = readlinkSync(path);
    } catch (error) {
      // Closed since the folder was listed; or not ours to follow, which listing it has told.
      if (isGone(codeOf(error)) || codeOf(error) === "EACCES") return undefined;
      throw error;
    }
    return target.startsWith("socket:[") ? Number(target.slice(8, -1)) : undefined;
  }

  function isDue(process: Known): boolean {
    if (process.walkedAt === undefined) return true;
    if (moment - process.walkedAt >= oldest) return true;
    return process.walkedAt - process.startTicks * tick < youth;
  }

  /** Whether every socket that still listens is where it was. */
  function holdsItsSockets(process: Known, rows: ReadonlyMap<number, ListeningRow>): boolean {
    for (const [inode, path] of process.sockets) {
      if (!rows.has(inode)) process.sockets.delete(inode);
      else if (socketAt(path) !== inode) return false;
    }
    return true;
  }

  function readable<T>(read: () => T): T | undefined {
    try {
      return read();
    } catch {
      // Not ours to read, or gone: the caller shows that it does not know.
      return undefined;
    }
  }

  function factsOf(process: Known): Facts {
    const folder = `${root}/${process.pid}`;
    const own = allUsers || process.uid === uid;
    let name: string | undefined;
    let wantedPort: number | undefined;
    if (own) {
      const environment = readable(() => readFileSync(`${folder}/environ`));
      if (environment !== undefined) {
        // An empty one is one that is not set.
        name = valueIn(environment, ownName) || valueIn(environment, plainName);
        wantedPort = portIn(valueIn(environment, port));
        // The rest is none of our business, also not in a heap dump.
        environment.fill(0);
      }
    }
    const line = readable(() => readFileSync(`${folder}/cmdline`, "utf8")) ?? "";
    // Each argument ends in NUL. A process that rewrote its title leaves a row of them behind it.
    const command = line.replace(/\0+$/, "").replaceAll("\0", " ");
    return {
      name,
      wantedPort,
      // As ps shows a process that has no arguments.
      command: command === "" ? `[${process.comm}]` : command,
      cwd: own ? readable(() => readlinkSync(`${folder}/cwd`)) : undefined,
    };
  }

  function observed(process: Known): ObservedProcess {
    verify(process);
    process.facts ??= factsOf(process);
    return {
      pid: process.pid,
      startedAt: startOf(process.startTicks),
      parent: process.parent,
      group: process.group,
      uid: process.uid,
      ...process.facts,
    };
  }

  async function scan(): Promise<Scan> {
    let sliceStart = performance.now();
    const breathe = async () => {
      if (performance.now() - sliceStart < slice) return;
      await new Promise((resume) => setImmediate(resume));
      sliceStart = performance.now();
    };

    scans++;
    moment = uptime();
    // The table comes first: who holds a socket of it stands in the list of processes read after.
    const rows = rowsByInode();
    await breathe();
    known = census();
    const ours = [...known.values()].filter((process) => allUsers || process.uid === uid);
    const walked = new Set<Known>();
    const owners = new Map<number, Known[]>();
    const own = (process: Known) => {
      for (const inode of process.sockets.keys()) {
        const holders = owners.get(inode);
        if (holders === undefined) owners.set(inode, [process]);
        else holders.push(process);
      }
    };
    for (const process of ours) {
      const holder = process.sockets.size > 0;
      if (isDue(process) || (holder && !(verify(process) && holdsItsSockets(process, rows)))) {
        walk(process, rows);
        walked.add(process);
        await breathe();
      }
      own(process);
    }
    const lost = [...rows.keys()].some((inode) => !owners.has(inode) && !nobodys.has(inode));
    if (lost) {
      owners.clear();
      for (const process of ours) {
        if (!walked.has(process)) {
          walk(process, rows);
          await breathe();
        }
        own(process);
      }
    }
    nobodys = new Set([...rows.keys()].filter((inode) => !owners.has(inode)));
    return report(rows, owners);
  }

  function report(
    rows: ReadonlyMap<number, ListeningRow>,
    owners: ReadonlyMap<number, readonly Known[]>,
  ): Scan {
    // Several sockets may share one address and port (SO_REUSEPORT).
    const places = new Map<string, { address: string; port: number; pids: Set<number> }>();
    const processes = new Map<number, ObservedProcess>();
    const skipped: Skipped[] = [];
    for (const [inode, row] of rows) {
      const holders = owners.get(inode);
      if (holders === undefined) {
        const whose = row.uid === uid ? "a process that is not visible" : `user ${row.uid}`;
        skipped.push({
          pid: undefined,
          why: `port ${row.port} on ${row.address} is held by ${whose}`,
        });
        continue;
      }
      const key = `${row.port} ${row.address}`;
      const place = places.get(key) ?? { address: row.address, port: row.port, pids: new Set() };
      places.set(key, place);
      for (const holder of holders) {
        place.pids.add(holder.pid);
        let process: Known | undefined = holder;
        while (process !== undefined && !processes.has(process.pid)) {
          processes.set(process.pid, observed(process));
          process = known.get(process.parent);
        }
      }
    }
    for (const process of known.values()) {
      if (process.refused !== undefined) skipped.push({ pid: process.pid, why: process.refused });
    }
    const observations: Observation[] = [...places.values()]
      .map(({ address, port, pids }) => ({ address, port, pids: [...pids].sort((a, b) => a - b) }))
      .sort((a, b) => a.port - b.port || (a.address < b.address ? -1 : 1));
    return { observations, processes, skipped };
  }

  return {
    kind: "procfs",
    scan,
    alive({ pid, startedAt }) {
      const stat = readable(() => readStat(pid));
      return stat !== undefined && startOf(stat.startTicks) === startedAt;
    },
  };
}
