/** Ports of a compose service, in each of their forms -> those that a container publishes. Pure. */
import { scalarText } from "./load.ts";
import type { Node } from "./yaml.ts";

export type Port = {
  inside: number;
  /** Undefined: any. */
  outside: number | undefined;
  protocol: "tcp" | "udp";
  /** The address on which compose publishes it; undefined: all of them. */
  host: string | undefined;
};

/** `text`: the text of a node, with its variables filled in. Undefined: not a port that we could publish. */
export function portsOf(node: Node, text: (node: Node) => string | undefined): Port[] | undefined {
  if (node.kind === "scalar") return shortForm(text(node) ?? "");
  if (node.kind !== "mapping") return undefined;
  const part = (key: string): string => {
    const entry = node.entries.get(key)?.node;
    return (entry === undefined ? undefined : text(entry)) ?? "";
  };
  const protocol = part("protocol") || "tcp";
  const published = part("published");
  const host = part("host_ip");
  const outside = published === "" ? "" : `${published}:`;
  const its = shortForm(`${outside}${part("target")}/${protocol}`);
  return its?.map((port) => ({ ...port, host: host === "" ? undefined : host }));
}

/** `80`, `8080:80`, `127.0.0.1:8080:80`, `[::1]:80:80`, `3000-3002:3000-3002`, `53:53/udp`. */
function shortForm(written: string): Port[] | undefined {
  const match =
    /^(?:(?:(\[[0-9a-fA-F:]+\]|[0-9.]+|[a-z]+):)?([0-9]{1,5}(?:-[0-9]{1,5})?)?:)?([0-9]{1,5}(?:-[0-9]{1,5})?)(?:\/(tcp|udp))?$/.exec(
      written,
    );
  if (match === null) return undefined;
  const [, address, published, target, protocol = "tcp"] = match;
  const inside = rangeOf(target!);
  const outside = published === undefined ? [] : rangeOf(published);
  if (inside === undefined || outside === undefined) return undefined;
  // A range outside for one port inside: any of them, so that the first will do.
  const fits = outside.length === 0 || outside.length === inside.length || inside.length === 1;
  if (!fits) return undefined;
  return inside.map((port, index) => ({
    inside: port,
    outside: outside.length > inside.length ? undefined : outside[index],
    protocol: protocol as Port["protocol"],
    host: address?.replace(/^\[|\]$/g, ""),
  }));
}

/** More than a container of a project publishes. */
const mostInRange = 100;

function rangeOf(text: string): number[] | undefined {
  const [first = 0, last = first] = text.split("-").map(Number);
  if (first < 1 || last > 65_535 || last < first || last - first >= mostInRange) return undefined;
  return Array.from({ length: last - first + 1 }, (_, index) => first + index);
}

/** Published on this machine alone anyway, or on all addresses, of which 127.0.0.1 is one. */
export function isEverywhere(host: string | undefined): boolean {
  return host === undefined || ["127.0.0.1", "localhost", "0.0.0.0", "::", "::1"].includes(host);
}

/** The port inside of an `expose`. */
export function exposedPort(node: Node): number | undefined {
  const match = /^([0-9]{1,5})(?:\/tcp)?$/.exec(scalarText(node) ?? "");
  const port = Number(match?.[1] ?? 0);
  return port >= 1 && port <= 65_535 ? port : undefined;
}
