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
      const isOurs = port.outside === 80 || port.outside === 443;
      const key = `${port.outside}:${port.inside}/${port.protocol}`;
      if (ports.some((its) => `${its.outside}:${its.inside}/${its.protocol}` === key)) continue;
      if (isOurs)
        out.note(item, `ports: ${port.outside} is localhostess's own; its name leads to it`);
      if (!isEverywhere(port.host))
        out.note(item, `ports: published on 127.0.0.1, not ${port.host}`);
      const other = isOurs ? undefined : facts.claim(port, facts.name);
      if (other !== undefined) out.note(item, `ports: ${port.outside} is that of ${other} already`);
      ports.push(isOurs || other !== undefined ? { ...port, outside: undefined } : port);
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

function portText({ inside, outside, protocol }: Port): string | number {
  if (outside === undefined && protocol === "tcp") return inside;
  return `${outside === undefined ? "" : `${outside}:`}${inside}${protocol === "tcp" ? "" : "/udp"}`;
}
