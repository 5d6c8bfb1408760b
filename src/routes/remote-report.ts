/** The connection to another machine, as lists, pages and `why` show it. */
import { isoTime } from "./json-form.ts";

export const remoteStates = [
  /** Nobody has used localhostess since: no connection, and no attempt at one. */
  "idle",
  /** ssh runs, and nothing was heard from the other side. */
  "connecting",
  "up",
  /** The connection ended; another attempt follows soon. */
  "backing off",
  /** Nothing was heard in time, as from a machine that sleeps or is out of reach; another attempt follows. */
  "asleep",
  /** The other side, or ssh itself, will not have us. Each attempt counts for those who ban addresses: few follow. */
  "refused",
  /** No part of the configuration any more. */
  "removed",
] as const;

export type RemoteState = (typeof remoteStates)[number];

export type RemoteReport = {
  /** The last label of its services' names: `api.box`. */
  name: string;
  /** As ssh takes it. */
  host: string;
  /** `config`: `[remotes.box]` of config.toml. `kept`: `localhostess remote add`. */
  source: "config" | "kept";
  state: RemoteState;
  /** When the state began, milliseconds since the Unix epoch. */
  changedAt: number;
  /** A clause: why it is not up; undefined: it is, or nobody has tried. */
  why: string | undefined;
  /** A clause: what a person can do. */
  fix: string | undefined;
  /** Milliseconds until the next attempt; undefined: none is planned. */
  retryIn: number | undefined;
  /** The way in which its services were found: its own localhostess, or a script that ssh runs. */
  by: "localhostess" | "script" | undefined;
  /** The process of ssh, and the path of its control socket. */
  pid: number | undefined;
  control: string | undefined;
  services: readonly RemoteService[];
  /** Names of services there that have ended: `fix.api.box`, for which `api.box` does not answer. */
  left: readonly string[];
  /** Sentences about services that cannot be reached. */
  notes: readonly string[];
};

export type RemoteService = {
  /** With the remote's label: `api.box`. */
  name: string;
  /** Where it listens there; a path: a unix socket, and then the port is 0. */
  address: string;
  port: number;
  /** The unix socket here that leads there; undefined: not yet, or it could not be made. */
  socket: string | undefined;
};

/** As other programs get it. */
export type RemoteRow = {
  name: string;
  host: string;
  source: RemoteReport["source"];
  state: RemoteState;
  /** ISO 8601, UTC. */
  changed_at: string;
  why: string | null;
  fix: string | null;
  retry_in: number | null;
  by: "localhostess" | "script" | null;
  pid: number | null;
  control: string | null;
  services: readonly {
    name: string;
    address: string;
    port: number | null;
    socket: string | null;
  }[];
  notes: readonly string[];
};

export function remoteRow(its: RemoteReport): RemoteRow {
  return {
    name: its.name,
    host: its.host,
    source: its.source,
    state: its.state,
    changed_at: isoTime(its.changedAt)!,
    why: its.why ?? null,
    fix: its.fix ?? null,
    retry_in: its.retryIn ?? null,
    by: its.by ?? null,
    pid: its.pid ?? null,
    control: its.control ?? null,
    services: its.services.map(({ name, address, port, socket }) => ({
      name,
      address,
      port: port === 0 ? null : port,
      socket: socket ?? null,
    })),
    notes: its.notes,
  };
}

/** `box (me@box)`, or `box` where that is all that ssh needs. */
export function remoteText({ name, host }: Pick<RemoteReport, "name" | "host">): string {
  return host === name ? name : `${name} (${host})`;
}

const stateTexts: Record<RemoteState, string> = {
  idle: "not connected yet",
  connecting: "connecting",
  up: "connected",
  "backing off": "not connected",
  asleep: "asleep or out of reach",
  refused: "refused",
  removed: "removed",
};

/** A clause: its state, and why. */
export function remoteStateText({ state, why }: Pick<RemoteReport, "state" | "why">): string {
  return why === undefined ? stateTexts[state] : `${stateTexts[state]}: ${why}`;
}

/** The remote whose label ends the name: `box` for `api.box` and `x.api.box`. */
export function remoteOf<R extends { name: string }>(
  name: string,
  remotes: readonly R[],
): R | undefined {
  const dot = name.lastIndexOf(".");
  if (dot === -1) return undefined;
  const label = name.slice(dot + 1);
  return remotes.find((its) => its.name === label);
}
