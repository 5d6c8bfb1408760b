/** What a request asks for and the table of services into what becomes of it. */
import { classifyHost } from "./host.ts";
import type { Service } from "./service.ts";
import { hasEndedWell, type Supervised, type SupervisedState } from "./supervised.ts";
import type { RouteTable } from "./table.ts";

/** A request's destination, from its Host or, where it has one, its target. */
export type Asked = {
  /** Lower case, without a final dot. */
  host: string;
  port: number | undefined;
  /** `direct`: a path and a Host. `tunnelled`: the same, inside a tunnel. `forward`: an absolute URL. `connect`: CONNECT. */
  mode: "direct" | "tunnelled" | "forward" | "connect";
};

export type Decision =
  /** Forward the request. `bare`: its name stands without `.localhost`, and back ends know no other, so Host is rewritten. */
  | { kind: "proxy"; service: Service; bare: boolean; supervised?: Supervised | undefined }
  /** Join the client with the service. */
  | { kind: "tunnel"; service: Service; supervised?: Supervised | undefined }
  /** The service cannot answer now. */
  | { kind: "absent"; supervised: Supervised; turn: Turn }
  /** One of our own pages. */
  | { kind: "own" }
  /** No service has the name. `quiet`: say nothing, so that a browser goes on without us. */
  | { kind: "unknown"; name: string; quiet: boolean }
  /** A name that is no business of ours: 421. */
  | { kind: "misdirected" }
  /** A name without a dot, of which nobody but a resolver says that it leads here: 421. */
  | { kind: "unproxied"; name: string }
  /** A proxy request for the rest of the world: closed without an answer. */
  | { kind: "close" };

/** `wait`: it will answer soon. `wake`: it starts when it is asked. `down`: it stays as it is until somebody starts it. */
export type Turn = "wait" | "wake" | "down";

const own: Decision = { kind: "own" };
const close: Decision = { kind: "close" };
const misdirected: Decision = { kind: "misdirected" };

export function decide(asked: Asked, table: RouteTable, ownPorts: readonly number[]): Decision {
  const host = classifyHost(asked.host, table.tlds);
  const hasPath = asked.mode === "direct" || asked.mode === "tunnelled";
  if (host.kind === "foreign") return hasPath ? misdirected : close;
  if (host.kind === "own") {
    // A tunnelled or forwarded port may differ from ours in Host; in a URL another port is another server.
    if (hasPath) return own;
    return asked.mode === "forward" && ownPorts.includes(asked.port ?? 80) ? own : close;
  }
  // A browser that asks a proxy for `api` has resolved nothing. One that comes by itself was led here, perhaps by whoever
  // answers names without a dot on this network; its page would have the origin of that name (DNS rebinding).
  if (host.domain === "" && asked.mode === "direct" && !table.answersBare(host.name)) {
    return { kind: "unproxied", name: host.name };
  }
  const bare = host.domain !== "localhost";
  let service = table.find(host.name);
  const supervised = supervisedAs(host.name, { table, service });
  if (supervised !== undefined) {
    if (service?.name !== supervised.routeName) service = undefined;
    const turn = turnOf(supervised);
    if (turn === "wait") return { kind: "absent", supervised, turn };
    // While it is down, somebody may run another server under its name.
    if (turn === undefined) service ??= asGiven(supervised);
    if (service === undefined) return { kind: "absent", supervised, turn: turn ?? "wait" };
  }
  if (service === undefined) {
    // The PAC file has DIRECT behind us, for whoever else has such a name; `.localhost` never comes by it, and is ours to explain.
    return { kind: "unknown", name: host.name, quiet: bare && !hasPath };
  }
  if (asked.mode === "connect") return { kind: "tunnel", service, supervised };
  return { kind: "proxy", service, bare, supervised };
}

/** Whoever has the longer ending of the name has the name. */
function supervisedAs(
  name: string,
  { table, service }: { table: RouteTable; service: Service | undefined },
): Supervised | undefined {
  const supervised = table.supervised(name);
  const longer = (service?.name.length ?? 0) > (supervised?.routeName?.length ?? 0);
  return longer ? undefined : supervised;
}

/** Undefined: it answers. */
function turnOf(supervised: Supervised): Turn | undefined {
  const { state, lazy } = supervised;
  return lazy && (state === "stopped" || hasEndedWell(supervised)) ? "wake" : turns[state];
}

const turns: Record<SupervisedState, Turn | undefined> = {
  stopped: "down",
  starting: "wait",
  running: "wait",
  ready: undefined,
  // It was well before, and what it says itself tells more than a page of ours.
  unready: undefined,
  stopping: "wait",
  exited: "down",
  backoff: "wait",
  failed: "down",
};

/** Where a service that is ready has to be, before discovery has seen it there; undefined where it was given no port. */
function asGiven(supervised: Supervised): Service | undefined {
  const { routeName, listens, listensAs, pid = 0, startedAt = 0 } = supervised;
  const port =
    supervised.port !== undefined && (listens.length === 0 || listens.includes(supervised.port))
      ? supervised.port
      : listens[0];
  if (routeName === undefined || port === undefined) return undefined;
  return {
    name: routeName,
    routable: true,
    endpoint: { address: "127.0.0.1", port, dial: ["127.0.0.1", "::1"], owners: listensAs },
    process: { pid, startedAt: Math.floor(startedAt / 1_000) * 1_000 },
    pids: [pid],
    ports: [port],
    command: supervised.id,
    cwd: supervised.directory,
    source: "NAME",
    warnings: [],
  };
}
