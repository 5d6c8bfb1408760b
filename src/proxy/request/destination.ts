/**
 * A requested authority and its client -> the destination, and the fields that tell the upstream about the client.
 * Cached, because most requests ask for the same authority as one just before.
 */
import { type NameSettings, usualSettings } from "../../manifest/name-settings.ts";
import { type Asked, type Decision, decide } from "../../routes/decide.ts";
import { longerName } from "./longer-names.ts";
import { classifyHost } from "../../routes/host.ts";
import type { Origin } from "../../routes/origins.ts";
import { defaultPorts, type UrlPorts } from "../../routes/service-row.ts";
import type { RouteTable } from "../../routes/table.ts";
import { type Authority, readAuthority } from "../../wire/authority.ts";
import { encode, latin1 } from "../../wire/bytes.ts";
import type { Dialect, Dialects } from "../upstream/dialect.ts";
import type { Hop } from "../upstream/forward.ts";
import { authorityOf, type Names, namesOf, type UrlOrigin } from "../upstream/names.ts";
import { markOf, ownFields } from "../upstream/own-fields.ts";
import { h2Key, securedKey, upstreamKey } from "../upstream/pool.ts";

export type Mode = Asked["mode"];

export type Destination = {
  mode: Mode;
  /** The authority's bytes. */
  asked: Uint8Array;
  client: string;
  /** The request is for an https URL. */
  secure: boolean;
  table: RouteTable;
  authority: Authority;
  decision: Decision;
  /** The name that was asked for, if only the service of a shorter one answers. */
  longer: string | undefined;
  /**
   * The plain name, if it can show any checkout of its repository: then what a request says of that counts. Most names
   * have one checkout, and nothing of their requests is looked at.
   */
  origin: Origin | undefined;
  /** The label that the request has asked for, where its name has an `origin`. */
  use: string | undefined;
  /** How requests to it are treated; for `proxy`, `tunnel` and `absent` decisions: the service's own. */
  settings: NameSettings;
  /** For `proxy` decisions: the fields written for the upstream. */
  hop: Hop | undefined;
  /** For `proxy` and `tunnel` decisions: the pool's key. */
  key: string;
  /** For the same decisions: whether the service speaks TLS, as far as is known now. */
  dialect: Dialect | undefined;
  /**
   * For `proxy` decisions: how the service is dialled, as known when this destination was made; undefined: without TLS.
   */
  tls: { serverName: string } | undefined;
  /** For `proxy` decisions: the service takes nothing but HTTP/2, as known when this destination was made. */
  h2: boolean;
  /** For a name that several instances share: the destination of each that can answer, this one among them. */
  ring: Ring | undefined;
};

/** Requests go to each in turn. */
export type Ring = { readonly all: readonly Destination[]; next: number };

export type DestinationFacts = {
  mode: Mode;
  /** The label of the checkout that the request asks for. */
  use?: string | undefined;
  client: string;
  /** The request is for an https URL: the target's scheme if it has one, otherwise whether the client came by TLS. */
  secure: boolean;
  table: RouteTable;
  ownPorts: readonly number[];
  /** Our ports in URLs. */
  urlPorts: UrlPorts;
  /** Distinguishes this proxy from all others. */
  instance: string;
  dialects: Dialects;
};

/** More names than one page load touches. A flood of other names costs one lookup each and no memory. */
const remembered = 32;

/** Names of services are few. */
const mostProxied = 1_000;

export class Destinations {
  #recent: Destination[] = [];
  #next = 0;
  /** Where the next ring begins: a new table has new ones, and its first instance would get more than its share. */
  #firstTurn = 0;

  /** Names without a dot that clients have asked us for as their proxy, which the PAC file makes of browsers. */
  readonly #proxied = new Set<string>();

  areProxied(name: string): boolean {
    return this.#proxied.has(name);
  }

  #noteProxied({ mode, decision, authority: { host } }: Destination): void {
    if (mode === "direct" || decision.kind !== "proxy" || host.includes(".")) return;
    if (this.#proxied.size < mostProxied) this.#proxied.add(host);
  }

  /**
   * The destination of bytes[start, end), an authority; undefined if those bytes are not an authority. `key`: the
   * request is that instance's already, as long as it can answer.
   */
  find(
    bytes: Uint8Array,
    { start, end, key }: { start: number; end: number; key?: string | undefined },
    facts: DestinationFacts,
  ): Destination | undefined {
    for (const known of this.#recent) {
      if (
        known.mode === facts.mode &&
        known.table === facts.table &&
        known.client === facts.client &&
        known.secure === facts.secure &&
        known.use === facts.use &&
        isTrueYet(known) &&
        sameBytes(known.asked, bytes, start, end)
      ) {
        return known.ring === undefined ? known : inTurn(known.ring, key);
      }
    }
    const destination = destinationOf(bytes.slice(start, end), facts);
    if (destination === undefined) return undefined;
    this.#noteProxied(destination);
    if (destination.ring !== undefined) destination.ring.next = this.#firstTurn++;
    // A name that leads nowhere must not displace one that leads somewhere.
    const { kind } = destination.decision;
    if (kind !== "unknown" && kind !== "unchosen") {
      this.#recent[this.#next] = destination;
      this.#next = (this.#next + 1) % remembered;
    }
    return destination.ring === undefined ? destination : inTurn(destination.ring, key);
  }
}

function inTurn(ring: Ring, key: string | undefined): Destination {
  const { all } = ring;
  const same = key === undefined ? undefined : all.find((its) => its.key === key);
  if (same !== undefined) return same;
  const found = all[ring.next % all.length]!;
  ring.next++;
  return found;
}

/** The instance after this one; itself where there is no other. */
export function nextInstance(destination: Destination): Destination {
  const { all } = destination.ring ?? { all: [destination] };
  return all[(all.indexOf(destination) + 1) % all.length]!;
}

/**
 * Whether the known destination is still the one that this request asks for. Not if its name can show several
 * checkouts: each request may ask for another one.
 */
export function isSameDestination(
  known: Destination,
  bytes: Uint8Array,
  asked: { mode: Mode; secure: boolean; table: RouteTable; start: number; end: number },
): boolean {
  return (
    known.mode === asked.mode &&
    known.secure === asked.secure &&
    known.table === asked.table &&
    known.origin === undefined &&
    isTrueYet(known) &&
    sameBytes(known.asked, bytes, asked.start, asked.end)
  );
}

/** False if the service, or one of its instances, has since shown that it speaks another dialect. */
function isTrueYet(destination: Destination): boolean {
  const { ring } = destination;
  return ring === undefined ? isSpoken(destination) : ring.all.every(isSpoken);
}

function isSpoken({ decision, dialect, tls, h2 }: Destination): boolean {
  if (decision.kind !== "proxy") return true;
  return (dialect!.tls === true) === (tls !== undefined) && dialect!.h2 === h2;
}

/** How a request gets to its service: one of gRPC by HTTP/2, unless the service has shown that it takes none. */
export function wayTo(
  destination: Destination,
  { grpc }: { grpc: boolean },
): Pick<Destination, "key" | "tls" | "h2"> {
  const { key, tls, h2, dialect } = destination;
  if (!grpc || h2 || dialect?.mayTakeH2 !== true) return destination;
  return { key: h2Key(key), tls, h2: true };
}

function destinationOf(asked: Uint8Array, facts: DestinationFacts): Destination | undefined {
  const authority = readAuthority(asked, 0, asked.length);
  if (authority === undefined) return undefined;
  const { mode, secure, use } = facts;
  const port = authority.port ?? (secure ? defaultPorts.https : undefined);
  const decision = decide({ ...authority, port, mode, use }, facts.table, facts.ownPorts);
  const to = (its: Decision) => destinationTo(its, { asked, authority, facts });
  if ((decision.kind !== "proxy" && decision.kind !== "tunnel") || !decision.instances) {
    return to(decision);
  }
  const ring: Ring = {
    all: decision.instances.map((its) => to({ ...decision, ...its })),
    next: 0,
  };
  for (const its of ring.all) its.ring = ring;
  return ring.all[0];
}

type Asking = { asked: Uint8Array; authority: Authority; facts: DestinationFacts };

function destinationTo(decision: Decision, { asked, authority, facts }: Asking): Destination {
  const { mode, client, secure, table, instance, dialects, use } = facts;
  const destination: Destination = {
    mode,
    asked,
    client,
    secure,
    table,
    authority,
    decision,
    longer: longerName(decision, { host: authority.host, tlds: table.tlds }),
    origin: originIn(authority.host, table),
    use,
    settings: settingsOf(decision, table),
    hop: undefined,
    key: "",
    dialect: undefined,
    tls: undefined,
    h2: false,
    ring: undefined,
  };
  if (decision.kind === "tunnel") {
    destination.key = upstreamKey(decision.service);
    destination.dialect = dialects.of(decision.service);
  }
  if (decision.kind !== "proxy") return destination;
  const { service, bare } = decision;
  const dialect = dialects.of(service);
  destination.dialect = dialect;
  destination.key = upstreamKey(service);
  const names = namesFor(decision, { authority, facts, speaksTls: dialect.tls === true });
  const { told } = names;
  if (dialect.tls === true) {
    // Servers refuse a Host that differs from the handshake's name (421), so each name has its own connections.
    const serverName = told.host;
    destination.tls = { serverName };
    destination.key = securedKey(service, serverName);
  }
  if (dialect.h2) {
    destination.h2 = true;
    destination.key = h2Key(destination.key);
  }
  const host = bare ? authorityOf(told) : undefined;
  destination.hop = {
    host: host !== undefined ? encode(host) : mode === "forward" ? asked : undefined,
    answer: { names, mapped: bare, keepsOrigin: false },
    hidesUse: destination.origin !== undefined,
    ...ownFields({
      client,
      proto: told.scheme,
      authority: host ?? latin1(asked, 0, asked.length),
      port: told.port,
      mark: markOf(service.name, instance),
      forwarded: destination.settings.forwarded,
    }),
  };
  return destination;
}

/**
 * A service that is asked for by a name of ours without `.localhost` is told the one with it, at our own port: the one
 * other name that back ends take for this machine's, and whose URLs lead back to us.
 */
function namesFor(
  { service, bare }: Extract<Decision, { kind: "proxy" }>,
  { authority, facts, speaksTls }: { speaksTls: boolean } & Pick<Asking, "authority" | "facts">,
): Names {
  const { secure, table, urlPorts } = facts;
  const { host, port } = authority;
  const scheme = secure ? "https" : "http";
  const visible: UrlOrigin = { scheme, host, port: port ?? defaultPorts[scheme] };
  const found = classifyHost(host, table.tlds);
  if (found.kind !== "name") throw new Error(`${host} is not the name of a service`);
  return namesOf({
    visible,
    told: bare ? { scheme, host: `${found.name}.localhost`, port: urlPorts[scheme] } : visible,
    server: { scheme: speaksTls ? "https" : "http", port: service.endpoint.port },
  });
}

function settingsOf(decision: Decision, table: RouteTable): NameSettings {
  const { kind } = decision;
  if (kind === "absent") {
    const { supervised, chosen } = decision;
    const origin = chosen?.origin.name;
    return table.settings({ name: supervised.routeName!, supervised, origin });
  }
  if (kind !== "proxy" && kind !== "tunnel") return usualSettings;
  const { service, supervised, chosen } = decision;
  return table.settings({ name: service.name, supervised, origin: chosen?.origin.name });
}

function originIn(host: string, { origins, tlds }: RouteTable): Origin | undefined {
  if (origins === undefined) return undefined;
  const named = classifyHost(host, tlds);
  return named.kind === "name" ? origins.find(named.name) : undefined;
}

function sameBytes(known: Uint8Array, bytes: Uint8Array, start: number, end: number): boolean {
  if (known.length !== end - start) return false;
  for (let i = 0; i < known.length; i++) {
    if (known[i] !== bytes[start + i]) return false;
  }
  return true;
}
