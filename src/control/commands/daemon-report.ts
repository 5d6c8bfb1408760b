/** The daemon's reports on itself, and its events: shapes only, for the commands, the events and the page. */
import type { JsonForm } from "../../routes/json-form.ts";
import type { SupervisedChange } from "../../routes/project-report.ts";
import type { ServiceChange, ServiceCounts, ServiceReport } from "../../routes/service-report.ts";
import type { Supervised } from "../../routes/supervised.ts";
import type { RecordedRequest } from "../../routes/traffic.ts";
import type { Facts } from "../found/protocol.ts";

export type Gauges = {
  /** Resident, in bytes. */
  memory: number;
  connections: { proxy: number; http: number; ipc: number };
};

/** The answer to `Daemon`, before it has its form in JSON. */
export type DaemonReport = Omit<Facts, "log"> &
  Gauges & {
    /** Where the daemon writes its notes; null: to a terminal. */
    log: string | null;
    /** Milliseconds. */
    uptime: number;
  };

/** Everything at once: the events `hello` and `reset`. */
export type Snapshot = {
  daemon: DaemonReport;
  services: readonly ServiceReport[];
  supervised: readonly Supervised[];
};

/** A line of the daemon's own. */
export type LogEntry = {
  /** Milliseconds since the Unix epoch. */
  time: number;
  service: string;
  stream: "stdout" | "stderr";
  message: string;
};

/** The types of events, and what each carries. */
export type Happenings = {
  service: ServiceChange;
  request: RecordedRequest;
  requests: ServiceCounts;
  log: LogEntry;
  /** A service of a project. */
  supervised: SupervisedChange;
  /** The daemon ends; a follower that wants to go on connects again. */
  stopping: Record<string, never>;
};

/** The data of every event that a follower gets, by type. */
export type EventData = JsonForm<Happenings & { hello: Snapshot; reset: Snapshot }>;

export type DaemonEvent = {
  /** `<n>-<launch>`: n counts up by one, and another launch's ids are known as such. */
  id: string;
  event: keyof EventData;
  data: unknown;
};
