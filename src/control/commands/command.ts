/** The shape of a command behind both doors, the part of the daemon that it may use, and its errors. */
import * as v from "valibot";
import type { ConfiguredList } from "../../manifest/name-settings.ts";
import type { OneOffs } from "../../containers/runs/one-offs.ts";
import type { Scan } from "../../discovery/observation.ts";
import type { Remotes } from "../../remote/remotes.ts";
import type { Service } from "../../routes/service.ts";
import type { Unusable } from "../../routes/unusable.ts";
import type { WaitingName } from "../../routes/waiting-name.ts";
import type { Traffic } from "../../routes/traffic.ts";
import type { Projects } from "../../supervisor/projects.ts";
import { hintIn } from "../../text/hint.ts";
import type { Cancel } from "../../system/clock.ts";
import type { Gauges } from "./daemon-report.ts";
import type { Feed } from "./events.ts";
import type { ApiError, ErrorCode, Facts } from "../found/protocol.ts";

/** The daemon, as the commands need it. */
export interface Backend {
  facts(): Facts;
  gauges(): Gauges;
  /** The services that the last scan found. */
  services(): readonly Service[];
  /** The words of config.toml on names. */
  configured?(): ConfiguredList | undefined;
  /** The last scan itself. */
  scan(): Scan;
  /** Servers that no name leads to. */
  nameless?(): readonly Unusable[];
  /** Names that are kept for places at which nobody is. */
  waiting?(): readonly WaitingName[];
  /**
   * Scans the machine; whatever is known afterwards is from after this call. Of other machines only the one that `name`
   * is of is waited for; with `local`, they do not even hear of it.
   */
  look(options?: { local?: boolean | undefined; name?: string | undefined }): Promise<void>;
  /** Undefined: this daemon knows of no other machine. */
  remotes?: Remotes | undefined;
  /** A client follows events: scans are more frequent until this is cancelled. */
  attend(): Cancel;
  traffic: Traffic;
  feed: Feed;
  /** Undefined: this daemon starts no services. */
  projects?: Projects | undefined;
  /** Undefined: this daemon runs no containers. */
  oneOffs?: OneOffs | undefined;
  /** Stops the daemon, after the answer has gone out. */
  shutdown(): void;
  /** A URL of the page with a token that lets one browser in; undefined: there is no page. */
  dashboard?: (() => string) | undefined;
  /**
   * The URL of a page of another origin, with a token that it may exchange for the credential; undefined: this daemon
   * has no HTTP API. @throws CommandError where the page may not.
   */
  connectPage?: ((url: string) => { url: string; origin: string }) | undefined;
  /** The certificate authority in the trust stores; undefined: this daemon does not change them. */
  trust?: ((wanted: TrustWanted) => Promise<readonly unknown[]>) | undefined;
}

export type TrustWanted = {
  action: "status" | "install" | "renew" | "remove";
  bare_names?: boolean | undefined;
};

/** The client made a mistake, or asked for something that cannot be done. The client gets the message as it is. */
export class CommandError extends Error {
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string) {
    super(message);
    this.code = code;
  }
}

/** Another daemon does what is asked. */
export class Elsewhere extends CommandError {
  constructor({ message }: Error) {
    super("timeout", message);
  }
}

/** The error that the client gets. The details of a fault of ours go to the log only. */
export function errorOf(error: unknown): ApiError<ErrorCode> {
  if (error instanceof CommandError) return apiError(error.code, error.message);
  return apiError("internal", "this is a fault of ours; the daemon's log says more");
}

export function apiError<Code extends string>(code: Code, message: string): ApiError<Code> {
  return { code, message, hint: hintIn(message) };
}

/** Values one after another, until the receiver or the sender ends the stream. */
export type Stream = (receiver: Receiver) => Cancel;

export type Receiver = {
  next(value: unknown): void;
  end(): void;
  /** Bytes that the receiver has not taken yet; a sender with much to send waits. */
  pending(): number;
};

/** Values both ways, until either end has enough. */
export type Dialogue = (receiver: Receiver) => Speaker;

export type Speaker = {
  /** A value that the client has sent. @throws CommandError */
  hear(value: unknown): void;
  /** Bytes that were heard, and that could not be passed on yet: the client is not read meanwhile. */
  behind(): number;
  /** Called once, when either end has enough. */
  cancel: Cancel;
};

export type Schema = v.StrictObjectSchema<v.ObjectEntries, undefined>;

export type Command = {
  /** The name in IPC requests. */
  name: string;
  method: "GET" | "POST";
  /** The path of its route in the HTTP API. */
  path: string;
  summary: string;
  /** A description of the answer, for the documentation. */
  answer: string;
  input: Schema;
  /** The command changes something: a query token never permits it, and a cookie from our own page only. */
  changes: boolean;
  /**
   * For a command that changes something: the reason, in a sentence, why a session of the page may not send it;
   * undefined: a session may. Without this function no session may: a cookie is worth less than the credential.
   */
  session?: (input: never, backend: Backend) => string | undefined;
  /**
   * `sse`: events with ids; `lines`: one JSON value per line; `both`: the same in both directions, a `Dialogue`. The
   * last is on the socket only, where the kernel says who the client is.
   */
  streams: false | "sse" | "lines" | "both";
  run(input: never, backend: Backend): unknown;
  /** Value -> reply by IPC. Default: `{"<name>": value}`. */
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
