/** The state directory -> the daemon that runs there, started first if there is none. */
import { join } from "node:path";
import type { Clock } from "../../system/clock.ts";
import { isThere, processAge, processNow } from "../../system/process-now.ts";
import { accepts } from "./client.ts";
import { readCredential } from "./credential.ts";
import type { Handshake } from "./handshake.ts";
import { type Door, type Probed, probe } from "./probe.ts";
import { endpointOf, readRecord, type Registration } from "./registration.ts";

export type Found =
  | {
      kind: "healthy";
      registration: Registration;
      handshake: Handshake;
      credential: string;
      /** `port`: nobody answers at its socket, by which most commands are given. */
      by: Door;
    }
  | (Unhealthy & {
      /** A daemon runs all the same: a process of ours listens, or the one in the record lives. */
      alive: boolean;
    });

type Unhealthy =
  /** There is no record, or none that can be believed. */
  | { kind: "absent"; why: string; registration?: undefined }
  /** A daemon runs, and there is something in the place of its record that cannot be believed. */
  | { kind: "unreadable"; why: string; registration?: undefined }
  /** There is a record, and no credential that could prove it. */
  | {
      kind: "unproved";
      why: string;
      registration: Registration;
      /** Whether something else than a credential is in its place, which no daemon removes. */
      blocked: boolean;
    }
  | (Exclude<Probed, { kind: "healthy" }> & { registration: Registration });

export type Alive = Extract<Found, { kind: "healthy" | "other-protocol" | "another" }>;

/** A daemon of ours is running and has proved it, whether or not we can talk with it. */
export function isAlive(found: Found): found is Alive {
  return ["healthy", "other-protocol", "another"].includes(found.kind);
}

/** Whether a daemon runs, as far as can be told. */
export function runs(found: Found): boolean {
  return found.kind === "healthy" || found.alive;
}

export type FindOptions = {
  clock: Clock;
  /** Milliseconds for the probe. */
  deadline?: number;
  /** Where a daemon without a record listens. */
  socket?: string | undefined;
};

/** Milliseconds to see whether somebody accepts connections. */
const acceptDeadline = 200;

/** Reads the record and probes the daemon, once. Never rejects. */
export async function findDaemon(
  stateDirectory: string,
  { clock, deadline, socket = join(stateDirectory, "daemon.sock") }: FindOptions,
): Promise<Found> {
  const read = readRecord(stateDirectory);
  if (read.kind !== "record") {
    const alive = await accepts({ unix: socket }, { deadline: acceptDeadline });
    if (read.kind === "absent") return { kind: "absent", why: "there is no record of one", alive };
    if (alive) return { ...read, alive };
    return { kind: "absent", why: `the record of one cannot be used: ${read.why}`, alive };
  }
  const { registration } = read;
  const credential = readCredential(stateDirectory);
  if (credential.kind !== "credential") {
    const why = reasons[credential.kind];
    const blocked = credential.kind === "broken";
    const alive = await isListening(registration);
    return { kind: "unproved", registration, why, blocked, alive };
  }
  const options = deadline === undefined ? { clock } : { clock, deadline };
  const probed = await probe(registration, credential.value, options);
  if (probed.kind === "healthy") {
    return { ...probed, registration, credential: credential.value };
  }
  return { ...probed, registration, alive: isLiving(probed, registration) };
}

function isLiving(probed: Exclude<Probed, { kind: "healthy" }>, registration: Registration) {
  if (probed.kind === "dead") return false;
  if (probed.kind === "another" || probed.kind === "other-protocol") return true;
  // Anybody may have the port by now, where the daemon is gone.
  return probed.by === "socket" || isRecorded(registration);
}

/** Nothing is sent, as nothing could be proved. */
async function isListening(registration: Registration): Promise<boolean> {
  const options = { deadline: acceptDeadline };
  if (await accepts({ unix: registration.socket }, options)) return true;
  const { address, port } = endpointOf(registration.url)!;
  return isRecorded(registration) && (await accepts({ hostname: address, port }, options));
}

/** Milliseconds between the start of a process and its first line, on a busy machine. */
const slowestStart = 30_000;

/**
 * Whether the process in the record lives, as far as the system tells when it began. For words only: nobody is
 * signalled or trusted for that.
 */
export function isRecorded({ pid, startedAt }: Registration): boolean {
  if (!isThere(pid)) return false;
  const its = processNow(pid);
  const age = its === undefined ? undefined : processAge(its);
  return age === undefined || Math.abs(Date.now() - startedAt - age) < slowestStart;
}

const reasons = {
  absent: "there is no credential",
  exposed: "others may have read the credential, so it proves nothing",
  broken: "the credential cannot be read",
  unknown: "the credential cannot be read now",
} as const;

/** A daemon that was just started, as its client sees it. */
export type Spawned = {
  pid: number;
  /** Resolves with the exit code, or the name of the signal, when the process ends. */
  ended: Promise<number | string>;
  /** Anything that changes while the process works; undefined where the system does not tell. */
  sign(): unknown;
  /** Why it has ended, in its own words; empty where it had none. */
  lastWords(): Promise<string>;
  /** The end of its log, as far as this process wrote it. */
  logTail(): string;
  /** Ends the process, and resolves when it has ended. */
  end(): Promise<void>;
};

export type ConnectOptions = {
  stateDirectory: string;
  clock: Clock;
  /** Starts a daemon, detached from us. Undefined: connect to a running daemon only. */
  spawn?(): Spawned;
  /** Skip this launch: wait for the daemon that replaces it. */
  instead?: string;
  /** Milliseconds for everything together. */
  deadline?: number;
  /** Milliseconds without a sign of life. */
  silence?: number;
};

export type Connected =
  | {
      kind: "connected";
      registration: Registration;
      handshake: Handshake;
      credential: string;
      /** Whether this call started the daemon. */
      started: boolean;
    }
  | { kind: "none"; found: Found }
  /** `why` may have several lines. */
  | { kind: "failed"; why: string; logTail: string };

/** On a machine with a load of thirty, a daemon that takes half a second alone has taken twenty. */
const usualDeadline = 60_000;
/** A process that works has had some of the processor by then, however many others want it. */
const usualSilence = 10_000;
/** Milliseconds for a last probe, when our daemon has ended: whoever has its port may be slow to answer. */
const lastDeadline = 5_000;
/** A daemon that ends in favour of another, which then ends itself, is started again. */
const mostStarts = 3;

/** Milliseconds between two attempts; the interval grows. */
const soonest = 25;
const latest = 200;

/**
 * Clients that come at once may start more than one daemon. The newest record wins, and all clients end up with its
 * daemon. No process is signalled from here, except for one that this call has started and then given up. Never
 * rejects, unless `spawn` throws.
 */
export async function connect(options: ConnectOptions): Promise<Connected> {
  const { stateDirectory, clock, spawn, instead } = options;
  const { deadline = usualDeadline, silence = usualSilence } = options;
  const connected = (found: Found, started: boolean): Connected | undefined => {
    if (found.kind !== "healthy" || found.registration.id === instead) return undefined;
    // The predecessor still has the port for a moment.
    if (spawn !== undefined && found.handshake.listening === false) return undefined;
    const { registration, handshake, credential } = found;
    return { kind: "connected", registration, handshake, credential, started };
  };
  let found = await findDaemon(stateDirectory, { clock });
  const running = connected(found, false);
  if (running !== undefined) return running;
  if (spawn === undefined) return { kind: "none", found };
  // A stale record is left for the next daemon to replace: it has the port that people know.
  let daemon = watched(spawn(), clock);
  let starts = 1;
  const end = clock.now() + deadline;
  for (let pause = soonest; ; pause = Math.min(latest, pause * 1.3)) {
    await new Promise<void>((resolve) => clock.after(pause, resolve));
    // Read before the record: a daemon that ended since may have left another's record to find.
    const over = daemon.outcome();
    const failed = over !== undefined && over !== 0;
    found = await findDaemon(
      stateDirectory,
      failed ? { clock, deadline: lastDeadline } : { clock },
    );
    const now = connected(found, true);
    if (now !== undefined) return now;
    if (failed) {
      const words = (await daemon.lastWords()) || `it ended at once, with ${over}`;
      return { kind: "failed", why: words, logTail: daemon.logTail() };
    }
    // Another daemon was there, for which ours has ended, and is not there any more.
    if (over === 0 && !runs(found) && starts < mostStarts) {
      daemon = watched(spawn(), clock);
      starts++;
      continue;
    }
    const silent = daemon.silentFor();
    if (silent < silence && clock.now() < end) continue;
    const logTail = daemon.logTail();
    if (over === undefined) await daemon.end();
    const seconds = `${Math.round((silent < silence ? deadline : silent) / 1_000)} s`;
    const what =
      over === 0
        ? `none within ${seconds}`
        : `pid ${daemon.pid} ${silent < silence ? "was not ready" : "did nothing"} for ${seconds}, and was ended`;
    return { kind: "failed", why: `${what}: ${describe(found)}`, logTail };
  }
}

/** With the time since its last sign of life. */
function watched(spawned: Spawned, clock: Clock) {
  let outcome: number | string | undefined;
  let last = spawned.sign();
  let heard = clock.now();
  void spawned.ended.then((its) => {
    outcome = its;
    heard = clock.now();
  });
  return {
    ...spawned,
    outcome: () => outcome,
    /** Milliseconds. */
    silentFor(): number {
      const sign = spawned.sign();
      // Where the system does not tell, a process that has not ended may be at work.
      const alive = sign === undefined ? outcome === undefined : sign !== last;
      last = sign;
      if (alive) heard = clock.now();
      return clock.now() - heard;
    },
  };
}

function describe(found: Found): string {
  if (found.kind === "healthy") return "the one before does not go";
  return found.kind === "other-protocol" ? `one that speaks ${found.protocol} runs` : found.why;
}
