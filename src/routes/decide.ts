/** A request's destination and the table of services -> what the proxy does with the request. */
import { classifyHost } from "./host.ts";
import { storeProtocol } from "./declared-store.ts";
import { type Chosen, chosenFor } from "./origins.ts";
import type { Service } from "./service.ts";
import type { Supervised } from "./supervised.ts";
import type { Group, RouteTable } from "./table.ts";
import { type Turn, turnOf } from "./turn.ts";
import { type Answering, type Unanswered, unansweredOf } from "./unanswered.ts";

/** A request's destination, from its target if that has an authority, or else from Host. */
export type Asked = {
  /** Lower case, without a trailing dot. */
  host: string;
  port: number | undefined;
  /**
   * `direct`: a path and a Host. `tunnelled`: the same, inside a tunnel. `forward`: an absolute URL. `connect`:
   * CONNECT.
   */
  mode: "direct" | "tunnelled" | "forward" | "connect";
  /** The label of the checkout that the request itself asks for: by a field, or by its browser's cookie. */
  use?: string | undefined;
};

export type Decision =
  /**
   * Forward the request. `bare`: the name was used without `.localhost`; back ends do not know such names, so Host is
   * rewritten.
   */
  | {
      kind: "proxy";
      service: Service;
      bare: boolean;
      supervised?: Supervised | undefined;
      instances?: readonly Instance[] | undefined;
      chosen?: Chosen | undefined;
    }
  /** Join the client with the service in a tunnel. */
  | {
      kind: "tunnel";
      service: Service;
      supervised?: Supervised | undefined;
      instances?: readonly Instance[] | undefined;
      chosen?: Chosen | undefined;
    }
  /** The service cannot answer at the moment. */
  | { kind: "absent"; supervised: Supervised; turn: Turn; chosen?: Chosen | undefined }
  /** The worktree that the name is to show has no server there, and no other checkout's may answer in its place. */
  | { kind: "unchosen"; name: string; chosen: Chosen }
  /** Serve one of our own pages. */
  | { kind: "own" }
  /**
   * No service has this name. `quiet`: close without an answer, so that a browser falls back to DIRECT. `unanswered`:
   * why the service of a shorter name does not answer for it.
   */
  | { kind: "unknown"; name: string; quiet: boolean; unanswered?: Unanswered | undefined }
  /** The name is not one of ours: 421. */
  | { kind: "misdirected" }
  /** A name without a dot which only a resolver mapped to this machine: 421. */
  | { kind: "unproxied"; name: string }
  /** A proxy request for the rest of the world: closed without an answer. */
  | { kind: "close" };

/** One of several services that can answer for a name: requests go to each in turn. */
export type Instance = { service: Service; supervised: Supervised };

const own: Decision = { kind: "own" };
const close: Decision = { kind: "close" };
const misdirected: Decision = { kind: "misdirected" };

export function decide(asked: Asked, table: RouteTable, ownPorts: readonly number[]): Decision {
  const host = classifyHost(asked.host, table.tlds);
  const hasPath = asked.mode === "direct" || asked.mode === "tunnelled";
  if (host.kind === "foreign") return hasPath ? misdirected : close;
  if (host.kind === "own") {
    // In a tunnelled or forwarded request, the port in Host may differ from ours; in a URL, another port is another
    // server.
    if (hasPath) return own;
    return asked.mode === "forward" && ownPorts.includes(asked.port ?? 80) ? own : close;
  }
  // A browser that asks a proxy for `api` has resolved nothing. A browser that connects directly was sent here by a
  // resolver, perhaps by whoever answers names without a dot on this network, and that party's page would have the same
  // origin (DNS rebinding).
  if (host.domain === "" && asked.mode === "direct" && !table.answersBare(host.name)) {
    return { kind: "unproxied", name: host.name };
  }
  const { origins } = table;
  const how: How = { mode: asked.mode, bare: host.domain !== "localhost", hasPath };
  const chosen =
    origins === undefined ? undefined : chosenFor(host.name, { origins, use: asked.use });
  if (chosen === undefined) return decideName(host.name, table, how);
  const found = chosen.name === undefined ? undefined : decideName(chosen.name, table, how);
  return found !== undefined && "supervised" in found
    ? { ...found, chosen }
    : { kind: "unchosen", name: host.name, chosen };
}

type How = { mode: Asked["mode"]; bare: boolean; hasPath: boolean };

/** The decision about a name, which nothing else is chosen for. */
function decideName(name: string, table: RouteTable, { mode, bare, hasPath }: How): Decision {
  let service = table.find(name);
  const group = groupAs(name, { table, service });
  const instances = group === undefined ? [] : instancesOf(group, table);
  const [first] = instances;
  const supervised =
    group === undefined
      ? supervisedAs(name, { table, service })
      : (first?.supervised ?? nearest(group));
  const by = group?.routeName ?? supervised?.routeName ?? service?.name;
  const store = by === name ? undefined : table.store(name);
  if (store !== undefined) {
    return { kind: "unknown", name, quiet: false, unanswered: storeUnanswered(store, by ?? name) };
  }
  if (by !== undefined && by !== name) {
    const answering = answeringAs(by, { table, service, supervised });
    const unanswered = unansweredOf(name, { answering, checkouts: table.checkouts });
    // Nobody else has a name under one of ours.
    if (unanswered !== undefined) {
      return { kind: "unknown", name, quiet: false, unanswered };
    }
  }
  if (first !== undefined) service = first.service;
  else if (supervised !== undefined) {
    if (service?.name !== (group ?? supervised).routeName) service = undefined;
    const turn = turnOf(supervised);
    if (turn === "wait") return { kind: "absent", supervised, turn };
    // While the service is down, someone may run another server under its name.
    if (turn === undefined) service ??= asGiven(supervised, table);
    if (service === undefined) return { kind: "absent", supervised, turn: turn ?? "wait" };
  }
  if (service === undefined) {
    // The PAC file falls back to DIRECT after us, for others who have such a name. `.localhost` never comes through the
    // PAC file, and is ours to explain.
    return { kind: "unknown", name, quiet: bare && !hasPath };
  }
  const several = instances.length > 1 ? { instances } : {};
  if (mode === "connect") return { kind: "tunnel", service, supervised, ...several };
  return { kind: "proxy", service, bare, supervised, ...several };
}

function storeUnanswered(store: Supervised, by: string): Unanswered {
  const { id, port } = store;
  return { kind: "store", by, id, protocol: storeProtocol(store)!, port };
}

type Found = {
  table: RouteTable;
  service: Service | undefined;
  supervised: Supervised | undefined;
};

/** The service that would answer for a name which is longer than its own. */
function answeringAs(name: string, { table, service, supervised }: Found): Answering {
  const seen = service?.name === name ? service : undefined;
  const directory = supervised?.directory;
  const its = directory === undefined ? undefined : table.checkouts?.of(directory);
  return {
    name,
    checkout: its ?? seen?.checkout,
    cwd: seen?.cwd,
    project: directory,
    strict: table.settings({ name, supervised }).strictSubdomains,
  };
}

/** The group with the longest matching suffix: `web-2.shop` is one instance, where `shop` is the name of them all. */
function groupAs(
  name: string,
  { table, service }: { table: RouteTable; service: Service | undefined },
): Group | undefined {
  const group = table.group(name);
  const own = table.supervised(name)?.routeName ?? "";
  const longest = Math.max(own.length, service?.name.length ?? 0);
  return group !== undefined && longest <= group.routeName.length ? group : undefined;
}

/** Those that can answer. */
function instancesOf({ instances }: Group, table: RouteTable): Instance[] {
  return instances.flatMap((supervised) => {
    if (turnOf(supervised) !== undefined) return [];
    const seen = table.find(supervised.routeName!);
    const service = seen?.name === supervised.routeName ? seen : asGiven(supervised, table);
    return service === undefined ? [] : [{ service, supervised }];
  });
}

/** The instance that will answer first, where none can now. */
function nearest({ instances }: Group): Supervised {
  const turns = instances.map((its) => turnOf(its) ?? "wait");
  const first = turns.indexOf("wait");
  return instances[Math.max(0, first === -1 ? turns.indexOf("wake") : first)]!;
}

/** The longest matching suffix wins: `x.api.shop` goes to `api.shop`, not to `shop`. */
function supervisedAs(
  name: string,
  { table, service }: { table: RouteTable; service: Service | undefined },
): Supervised | undefined {
  const supervised = table.supervised(name);
  const longer = (service?.name.length ?? 0) > (supervised?.routeName?.length ?? 0);
  return longer ? undefined : supervised;
}

/** The endpoint of a ready service that discovery has not seen yet; undefined if the service has no port. */
function asGiven(supervised: Supervised, { socketsOf }: RouteTable): Service | undefined {
  const { routeName, socket, listens, listensAs, pid = 0, startedAt = 0 } = supervised;
  if (routeName !== undefined && socket !== undefined) {
    return {
      ...{ name: routeName, routable: true, source: "NAME", warnings: [] },
      endpoint: { address: socket, port: 0, dial: [socket] },
      ...{ startedAt, pids: [], ports: [], command: supervised.id, cwd: supervised.directory },
    };
  }
  const port =
    supervised.port !== undefined && (listens.length === 0 || listens.includes(supervised.port))
      ? supervised.port
      : listens[0];
  if (routeName === undefined || port === undefined) return undefined;
  const sockets = socketsOf?.(supervised, port);
  return {
    name: routeName,
    routable: true,
    endpoint: {
      ...{ address: "127.0.0.1", port, dial: ["127.0.0.1", "::1"], owners: listensAs },
      ...(sockets === undefined ? {} : { sockets }),
    },
    process: { pid, startedAt: Math.floor(startedAt / 1_000) * 1_000 },
    pids: [pid],
    ports: [port],
    command: supervised.id,
    cwd: supervised.directory,
    source: "NAME",
    warnings: [],
  };
}
