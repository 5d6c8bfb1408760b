/** An answer of the probe, and what a verb wants of the daemon -> what the verb does, and the words for a person. */
import packageJson from "../../../package.json" with { type: "json" };
import { credentialPath } from "../../control/found/credential.ts";
import { type Found, isRecorded, runs } from "../../control/found/connect.ts";
import { protocol } from "../../control/found/protocol.ts";
import { pastedWord } from "../../text/shell-words.ts";
import { processNow } from "../../system/process-now.ts";

/** The probe's answers, where a daemon runs that cannot be used, and where it says that none does. */
export type Answer =
  | "healthy"
  | "none"
  /** A daemon listens at the socket, and has no record: it ends, or could not write one. */
  | "unrecorded"
  | Exclude<Found["kind"], "healthy" | "absent" | "dead">;

/**
 * The wants of a verb. `look`: it knows something without a daemon too (`ls`, `url`, `why`, `pac`, `doctor`). `ask`: it
 * asks the daemon, and starts none (`status`, `logs`, `stop`). `need`: it starts one where there is none (`up`, `run`,
 * `open`). `detach`, `restart` and `end`: `server start --detach`, `server restart` and `server stop`.
 */
export type Want = "look" | "ask" | "need" | "detach" | "restart" | "end";

/**
 * `use`: the daemon is used. `without`: the verb goes on without one, and says that none runs. `note`: it goes on
 * without, says what is the matter, and ends with 1. `refuse`: it says what is the matter, and ends with 1.
 * `await`: it waits for the end that has begun.
 */
export type Outcome =
  "use" | "without" | "note" | "refuse" | "start" | "replace" | "await" | "done";

/** The table. A daemon that cannot be used is never taken for none; only verbs about the daemon itself replace it. */
export const outcomes: Record<Answer, Record<Want, Outcome>> = {
  healthy: row("use", "use", "use", "use", "replace", "use"),
  none: row("without", "without", "start", "start", "start", "done"),
  // One that ends is followed by the next.
  unrecorded: row("note", "refuse", "start", "start", "start", "await"),
  silent: row("note", "refuse", "refuse", "refuse", "refuse", "refuse"),
  stranger: row("note", "refuse", "refuse", "refuse", "replace", "refuse"),
  another: row("note", "refuse", "refuse", "refuse", "replace", "refuse"),
  unreadable: row("note", "refuse", "refuse", "refuse", "replace", "refuse"),
  unproved: row("note", "refuse", "refuse", "refuse", "replace", "refuse"),
  "other-protocol": row("note", "refuse", "refuse", "replace", "replace", "use"),
};

function row(
  ...[look, ask, need, detach, restart, end]: [Outcome, Outcome, Outcome, Outcome, Outcome, Outcome]
): Record<Want, Outcome> {
  return { look, ask, need, detach, restart, end };
}

export function probeAnswer(found: Found): Answer {
  if (!runs(found) || found.kind === "dead") return "none";
  return found.kind === "absent" ? "unrecorded" : found.kind;
}

/**
 * As in the table; but a daemon of an older version that we cannot talk to is replaced for whoever needs one. A newer
 * one never is: its person has two versions, and the older one is not to undo an upgrade.
 */
export function outcomeOf(found: Found, want: Want): Outcome {
  const isOlder =
    found.kind === "other-protocol" && orderOf(found.handshake.version, packageJson.version) < 0;
  if (isOlder && want === "need") return "replace";
  return outcomes[probeAnswer(found)][want];
}

export type Words = {
  /** A daemon runs; false: `why` says why none does. */
  alive: boolean;
  why: string;
  /** A command, and what it is for: `to start it`. */
  fix: { for: string; command: string };
};

const start = { for: "to start it", command: "localhostess server start --detach" };
const restart = { for: "to replace it", command: "localhostess server restart" };

/** Where a daemon in the background writes, and where one without a record listens. */
export type DaemonPlaces = { log: string; socket: string; stateDirectory: string };

/** Undefined for a daemon that can be used. */
export function wordsFor(found: Found, places: DaemonPlaces): Words | undefined {
  if (found.kind === "healthy") return undefined;
  if (!runs(found) || found.kind === "dead") {
    return { alive: false, why: whyNone(found), fix: start };
  }
  return { alive: true, ...aliveWords(found, places) };
}

/** A whole sentence; no final full stop. */
export function caseOf({ alive, why }: Words): string {
  return alive ? why : `the daemon is not running: ${why}`;
}

type Troubled = Exclude<Found, { kind: "healthy" | "dead" }>;

function aliveWords(
  found: Troubled,
  { log, socket, stateDirectory }: DaemonPlaces,
): Omit<Words, "alive"> {
  const pid = found.registration?.pid;
  switch (found.kind) {
    case "absent":
      return {
        why: "a daemon runs without a record: it is ending, or could not write one",
        fix: { for: "to see why", command: `tail ${pastedWord(log)}` },
      };
    case "silent":
      return silentWords(found);
    case "another":
      return {
        why: `the daemon that runs (pid ${found.handshake.pid}) is not the one in the record (pid ${pid})`,
        fix: restart,
      };
    case "other-protocol":
      return {
        why: `the daemon (pid ${pid}) cannot be used: it has another version, ${found.handshake.version}, and speaks ${found.protocol}, not ${protocol}`,
        fix: restart,
      };
    case "stranger":
      return { why: `the daemon (pid ${pid}) runs, but ${found.why}`, fix: restart };
    case "unproved":
      return {
        why: `the daemon (pid ${pid}) runs, but ${found.why}`,
        fix: found.blocked ? moveAway(stateDirectory) : restart,
      };
    case "unreadable":
      return {
        why: `a daemon runs, but its record cannot be used: ${found.why}`,
        fix: whoListens(socket),
      };
  }
}

function silentWords(found: Extract<Found, { kind: "silent" }>): Omit<Words, "alive"> {
  const { pid } = found.registration;
  if (!isRecorded(found.registration)) {
    return {
      why: `a daemon runs and does not answer (${found.why}); its record names another process`,
      fix: whoListens(found.registration.socket),
    };
  }
  if (isStopped(found)) {
    return {
      why: `the daemon (pid ${pid}) is stopped, and answers nobody`,
      fix: { for: "to let it go on", command: `kill -CONT ${pid}` },
    };
  }
  return {
    why: `the daemon (pid ${pid}) does not answer (${found.why})`,
    fix: { for: "to end it", command: `kill -9 ${pid}` },
  };
}

function moveAway(stateDirectory: string): Words["fix"] {
  const path = pastedWord(credentialPath(stateDirectory));
  return { for: "to let it make another", command: `mv ${path} ${path}.old` };
}

function whoListens(socket: string): Words["fix"] {
  return { for: "to see which process it is", command: `lsof ${pastedWord(socket)}` };
}

/** Stopped by a signal: SIGSTOP, or a debugger. */
export function isStopped(found: Found): boolean {
  return (
    found.kind === "silent" &&
    isRecorded(found.registration) &&
    processNow(found.registration.pid)?.stopped === true
  );
}

function whyNone(found: Exclude<Found, { kind: "healthy" }>): string {
  const pid = found.registration?.pid;
  switch (found.kind) {
    case "absent":
    case "unreadable":
      return found.why;
    case "unproved":
      return `the recorded daemon (pid ${pid}) cannot be verified: ${found.why}`;
    case "stranger":
    case "silent":
      return `another program has the recorded address: ${found.why}`;
    case "dead":
      return `the recorded daemon (pid ${pid}) is gone: ${found.why}`;
    // Those have proved themselves.
    case "another":
    case "other-protocol":
      return "";
  }
}

/** Where the versions differ and the protocols do not. */
export function versionWords(
  { pid, version }: { pid: number; version: string },
  ours: string,
): string | undefined {
  if (version === ours) return undefined;
  const what = (than: string) =>
    `the daemon (pid ${pid}, version ${version}) is ${than} than this command (${ours})`;
  return orderOf(version, ours) > 0
    ? `${what("newer")}; update the command, or, to replace the daemon: ${restart.command}`
    : `${what("older")}; ${restart.for}: ${restart.command}`;
}

function orderOf(one: string, other: string): number {
  try {
    return Bun.semver.order(one, other);
  } catch {
    // Not a version as ours are.
    return -1;
  }
}
