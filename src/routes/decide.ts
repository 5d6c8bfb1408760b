/** What a request asks for and the table of services into what becomes of it. */
import { classifyHost } from "./host.ts";
import type { Service } from "./service.ts";
import type { RouteTable } from "./table.ts";

/** A request's destination, from its Host or, where it has one, its target. */
export type Asked = {
  /** Lower case, without a final dot. */
  host: string;
  port: number | undefined;
  /** `direct`: a path and a Host. `forward`: an absolute URL. `connect`: CONNECT. */
  mode: "direct" | "forward" | "connect";
};

export type Decision =
  /** Forward the request. `bare`: back ends know only `localhost`, so Host is rewritten. */
  | { kind: "proxy"; service: Service; bare: boolean }
  /** Join the client with the service. */
  | { kind: "tunnel"; service: Service }
  /** One of our own pages. */
  | { kind: "own" }
  /** No service has the name. `quiet`: say nothing, so that a browser goes on without us. */
  | { kind: "unknown"; name: string; quiet: boolean }
  /** A name that is no business of ours: 421. */
  | { kind: "misdirected" }
  /** A proxy request for the rest of the world: closed without an answer. */
  | { kind: "close" };

const own: Decision = { kind: "own" };
const close: Decision = { kind: "close" };
const misdirected: Decision = { kind: "misdirected" };

export function decide(asked: Asked, table: RouteTable, ownPorts: readonly number[]): Decision {
  const host = classifyHost(asked.host);
  if (host.kind === "foreign") return asked.mode === "direct" ? misdirected : close;
  if (host.kind === "own") {
    // A tunnelled or forwarded port may differ from ours in Host; in a URL another port is another server.
    if (asked.mode === "direct") return own;
    return asked.mode === "forward" && ownPorts.includes(asked.port ?? 80) ? own : close;
  }
  const service = table.find(host.name);
  if (service === undefined) {
    // Only bare names come from the PAC file, which has DIRECT behind us; `.localhost` is ours to explain.
    return { kind: "unknown", name: host.name, quiet: host.bare && asked.mode !== "direct" };
  }
  if (asked.mode === "connect") return { kind: "tunnel", service };
  return { kind: "proxy", service, bare: host.bare };
}
