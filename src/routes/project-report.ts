/** What the commands tell of supervised projects: shapes only, in the first locald's words where it had any. */
import type { Pending } from "./pending.ts";
import type { Exit, Supervised } from "./supervised.ts";

/** What happens while a project starts, a line each; then `"Ok"` or `{"Error": "..."}`. */
export type BootEvent =
  /** `id` is `config`, or a service's id. */
  | { type: "StepStarted"; data: { id: string; description: string } }
  /** It is still at it: what it waits for, or how it failed before it is tried again. */
  | { type: "StepProgress"; data: { id: string; message: string } }
  | { type: "StepFinished"; data: { id: string; result: { Ok: null } | { Err: string } } }
  /** With `verbose` only. */
  | { type: "Log"; data: { id: string; line: string; stream: "stdout" | "stderr" } };

export type BootLine = BootEvent | "Ok" | { Error: string };

/** A line that a service printed. */
export type OutputLine = {
  /** Seconds since the Unix epoch. */
  timestamp: number;
  /** `shop:api`. */
  service: string;
  stream: "stdout" | "stderr";
  /** As printed, with its colours, without its end. */
  message: string;
  /** Milliseconds since the Unix epoch. */
  time: number;
};

/** The change of one supervised service: the event `supervised`. */
export type SupervisedChange = {
  change: "appeared" | "changed" | "gone";
  service: Supervised;
};

/** A row of `Status`. */
export type StatusRow = FoundStatus | SupervisedStatus;

/** A row of `Status` for a service that somebody runs by hand: the first locald's fields. */
export type FoundStatus = {
  name: string;
  pid: number | null;
  port: number | null;
  status: "running" | "stopped";
  url: string | null;
  domain: string | null;
  health_status: "Unknown" | "Starting" | "Healthy" | "Unhealthy";
  health_source: "None" | "Notify" | "Tcp" | "Http" | "Command" | "Log";
  /** The working directory. */
  path: string | null;
  workspace: null;
  constellation: null;
  warnings: readonly string[];
  /** ISO 8601. */
  started_at: string | null;
  command: string;
};

/** A row of `Status` for a supervised service: the first locald's fields, then ours. `name` is its id, as `shop:api`. */
export type SupervisedStatus = FoundStatus & {
  /** The project's folder. */
  path: string;
  project: string;
  service: string;
  type: Supervised["type"];
  state: Supervised["state"];
  why: string | null;
  /** By `STATUS=`. */
  says: string | null;
  ready: boolean;
  ready_at: string | null;
  /** Milliseconds. */
  uptime: number | null;
  restarts: number;
  exit: Exit | null;
  /** Per cent of one processor, of the whole tree, since the last time that was looked; null: not known. */
  cpu: number | null;
  /** Resident bytes of the whole tree. */
  memory: number | null;
  lazy: boolean;
  /** What its files say now, and waits for `up`. */
  pending: Pending | null;
};

/** A known project. */
export type RegisteredProject = {
  path: string;
  name: string;
  pinned: boolean;
  last_seen: { secs_since_epoch: number; nanos_since_epoch: number };
};

/** What came of a command, for each service that it concerned. */
export type Outcome = {
  /** Ids of those that were stopped or started again. */
  services: readonly string[];
};
