/** The state directory -> the daemon that runs there, started first if there is none. */
import type { Clock } from "../../system/clock.ts";
import { readCredential } from "./credential.ts";
import type { Handshake } from "./handshake.ts";
import { type Probed, probe } from "./probe.ts";
import { type Registration, readRegistration } from "./registration.ts";

export type Found =
  | { kind: "healthy"; registration: Registration; handshake: Handshake; credential: string }
  /** There is no valid record. */
  | { kind: "absent"; why: string; registration?: undefined }
  /** There is a record, and no credential that could prove it. */
  | { kind: "unproved"; why: string; registration: Registration }
  | (Exclude<Probed, { kind: "healthy" }> & { registration: Registration });

export type Alive = Extract<Found, { kind: "healthy" | "other-protocol" }>;

/** A daemon of ours is running, whether or not we can talk with it. */
export function isAlive(found: Found): found is Alive {
  return found.kind === "healthy" || found.kind === "other-protocol";
}

export type FindOptions = { clock: Clock; /** Milliseconds for the probe. */ deadline?: number };

/** Reads the record and probes the daemon, once. Never rejects. */
export async function findDaemon(
  stateDirectory: string,
  { clock, deadline }: FindOptions,
): Promise<Found> {
  const registration = await readRegistration(stateDirectory);
  if (registration === undefined) return { kind: "absent", why: "there is no record of one" };
  const credential = readCredential(stateDirectory);
  if (credential.kind !== "credential") {
    return { kind: "unproved", registration, why: reasons[credential.kind] };
  }
  const options = deadline === undefined ? { clock } : { clock, deadline };
  const probed = await probe(registration, credential.value, options);
  if (probed.kind === "healthy") {
    return { ...probed, registration, credential: credential.value };
  }
  return { ...probed, registration };
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
    if (over === 0 && !mayRun(found) && starts < mostStarts) {
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

/** Whether the answer leaves it open that a daemon runs. */
function mayRun(found: Found): boolean {
  return found.kind !== "absent" && found.kind !== "dead";
}

function describe(found: Found): string {
  if (found.kind === "healthy") return "the one before does not go";
  return found.kind === "other-protocol" ? `one that speaks ${found.protocol} runs` : found.why;
}
