/** `ports` of a compose service -> the port of a container, and those besides. Pure. */
import { type Context, itemsOf } from "./context.ts";
import { isEverywhere, type Port, portsOf } from "./ports.ts";
import type { Entry } from "./yaml.ts";

export function readPorts(entry: Entry, { out, facts, text, none }: Context) {
  const ports: Port[] = [];
  for (const item of itemsOf(entry.node)) {
    const found = portsOf(item, text);
    if (found === undefined) none("ports", { at: item, node: item });
    for (const port of found ?? []) {
      const twin = ports.find((its) => insideOf(its) === insideOf(port));
      if (twin !== undefined) {
        if (twin.outside !== port.outside) {
          out.note(item, `ports: ${insideOf(port)} inside is published once`);
        }
        continue;
      }
      const taken = takenBy(port, { ports, facts });
      if (taken !== undefined) out.note(item, `ports: ${port.outside} is ${taken}`);
      if (!isEverywhere(port.host)) {
        out.note(item, `ports: published on 127.0.0.1, not ${port.host}`);
      }
      ports.push(taken === undefined ? port : { ...port, outside: undefined });
    }
  }
  const first = ports.find(({ protocol }) => protocol === "tcp");
  if (first !== undefined) {
    out.set("port", first.outside ?? first.inside);
    if (first.outside !== undefined) out.set("container_port", first.inside);
  }
  const others = ports.filter((port) => port !== first);
  if (others.length > 0) out.set("ports", others.map(portText));
}

function insideOf(port: Port): string | number {
  return portText({ ...port, outside: undefined });
}

/** The owner that a port of this machine has already; undefined: none. */
function takenBy(
  port: Port,
  { ports, facts }: { ports: readonly Port[]; facts: Context["facts"] },
): string | undefined {
  const { outside, protocol } = port;
  if (outside === undefined) return undefined;
  if (outside === 80 || outside === 443) return "localhostess's own; its name leads to it";
  const isTwice = ports.some((its) => its.outside === outside && its.protocol === protocol);
  const owner = isTwice ? facts.name : facts.claim(port, facts.name);
  return owner === undefined ? undefined : `that of ${owner} already`;
}

function portText({ inside, outside, protocol }: Port): string | number {
  if (outside === undefined && protocol === "tcp") return inside;
  return `${outside === undefined ? "" : `${outside}:`}${inside}${protocol === "tcp" ? "" : "/udp"}`;
}
