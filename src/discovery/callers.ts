/** A client's connection -> the process at its other end, read from /proc while that takes almost no time. Linux. */
import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import type { Cancel, Clock } from "../system/clock.ts";
import type { Ends, PeerSockets } from "../system/peer-sockets.ts";
import { printable } from "../text/printable.ts";

export type Caller = { pid: number; command: string };

/** A connection whose client process is wanted; `caller` is set once it is known. */
export type Asked = {
  /** Read only during a search, because it asks the kernel. */
  readonly end: Ends;
  caller: Caller | undefined;
};

export interface Callers {
  /** Searches at once if the budget allows it, or else a little later, together with others. */
  ask(end: Asked["end"]): Asked;
  /** The connection is gone: its port may belong to another client next. */
  forget(asked: Asked): void;
  /** Cancels all timers. */
  stop(): void;
}

export type CallersOptions = {
  /** `/proc`, or a test's replacement for it. */
  root: string;
  clock: Clock;
  /** A monotonic clock in fractional milliseconds. */
  now(): number;
  peers: PeerSockets;
  /**
   * Milliseconds of searching that a quiet time saves up, so that all calls which a person or a script makes in a row
   * are looked up.
   */
  savings?: number;
};

/**
 * A search that took t is followed by this many times t without one: at most a hundredth of our time is spent
 * searching.
 */
const rest = 100;
const usualSavings = 50;
/** Milliseconds after which a search is abandoned: thousands of processes are not worth a stall. */
const patience = 20;
/** Connections that wait for the next search; any further ones stay unknown. */
const queueLimit = 256;
/** Number of recent callers, which are searched first. */
const recentLimit = 16;
const commandLimit = 200;

export function callerFinder(options: CallersOptions): Callers {
  const { root, clock, now, peers, savings = usualSavings } = options;
  const queue = new Set<Asked>();
  let recent: number[] = [];
  let credit = savings;
  let counted = now();
  let cancel: Cancel | undefined;
  let stopped = false;

  function look(asked: readonly Asked[]): void {
    const started = now();
    try {
      find(asked, started + patience);
    } finally {
      credit -= now() - started;
    }
  }

  function isAffordable(): boolean {
    const at = now();
    credit = Math.min(savings, credit + (at - counted) / rest);
    counted = at;
    return credit > 0;
  }

  function find(asked: readonly Asked[], deadline: number): void {
    const wanted = new Map<number, Asked[]>();
    for (const one of asked) {
      const peer = peers.find(one.end);
      // 0: the client has closed its socket already.
      if (typeof peer === "string" || peer.inode === 0) continue;
      wanted.set(peer.inode, [...(wanted.get(peer.inode) ?? []), one]);
    }
    if (wanted.size === 0) return;
    const others = processes().filter((pid) => !recent.includes(pid));
    for (const pid of [...recent, ...others]) {
      if (wanted.size === 0 || now() > deadline) return;
      visit(pid, wanted);
    }
  }

  /** Newest first, because a caller has often just been started. */
  function processes(): number[] {
    return readdirSync(root)
      .map(Number)
      .filter((pid) => pid > 0)
      .sort((a, b) => b - a);
  }

  function visit(pid: number, wanted: Map<number, Asked[]>): void {
    let caller: Caller | undefined;
    for (const inode of socketsOf(`${root}/${pid}/fd`)) {
      const asked = wanted.get(inode);
      if (asked === undefined) continue;
      wanted.delete(inode);
      caller ??= { pid, command: commandOf(`${root}/${pid}`) };
      for (const one of asked) one.caller = caller;
    }
    if (caller !== undefined) {
      recent = [pid, ...recent.filter((other) => other !== pid)].slice(0, recentLimit);
    }
  }

  function lookLater(): void {
    cancel ??= clock.after(Math.max(1, Math.ceil(-credit * rest)), () => {
      cancel = undefined;
      const asked = [...queue];
      queue.clear();
      if (asked.length > 0) look(asked);
    });
  }

  return {
    ask(end) {
      const asked: Asked = { end, caller: undefined };
      if (isAffordable()) look([asked]);
      else if (queue.size < queueLimit && !stopped) {
        queue.add(asked);
        lookLater();
      }
      return asked;
    },
    forget(asked) {
      queue.delete(asked);
    },
    stop() {
      stopped = true;
      queue.clear();
      cancel?.();
      cancel = undefined;
    },
  };
}

function* socketsOf(folder: string): Generator<number> {
  let names: string[];
  try {
    names = readdirSync(folder);
  } catch {
    // Another user's process, or one that has just ended.
    return;
  }
  for (const name of names) {
    let target: string;
    try {
      target = readlinkSync(`${folder}/${name}`);
    } catch {
      // Closed since the folder was read.
      continue;
    }
    if (target.startsWith("socket:[")) yield Number(target.slice(8, -1));
  }
}

function commandOf(folder: string): string {
  try {
    const line = readFileSync(`${folder}/cmdline`, "utf8").replaceAll("\0", " ").trim();
    return printable(
      line === "" ? readFileSync(`${folder}/comm`, "utf8").trim() : line,
      commandLimit,
    );
  } catch {
    // The process has ended, so only its pid is known.
    return "";
  }
}
