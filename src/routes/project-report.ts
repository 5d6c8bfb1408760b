/** The shapes of a command's report about supervised projects, with the names of the first locald where it had any. */
import type { DenialReport } from "./denial.ts";
import type { JsonForm } from "./json-form.ts";
import type { Pending } from "./pending.ts";
import type { Exit, Supervised } from "./supervised.ts";

/** One line per event while a project starts, and finally `"Ok"` or `{"Error": "..."}`. */
export type BootEvent =
  /** `id` is `config` or the id of a service. */
  | { type: "StepStarted"; data: { id: string; description: string } }
  /** The step is still running: the message says what it waits for, or how it failed before the next attempt. */
  | { type: "StepProgress"; data: { id: string; message: string } }
  | { type: "StepFinished"; data: { id: string; result: { Ok: null } | { Err: string } } }
  /** Only with `verbose`. */
  | { type: "Log"; data: { id: string; line: string; stream: "stdout" | "stderr" } };

export type BootLine = BootEvent | "Ok" | { Error: string };

/** One line of a service's output, before it has its form in JSON. */
export type OutputLine = {
  /** Milliseconds since the Unix epoch. */
  time: number;
  /** The service's id, such as `shop:api`. */
  service: string;
  stream: "stdout" | "stderr";
  /** The line as printed, with its colours, without the line end. */
  message: string;
  /**
   * The line has no end yet, such as a prompt. A follower forgets it with the next line of the same service and stream,
   * with an end or without: it is sent anew if it still stands, and with an empty message if nothing does.
   */
  open?: true;
};

/** The data of the event `supervised`: a change of one supervised service. */
export type SupervisedChange = {
  change: "appeared" | "changed" | "gone";
  service: Supervised;
};

/** A row in the answer to `Status`. */
export type StatusRow = FoundStatus | SupervisedStatus;

/** A service that was started by hand in the answer to `Status`: the first locald's fields. */
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

/** A supervised service in the answer to `Status`: the first locald's fields, then ours. */
export type SupervisedStatus = FoundStatus & {
  /** The project's folder. */
  path: string;
  project: string;
  service: string;
  /** Its NAME: `api.shop`, without a domain; null for a worker. */
  route_name: string | null;
  type: Supervised["type"];
  state: Supervised["state"];
  why: string | null;
  /** Its state, the cause and the command that helps, in one line: as the proxy answers while it cannot. */
  message: string;
  /** The text that the service sent as `STATUS=`. */
  says: string | null;
  ready: boolean;
  ready_at: string | null;
  /** Milliseconds. */
  uptime: number | null;
  restarts: number;
  exit: JsonForm<Exit> | null;
  /** Percent of one processor, for the whole process tree, since the previous measurement; null if unknown. */
  cpu: number | null;
  /** Resident bytes of the whole process tree. */
  memory: number | null;
  /** The bytes above which it is ended. */
  memory_limit: number | null;
  /** Requests of other sites' pages that the guard refused, or let pass with `guard = "log"`. */
  denied: number;
  /** These requests, by origin and kind; the newest first. */
  denials: readonly JsonForm<DenialReport>[];
  lazy: boolean;
  /** The next time of its schedule. ISO 8601. */
  next_run: string | null;
  /** Set for one of several processes that share a name; `route_name` and `url` are those of them all. */
  instance: { of: string; number: number; route_name: string | null; url: string | null } | null;
  /** The plugin that has made it, from a service that stands in the project's files. */
  plugin: string | null;
  /** A change in the project's files that waits for `up`. */
  pending: Pending | null;
};

/** A known project. */
export type RegisteredProject = {
  path: string;
  name: string;
  pinned: boolean;
  /** ISO 8601, UTC. */
  last_seen: string;
  /** `here`, or why its folder is not at its path: another one is, none is, or its file system is not there. */
  folder: "here" | "replaced" | "gone" | "unmounted";
};

/** The result of a command for each service it concerned. */
export type Outcome = {
  /** Ids of the services that were stopped or restarted. */
  services: readonly string[];
};
