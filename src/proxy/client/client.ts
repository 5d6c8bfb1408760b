/** A client's connection as those see it who serve its requests; and what they share with all others of one proxy. */
import type { Callers } from "../../discovery/callers.ts";
import type { Held } from "../../link/held.ts";
import type { Link } from "../../link/link.ts";
import type { RemoteReport } from "../../routes/remote-report.ts";
import type { Service } from "../../routes/service.ts";
import type { Unusable } from "../../routes/unusable.ts";
import type { WaitingName } from "../../routes/waiting-name.ts";
import type { UrlPorts } from "../../routes/service-row.ts";
import type { OwnPages } from "../pages/own-pages.ts";
import type { Destination, Destinations } from "../request/destination.ts";
import type { LongerNames } from "../request/longer-names.ts";
import type { Marks } from "../request/marks.ts";
import type { Recorder } from "../request/recorder.ts";
import type { HttpsRedirect } from "../request/redirect.ts";
import type { Supervision } from "../request/supervision.ts";
import type { WaitingShared } from "../request/waiting.ts";
import type { ExchangeShared } from "../upstream/exchange-owner.ts";
import type { Logins } from "../upstream/logins.ts";
import type { Upstream } from "../upstream/pool.ts";
import type { ClientState } from "./states.ts";

/**
 * The outcome of handling a head. A number: the offset at which the next request begins. `waits`: this request will be
 * read again. `taken`: the connection does not continue with another request from here.
 */
export type Read = number | "waits" | "taken";

/** A granted CONNECT: `bytes` from `from` on are inside the tunnel. */
export type Grant = {
  bytes: Uint8Array;
  from: number;
  service: Service;
  destination: Destination;
};

/** The connection whose requests are served. `states.ts` defines its states and the turns that `move` accepts. */
export interface Client {
  readonly link: Link;
  /** Requests by path are for https URLs: they come inside TLS, and in no tunnel within it. */
  readonly secured: boolean;
  /** The name of the TLS connection; undefined if there was none, or if it no longer matters. */
  readonly serverName: string | undefined;
  /** The requests are inside a tunnel that CONNECT was granted. */
  readonly tunnelled: boolean;
  /** The client sends no more. */
  readonly inputEnded: boolean;
  readonly state: ClientState;
  /** The connection is between two requests or within a head. */
  readonly isReading: boolean;
  /** Input that cannot be used yet. */
  readonly held: Held;
  /** The number of answered requests. */
  served: number;
  /** The client's logins that are bound to connections; undefined: there is none yet. */
  readonly logins: Logins | undefined;
  /** The same, made when there is none. */
  ownLogins(): Logins;
  move(turn: number): void;
  /** Reads the held bytes: a request that waited, or the next one. */
  again(): void;
  /** Continues with the next request. */
  next(): void;
  /** Pauses the link if too much is held; otherwise resumes it. */
  regulate(): void;
  /** Ends after our last words. */
  linger(): void;
  close(): "taken";
  /** The client broke off its request: no answer is owed, and the upstream's work is cancelled. */
  abandon(): void;
  grant(upstream: Upstream, grant: Grant): void;
  /** The same, where we read what is inside. */
  grantRead(grant: Pick<Grant, "bytes" | "from">): void;
  /** Joins the client with the upstream: bytes go both ways unread. */
  join(upstream: Upstream): void;
}

/** Shared by all `Serving` objects of one proxy. */
export interface ServingShared extends ExchangeShared, WaitingShared {
  /** The machine that a name is of, if that is not this one. */
  remote?: ((name: string) => RemoteReport | undefined) | undefined;
  /** Whether the process that was found with the service still runs; a cheap check. */
  stillThere(service: Service): boolean;
  /** Whether the settings of names have been edited; the table is another one then. Costs a look at a file. */
  reread?: (() => boolean) | undefined;
  /** Servers that run and that no name leads to; undefined: nobody has looked for them. */
  unusable?: (() => readonly Unusable[]) | undefined;
  /** Names that are kept for places at which nobody is. */
  keptNames?: (() => readonly WaitingName[]) | undefined;
  /** Reports that the proxy is in use. Costs next to nothing. */
  touch(): void;
  readonly pages: OwnPages;
  /** Our part of every Via, which distinguishes this proxy from all others. */
  readonly instance: string;
  /** All ports that we accept connections on. */
  readonly ownPorts: readonly number[];
  readonly urlPorts: UrlPorts;
  /** Whether we terminate TLS from clients. */
  terminates(): boolean;
  /** The answer to page loads that should have used TLS; undefined: they are served like any other. */
  readonly redirect: HttpsRedirect | undefined;
  readonly destinations: Destinations;
  readonly longerNames: LongerNames;
  /** Marks of what our pages say. */
  readonly marks: Marks;
  /** Whether there are certificates for bare names. */
  bareNames(): boolean;
  /** Undefined: nothing is supervised. */
  readonly supervision: Supervision | undefined;
  /** Records every request; undefined: recording is off. */
  readonly recorder: Recorder | undefined;
  /** Finds the clients' processes; undefined: this system cannot. */
  readonly callers: Callers | undefined;
}
