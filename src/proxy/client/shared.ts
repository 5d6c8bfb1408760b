/** What all client connections of one proxy share: what is known, what is asked, and what is spent for all of them. */
import type { Callers } from "../../discovery/callers.ts";
import type { Service } from "../../routes/service.ts";
import type { UrlPorts } from "../../routes/service-row.ts";
import type { OwnPages } from "../pages/own-pages.ts";
import type { Destinations } from "../request/destination.ts";
import type { RequestRecord } from "../request/record.ts";
import type { Recorder } from "../request/recorder.ts";
import type { HttpsRedirect } from "../request/redirect.ts";
import type { Supervision } from "../request/supervision.ts";
import type { WaitingShared } from "../request/waiting.ts";
import type { Exchange, ExchangeShared } from "../upstream/exchange.ts";

/** How the inside of a TLS connection came to be. */
export type Inside = {
  /** The name in the client's ClientHello; undefined where there was none, or where it no longer matters. */
  serverName: string | undefined;
  /** The TLS is inside a tunnel that CONNECT was granted. */
  tunnelled: boolean;
};

/** What serves one client after another. `record`: undefined where nothing is recorded. */
export type Serving = { exchange: Exchange; record: RequestRecord | undefined };

/** `Client`: a connection, which this file must not know. */
export interface SharedBy<Client> extends ExchangeShared, WaitingShared {
  /** Whether the process that was found with the service still runs; cheap. */
  stillThere(service: Service): boolean;
  /** Somebody uses the proxy. Costs next to nothing. */
  touch(): void;
  readonly pages: OwnPages;
  /** Our part of every Via: tells this proxy from every other. */
  readonly instance: string;
  /** All ports that we accept on. */
  readonly ownPorts: readonly number[];
  readonly urlPorts: UrlPorts;
  /** The answer to page loads that should have come by TLS; undefined: they are as welcome. */
  readonly redirect: HttpsRedirect | undefined;
  readonly destinations: Destinations;
  /** What served clients that are gone: connections of one request each are too short to build it anew. */
  readonly spare: Serving[];
  /** Whether clients that speak TLS are heard. */
  terminates(): boolean;
  /** Whether there are certificates for bare names. */
  bareNames(): boolean;
  /** Undefined: nothing is supervised. */
  readonly supervision: Supervision | undefined;
  /** The connection's link goes on inside of TLS, of which `first` has been read. @returns false where we speak no TLS. */
  secure(connection: Client, first: Uint8Array, where: Pick<Inside, "tunnelled">): boolean;
  /** Notes every request; undefined: nobody wants to know. */
  readonly recorder: Recorder | undefined;
  /** Whose the clients are; undefined: nobody can tell. */
  readonly callers: Callers | undefined;
  /** The connection is gone, or has become a tunnel that is gone. */
  gone(connection: Client): void;
}
