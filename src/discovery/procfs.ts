/** Linux's /proc -> listening sockets and their processes, without starting any process. */
import { readdirSync, readFileSync, readlinkSync, statSync } from "node:fs";
import { bystandersOf, type Candidate } from "./bystanders.ts";
import { listeningRows } from "../system/listening-rows.ts";
import type { ListeningRow } from "../system/proc-net.ts";
import { type ProcStat, parseProcStat } from "../system/proc-stat.ts";
import type {
  ListeningSocket,
  Observation,
  ObservedProcess,
  Scan,
  Session,
  Skipped,
  Source,
  Unowned,
} from "./observation.ts";
import {
  type Files,
  type FoundVariables,
  remember,
  type Remembered,
  type Subject,
  variablesOf,
} from "./process-variables.ts";

export type ProcfsOptions = {
  /** Where procfs is mounted. Defaults to `/proc`. */
  root?: string;
  /** The user whose processes are read. */
  uid: number;
  /** Reads all users' processes. */
  allUsers?: boolean;
  /** Milliseconds since the machine started. Defaults to the value of `uptime` in the root. */
  uptime?: () => number;
};

/** Milliseconds. USER_HZ, the kernel's unit towards programs, is 100 on every machine that Bun runs on. */
const tick = 10;

/**
 * Milliseconds. A process that was younger than this at its last walk is walked again, because it may still be
 * starting. Between fork and exec, it shows its parent's files and environment, and a worker that calls listen is
 * handed a socket that its parent opened long ago (node:cluster).
 */
const youth = 30_000;

/** Milliseconds after which every process is walked again: the limit on how long the rules below can miss a change. */
const oldest = 60_000;

/** Pids that are looked at between two scans: the last ones, where thousands have begun. */
const mostGlances = 256;

/** Milliseconds of work after which the event loop gets a turn: requests are served during a scan. */
const slice = 5;

/** Knowledge about a process, kept between scans while it is the same process and program. */
type Known = {
  pid: number;
  /** Read on first use; most processes have no listening socket, and are not asked for. */
  stat: ProcStat | undefined;
  uid: number;
  /** Identifies the process's folder in procfs; differs if the pid was reused. */
  folder: string;
  /** The scan that last read `stat`. */
  verified: number;
  /** The uptime of the last walk over its descriptors; undefined before the first. */
  walkedAt: number | undefined;
  /** Listening sockets it holds: inode -> the path of one descriptor for it. */
  sockets: Map<number, string>;
  /** The reason why it could not be walked. */
  refused: string | undefined;
  /** Read on first use after a walk. Only the name and PORT of the environment are ever kept. */
  facts: Facts | undefined;
  remembered: Remembered;
  /** Looks at its environment before anything else was asked of it. */
  glances: number;
};

type Facts = FoundVariables & Pick<ObservedProcess, "command" | "cwd">;

/** In the place of a process that has ended before anything was read of it. */
const ended: ProcStat = {
  parent: 0,
  group: 0,
  session: 0,
  terminal: false,
  zombie: true,
  stopped: false,
  exitStatus: 0,
  cpuTicks: 0,
  pages: 0,
  startTicks: 0,
  exec: undefined,
  image: "",
  argumentOctets: undefined,
  comm: "",
};

function codeOf(error: unknown): string {
  return (error as NodeJS.ErrnoException).code ?? String(error);
}

/** The process ended while it was read: its files are gone, or report so. */
function isGone(code: string): boolean {
  return code === "ENOENT" || code === "ESRCH";
}

/**
 * Each scan reads the following, which is sufficient:
 *
 * - The folder of every process. Linux creates its inode on the first lookup and drops it when the process ends, so a
 *   reused pid has another inode and another change time; and the folder's owner is the process's user. If anything
 *   differs, the process is a stranger, about which nothing is known.
 * - `stat` of strangers, of every process with listening sockets, and of all ancestors of those: pid and start time are
 *   the identity, whatever the folder says. An exec makes a process a stranger too.
 * - The descriptors of a process (the expensive part), if it is a stranger, is young, or was last walked a minute ago.
 * - One link for each listening socket that a process was found with: if the process no longer holds it there, the
 *   process is walked again.
 * - The descriptors of all processes, once, if a listening socket has no known owner: a long-known process has opened
 *   it. If none is found (another user's, another namespace's), the socket is remembered as having no owner. From then
 *   on, only a stranger can bring it to us, and strangers are walked.
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
  /** The pid that was the latest at the last glance. */
  let latestSeen: number | undefined;
  /** The uptime at the start of the scan. Unlike the clock, it is never set. */
  let moment = 0;

  /** Seconds since the epoch. Read once: if the clock is set later, start times must not all move. */
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

  /** The listening sockets by inode. */
  function rowsByInode(): Map<number, ListeningRow> {
    const rows = new Map<number, ListeningRow>();
    readTable("tcp", rows);
    try {
      readTable("tcp6", rows);
    } catch (error) {
      // A kernel without IPv6 does not have this file.
      if (codeOf(error) !== "ENOENT") throw error;
    }
    return rows;
  }

  function readStat(pid: number): ProcStat | undefined {
    try {
      return parseProcStat(readFileSync(`${root}/${pid}/stat`, "utf8"));
    } catch (error) {
      // The process ended, or is hidden from us (mount option hidepid), which makes no difference here.
      const code = codeOf(error);
      if (isGone(code) || code === "EPERM" || code === "EACCES") return undefined;
      throw error;
    }
  }

  /** The current processes, with what is already known about them. */
  function census(): Map<number, Known> {
    const present = new Map<number, Known>();
    for (const entry of readdirSync(root)) {
      const pid = Number(entry);
      if (!Number.isInteger(pid)) continue;
      const process = met(pid);
      if (process !== undefined) present.set(pid, process);
    }
    return present;
  }

  /** Undefined if it has ended. */
  function met(pid: number): Known | undefined {
    const status = statSync(`${root}/${pid}`, { throwIfNoEntry: false });
    if (status === undefined) return undefined;
    const folder = `${status.ino} ${status.ctimeMs}`;
    const before = known.get(pid);
    if (before !== undefined && before.folder === folder && before.uid === status.uid) {
      return before;
    }
    return {
      pid,
      stat: undefined,
      uid: status.uid,
      folder,
      verified: 0,
      walkedAt: undefined,
      sockets: new Map(),
      refused: undefined,
      facts: undefined,
      remembered: {},
      glances: 0,
    };
  }

  /** Reads the variables of a process that has just begun. A second time, because it may not have called exec yet. */
  function glance(process: Known): void {
    if (process.glances >= 2 || !isOwn(process)) return;
    process.glances++;
    remember(subjectOf(process), filesOf(process));
  }

  /** The pid that was given last: proc_loadavg(5). Each new process or thread gets the next one that is free. */
  function latestPid(): number | undefined {
    const text = readable(() => readFileSync(`${root}/loadavg`, "latin1"));
    const pid = Number(text?.trim().split(" ").at(-1));
    return pid > 0 ? pid : undefined;
  }

  /** Reads `stat` again. Returns whether it is the same process and program as before. */
  function verify(process: Known): boolean {
    if (process.verified === scans) return true;
    process.verified = scans;
    const stat = readStat(process.pid);
    // The process ended after the census; the next census will not list it.
    if (stat === undefined) return true;
    const before = process.stat;
    // Orphans get a new parent, and shells move their jobs to new groups.
    process.stat = stat;
    if (before === undefined) return true;
    const same = before.startTicks === stat.startTicks && before.image === stat.image;
    if (!same) process.facts = undefined;
    return same;
  }

  function statOf(process: Known): ProcStat {
    process.stat ??= readStat(process.pid) ?? ended;
    return process.stat;
  }

  function subjectOf({ pid, stat, remembered }: Known): Subject {
    return { pid, remembered, image: stat?.image, argumentOctets: stat?.argumentOctets };
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

  /** The inode of the socket behind a descriptor. */
  function socketAt(path: string): number | undefined {
    let target: string;
    try {
      target = readlinkSync(path);
    } catch (error) {
      // Closed since the folder was listed; or not readable for us, which listing the folder has reported.
      if (isGone(codeOf(error)) || codeOf(error) === "EACCES") return undefined;
      throw error;
    }
    return target.startsWith("socket:[") ? Number(target.slice(8, -1)) : undefined;
  }

  function isDue(process: Known): boolean {
    if (process.walkedAt === undefined) return true;
    if (moment - process.walkedAt >= oldest) return true;
    return isYoung(process, process.walkedAt);
  }

  function isYoung(process: Known, at: number): boolean {
    return at - statOf(process).startTicks * tick < youth;
  }

  /** Whether the process still holds every socket that listens, in the same place. */
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
      // Not readable for us, or gone: the caller shows that the value is unknown.
      return undefined;
    }
  }

  function isOwn(process: Known): boolean {
    return allUsers || process.uid === uid;
  }

  function filesOf({ pid, uid: owner }: Known): Files {
    const environment = readable(() => readFileSync(`${root}/${pid}/environ`));
    return { root, environment, own: owner === uid };
  }

  function factsOf(process: Known): Facts {
    const folder = `${root}/${process.pid}`;
    const own = isOwn(process);
    const line = readable(() => readFileSync(`${folder}/cmdline`));
    // Each argument ends in NUL. A process that rewrote its title leaves more of them at the end.
    const command = (line ?? "").toString("utf8").replace(/\0+$/, "").replaceAll("\0", " ");
    return {
      ...(own
        ? variablesOf(subjectOf(process), { ...filesOf(process), line })
        : { name: undefined }),
      // The form in which ps shows a process without arguments.
      command: command === "" ? `[${statOf(process).comm}]` : command,
      cwd: own ? readable(() => readlinkSync(`${folder}/cwd`)) : undefined,
    };
  }

  function observed(process: Known): ObservedProcess {
    verify(process);
    process.facts ??= factsOf(process);
    const { startTicks, parent, group } = statOf(process);
    return {
      pid: process.pid,
      startedAt: startOf(startTicks),
      parent,
      group,
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
    // The table is read first, so the owner of each of its sockets is in the list of processes read afterwards.
    const rows = rowsByInode();
    await breathe();
    known = census();
    const ours = [...known.values()].filter(isOwn);
    for (const process of ours) {
      if (process.glances === 0 || (process.glances === 1 && isYoung(process, moment))) {
        glance(process);
        await breathe();
      }
    }
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

  function* candidates(): Generator<Candidate> {
    for (const process of known.values()) {
      const name = process.remembered.seen?.name;
      yield { pid: process.pid, name, observe: () => observed(process) };
    }
  }

  function sessionsOf(processes: Iterable<ObservedProcess>): Map<number, Session> {
    const sessions = new Map<number, Session>();
    for (const { pid } of processes) {
      const process = known.get(pid);
      if (process === undefined) continue;
      const { session, terminal } = statOf(process);
      sessions.set(pid, { id: session, terminal });
    }
    return sessions;
  }

  function report(
    rows: ReadonlyMap<number, ListeningRow>,
    owners: ReadonlyMap<number, readonly Known[]>,
  ): Scan {
    // Several sockets may share one address and port (SO_REUSEPORT).
    const places = new Map<string, { address: string; port: number; pids: Set<number> }>();
    const processes = new Map<number, ObservedProcess>();
    const sockets: ListeningSocket[] = [];
    const skipped: Skipped[] = [];
    const unowned: Unowned[] = [];
    for (const [inode, row] of rows) {
      const holders = owners.get(inode);
      const { address, port } = row;
      const pids = (holders ?? []).map(({ pid }) => pid).sort((a, b) => a - b);
      sockets.push({ address, port, inode, pids });
      if (holders === undefined) {
        unowned.push({ address: row.address, port: row.port, uid: row.uid });
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
          process = known.get(statOf(process).parent);
        }
      }
    }
    for (const process of known.values()) {
      if (process.refused !== undefined) skipped.push({ pid: process.pid, why: process.refused });
    }
    const observations: Observation[] = [...places.values()]
      .map(({ address, port, pids }) => ({ address, port, pids: [...pids].sort((a, b) => a - b) }))
      .sort((a, b) => a.port - b.port || (a.address < b.address ? -1 : 1));
    const bystanders = bystandersOf(processes, candidates());
    const sessions = sessionsOf([...processes.values(), ...bystanders]);
    return { observations, sockets, processes, bystanders, sessions, skipped, unowned };
  }

  return {
    kind: "procfs",
    scan,
    async named(isWanted) {
      scans++;
      moment = uptime();
      known = census();
      return [...known.values()]
        .filter(isOwn)
        .map(observed)
        .filter(({ name }) => isWanted(name));
    },
    glance() {
      const latest = latestPid();
      const before = latestSeen;
      latestSeen = latest;
      if (latest === undefined || before === undefined) return [];
      const names = new Set<string>();
      for (let pid = Math.max(before + 1, latest - mostGlances); pid <= latest; pid++) {
        const process = met(pid);
        if (process === undefined) continue;
        known.set(pid, process);
        glance(process);
        const name = process.remembered.seen?.name;
        if (name !== undefined) names.add(name);
      }
      return [...names];
    },
    alive({ pid, startedAt }) {
      const stat = readable(() => readStat(pid));
      return stat !== undefined && startOf(stat.startTicks) === startedAt;
    },
  };
}
