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
  /** Resolves with the exit code, or the name of the signal, when the process ends. */
  ended: Promise<number | string>;
  /** The end of its log, as far as this process wrote it. */
  logTail(): string;
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
  | { kind: "failed"; why: string; logTail: string };

const connectDeadline = 10_000;

/** Milliseconds between two attempts; the interval grows. */
const soonest = 25;
const latest = 100;

/**
 * Clients that come at once may start more than one daemon. The newest record wins, and all clients end up with its
 * daemon. No process is signalled from here. Never rejects, unless `spawn` throws.
 */
export async function connect(options: ConnectOptions): Promise<Connected> {
  const { stateDirectory, clock, spawn, instead, deadline = connectDeadline } = options;
  const end = clock.now() + deadline;
  const look = (): Promise<Found> => findDaemon(stateDirectory, { clock });
  const connected = (found: Found, started: boolean): Connected | undefined => {
    if (found.kind !== "healthy" || found.registration.id === instead) return undefined;
    // The predecessor still has the port for a moment.
    if (spawn !== undefined && found.handshake.listening === false) return undefined;
    const { registration, handshake, credential } = found;
    return { kind: "connected", registration, handshake, credential, started };
  };
  let found = await look();
  const running = connected(found, false);
  if (running !== undefined) return running;
  if (spawn === undefined) return { kind: "none", found };
  // A stale record is left for the next daemon to replace: it has the port that people know.
  const daemon = spawn();
  let outcome: number | string | undefined;
  void daemon.ended.then((its) => {
    outcome = its;
  });
  for (let pause = soonest; ; pause = Math.min(latest, pause * 1.3)) {
    await new Promise<void>((resolve) => clock.after(pause, resolve));
    // Read before the record: a daemon that ended since may have left another's record to find.
    const over = outcome;
    found = await look();
    const now = connected(found, true);
    if (now !== undefined) return now;
    const logTail = daemon.logTail();
    if (over !== undefined && over !== 0) {
      return { kind: "failed", why: `it ended at once, with ${over}`, logTail };
    }
    if (clock.now() >= end) {
      return { kind: "failed", why: `none within ${deadline} ms: ${describe(found)}`, logTail };
    }
  }
}

function describe(found: Found): string {
  if (found.kind === "healthy") return "the one before does not go";
  return found.kind === "other-protocol" ? `one that speaks ${found.protocol} runs` : found.why;
}
