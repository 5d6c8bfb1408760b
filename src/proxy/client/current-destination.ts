/** A client's requests, one after another -> where each goes now: its destination, or the next instance of its name. */
import type { Service } from "../../routes/service.ts";
import type { Target } from "../../wire/target.ts";
import {
  type Destination,
  isSameDestination,
  type Mode,
  nextInstance,
} from "../request/destination.ts";
import { askedFor } from "../request/routing.ts";
import type { Exchange } from "../upstream/exchange.ts";
import { useIn } from "../upstream/use-fields.ts";
import type { Client, ServingShared } from "./client.ts";
import { covers } from "./covers.ts";

/** An authority in some bytes; `use`: the checkout that the request asks for. */
type Wanted = {
  mode: Mode;
  secure: boolean;
  start: number;
  end: number;
  key?: string | undefined;
  use?: string | undefined;
};

export class CurrentDestination {
  /** The destination of the current request, or of the last until the current one is routed. */
  destination: Destination | undefined;
  /** Instances of the current request's name that did not take it. */
  #missed = 0;
  /** The last destination that the server name's certificate was found to cover. */
  #covered: Destination | undefined;
  #client!: Client;
  readonly #shared: ServingShared;
  readonly #asked: Pick<Exchange, "requestHead" | "framing">;

  constructor(shared: ServingShared, asked: Pick<Exchange, "requestHead" | "framing">) {
    this.#shared = shared;
    this.#asked = asked;
  }

  /** Serves another client from here on. */
  attach(client: Client): void {
    this.#client = client;
    this.destination = undefined;
    this.#covered = undefined;
  }

  /**
   * Routes the current request. `again`: the request is read again, because it had to wait.
   * @returns undefined if its Host is malformed.
   */
  route(bytes: Uint8Array, target: Target, { again }: { again: boolean }): Destination | undefined {
    const { framing, requestHead } = this.#asked;
    const mode: Mode = this.#client.tunnelled ? "tunnelled" : "direct";
    const asked = askedFor(requestHead, target, {
      mode,
      secure: this.#client.secured,
      framing,
      table: this.#shared.routes(),
    });
    if (asked === undefined) return undefined;
    const known = this.destination;
    const isAlone = known !== undefined && known.ring === undefined;
    if (isAlone && isSameDestination(known, bytes, asked)) return known;
    // A request that is read again stays with its instance; a new one is the next one's.
    if (!again) this.#missed = 0;
    const wanted = again ? { ...asked, key: known?.key } : asked;
    const found = this.#find(bytes, wanted);
    this.destination = this.#withLogin(this.#used(found, bytes, wanted));
    return this.destination;
  }

  /** The destination of the checkout that the request asks for, where the name can show several. */
  #used(
    found: Destination | undefined,
    bytes: Uint8Array,
    wanted: Wanted,
  ): Destination | undefined {
    if (found?.origin === undefined) return found;
    const use = useIn(this.#asked.requestHead, bytes);
    return use === undefined ? found : this.#find(bytes, { ...wanted, use });
  }

  /** Among several instances of a name, the one that has the client's login. */
  #withLogin(found: Destination | undefined): Destination | undefined {
    const { logins } = this.#client;
    if (logins === undefined || found?.ring === undefined || this.#missed > 0) return found;
    return found.ring.all.find(({ key }) => logins.has(key)) ?? found;
  }

  /** The next instance of a name, for a request that the last one could not take; undefined: all have been tried. */
  nextInstance(): Destination | undefined {
    const { ring } = this.destination!;
    if (ring === undefined || this.#missed + 1 >= ring.all.length) return undefined;
    this.#missed++;
    this.destination = nextInstance(this.destination!);
    return this.destination;
  }

  /** The current destination of the authority bytes[start, end). */
  #find(bytes: Uint8Array, asked: Wanted): Destination | undefined {
    return this.#shared.destinations.find(bytes, asked, {
      mode: asked.mode,
      use: asked.use,
      client: this.#client.link.remoteAddress,
      secure: asked.secure,
      table: this.#shared.routes(),
      ownPorts: this.#shared.ownPorts,
      urlPorts: this.#shared.urlPorts,
      instance: this.#shared.instance,
      dialects: this.#shared.dialects,
    });
  }

  /** The current destination of the request that waits or is being answered. */
  leadsTo(): Destination | undefined {
    const { asked, mode, secure, key, use } = this.destination!;
    return this.#find(asked, { mode, secure, start: 0, end: asked.length, key, use });
  }

  /** The service that the current request goes to. */
  get service(): Service {
    const decision = this.destination?.decision;
    if (decision?.kind === "proxy" || decision?.kind === "tunnel") return decision.service;
    throw new Error("there is no service behind this request");
  }

  /**
   * Whether the request's host is one that the connection's certificate does not cover. No client that checks
   * certificates sends such a request. RFC 9110 section 7.4.
   */
  isMisdirected(destination: Destination): boolean {
    if (this.#client.serverName === undefined || destination === this.#covered) return false;
    const { mode, decision, authority } = destination;
    // A client that uses us as its proxy made the handshake with the proxy, not with the host.
    const isProxied = mode === "forward" || mode === "connect";
    const covered = isProxied || covers(this.#client.serverName, authority.host);
    // A host that is not ours has a refusal of its own.
    if (!covered) return decision.kind !== "misdirected";
    this.#covered = destination;
    return false;
  }

  /**
   * Whether the request came by https for a bare name that has no certificate. A person who continues despite the wrong
   * certificate then learns what helps.
   */
  isUncertified({ authority, secure }: Destination): boolean {
    return secure && !authority.host.includes(".") && !this.#shared.bareNames();
  }
}
