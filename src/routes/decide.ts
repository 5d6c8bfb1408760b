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
  /** Forward the request. `bare`: its name stands without `.localhost`, and back ends know no other, so Host is rewritten. */
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
  const host = classifyHost(asked.host, table.tlds);
  if (host.kind === "foreign") return asked.mode === "direct" ? misdirected : close;
  if (host.kind === "own") {
    // A tunnelled or forwarded port may differ from ours in Host; in a URL another port is another server.
    if (asked.mode === "direct") return own;
    return asked.mode === "forward" && ownPorts.includes(asked.port ?? 80) ? own : close;
  }
  const bare = host.domain !== "localhost";
  const service = table.find(host.name);
  if (service === undefined) {
    // The PAC file has DIRECT behind us, for whoever else has such a name; `.localhost` never comes by it, and is ours to explain.
    return { kind: "unknown", name: host.name, quiet: bare && asked.mode !== "direct" };
  }
  if (asked.mode === "connect") return { kind: "tunnel", service };
  return { kind: "proxy", service, bare };
}
