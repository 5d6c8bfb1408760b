/** A command behind both doors: its shape, what it may ask of the daemon, and how it refuses. */
import * as v from "valibot";
import type { Scan } from "../../discovery/observation.ts";
import type { Service } from "../../routes/service.ts";
import type { Traffic } from "../../routes/traffic.ts";
import type { Projects } from "../../supervisor/projects.ts";
import type { Cancel } from "../../system/clock.ts";
import type { Gauges } from "./daemon-report.ts";
import type { Feed } from "./events.ts";
import type { Facts } from "../found/protocol.ts";

/** What the daemon can be asked and told, as the commands need it. */
export interface Backend {
  facts(): Facts;
  gauges(): Gauges;
  /** As the last look found them. */
  services(): readonly Service[];
  /** The last look itself. */
  scan(): Scan;
  /** Looks at the machine; what is known afterwards is from after this call. */
  look(): Promise<void>;
  /** Somebody follows what happens: services are looked for more often, until it is cancelled. */
  attend(): Cancel;
  traffic: Traffic;
  feed: Feed;
  /** Undefined: this daemon starts no services. */
  projects?: Projects | undefined;
  /** Stops it, after the answer has gone out. */
  shutdown(): void;
  /** A URL of the page with a token that lets one browser in; undefined: there is no page. */
  dashboard?: (() => string) | undefined;
  /** Our authority in the trust stores; undefined: not from here. */
  trust?: ((wanted: TrustWanted) => Promise<readonly unknown[]>) | undefined;
}

export type TrustWanted = {
  action: "status" | "install" | "renew" | "remove";
  bare_names?: boolean | undefined;
};

export type ErrorCode =
  | "bad_json"
  | "too_long"
  | "unknown_command"
  | "bad_request"
  | "not_found"
  | "unsupported"
  | "forbidden"
  | "timeout"
  | "internal";

/** A mistake of whoever sent a command, or something that cannot be done: told to them as it is. */
export class CommandError extends Error {
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string) {
    super(message);
    this.code = code;
  }
}

/** The words for whoever sent a command; a fault of ours is told to the log only. */
export function errorOf(error: unknown): { code: ErrorCode; message: string } {
  if (error instanceof CommandError) return { code: error.code, message: error.message };
  return { code: "internal", message: "this is a fault of ours; the daemon's log says more" };
}

/** Values one after another, until the receiver or the sender ends it. */
export type Stream = (receiver: Receiver) => Cancel;

export type Receiver = {
  next(value: unknown): void;
  end(): void;
  /** Bytes that it has not taken yet: who has much to send waits. */
  pending(): number;
};

export type Schema = v.StrictObjectSchema<v.ObjectEntries, undefined>;

export type Command = {
  /** As IPC has it. */
  name: string;
  method: "GET" | "POST";
  /** Of the HTTP API. */
  path: string;
  summary: string;
  /** What the answer is, for people. */
  answer: string;
  input: Schema;
  /** It changes something: never by a query token, and by a cookie from our own page only. */
  changes: boolean;
  /**
   * Of those that change something: why a session of the page may not, in a sentence; undefined: it may. No session may
   * where this is not given: a cookie is worth less than the credential.
   */
  session?: (input: never, backend: Backend) => string | undefined;
  /** `sse`: events with ids; `lines`: a JSON value a line. */
  streams: false | "sse" | "lines";
  run(input: never, backend: Backend): unknown;
  /** Value -> reply by IPC; `{"<name>": value}` where it is not given. */
  reply?: (value: never) => unknown;
};

export const nothing = v.strictObject({});

export function command<const Input extends Schema>(
  described: Omit<Command, "input" | "run" | "session"> & {
    input: Input;
    session?(input: v.InferOutput<Input>, backend: Backend): string | undefined;
    run(input: v.InferOutput<Input>, backend: Backend): unknown;
  },
): Command {
  return described as unknown as Command;
}

export const ok = { ok: true } as const;
