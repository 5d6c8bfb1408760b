/** The daemon's reports on a running service: shapes only, for the commands, the events and the page. */
import type { DenialReport } from "./denial.ts";
import type { JsonForm } from "./json-form.ts";
import type { ServiceRow } from "./service-row.ts";
import type { RecordedRequest, TrafficCounts } from "./traffic.ts";

/** A row of `Services`, and of the event `service`. */
export type ServiceReport = ServiceRow & {
  /** `https://api.localhost:9090`; null where `url` is. */
  secure_url: string | null;
  traffic: JsonForm<TrafficCounts>;
};

/** The change of one service: the event `service`. */
export type ServiceChange = {
  change: "appeared" | "changed" | "gone";
  service: ServiceReport;
};

/** A process of a service. Null: it could not be read. */
export type ServiceProcess = {
  pid: number;
  parent: number | null;
  command: string | null;
  cwd: string | null;
  /** ISO 8601, UTC. */
  started_at: string | null;
  listening: readonly { address: string; port: number }[];
};

/** The answer to `Service`. */
export type ServiceDetail = ServiceReport & {
  processes: readonly ServiceProcess[];
  /** Requests that the guard has something against, by origin and kind; the newest first. */
  denials: readonly JsonForm<DenialReport>[];
  /** The newest first. */
  requests: readonly JsonForm<RecordedRequest>[];
};

/** A row of `Nameless`: a server that runs, and that no name leads to. */
export type NamelessReport = {
  pid: number;
  /** The port that serves the application, and all of them. */
  port: number;
  ports: readonly number[];
  command: string;
  cwd: string | null;
  /** ISO 8601, UTC. */
  started_at: string | null;
  /** `no name`, `bad name`, `overwritten` and so on, as in `unusable.ts`. */
  fault: string;
  /** Which process it is, why no name leads to it, and the command that helps, in one line. */
  message: string;
};

/** Requests of a service that were too many to be reported one by one: the event `requests`. */
export type ServiceCounts = { service: string; counts: TrafficCounts };
