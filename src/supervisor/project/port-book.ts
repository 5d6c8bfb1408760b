/** Services that want ports -> a port for each, the same every time, never two services' at once. */
import type { Loopback } from "../../system/loopback.ts";
import { choosePort } from "./ports.ts";

export interface PortBook {
  /** The port that a service has, or would get now; undefined: none is left. */
  of(id: string, declared: number | undefined): number | undefined;
  /** One that is free now. */
  claim(id: string, declared: number | undefined): number | undefined;
  /** The services of a project have none any more. */
  forget(project: string): void;
  /** Ports by service id, for the state file. */
  readonly all: ReadonlyMap<string, number>;
}

export type PortBookOptions = {
  /** The ports that the previous daemon gave. */
  remembered: Readonly<Record<string, number>>;
  loopback: Loopback;
  /** Ids of services that run, or are about to. */
  active(): ReadonlySet<string>;
  /** Ports that files declare, and our own. */
  reserved(): ReadonlySet<number>;
  onChange(): void;
};

/** `shop:mail/smtp`: no name of a service has a slash. */
export function furtherPortId(id: string, suffix: string): string {
  return `${id}/${suffix}`;
}

function ownerOf(id: string): string {
  return id.split("/", 1)[0]!;
}

export function portBook(options: PortBookOptions): PortBook {
  const { remembered, loopback, active, reserved, onChange } = options;
  const ports = new Map(Object.entries(remembered));

  function choose(id: string, sticky: number | undefined): number | undefined {
    const running = active();
    const taken = new Set(reserved());
    const kept = new Set<number>();
    for (const [other, port] of ports) {
      if (other !== id) (running.has(ownerOf(other)) ? taken : kept).add(port);
    }
    const port = choosePort(id, { sticky, taken, kept, loopback });
    if (port !== undefined && port !== ports.get(id)) {
      ports.set(id, port);
      onChange();
    }
    return port;
  }

  return {
    all: ports,
    forget(project) {
      for (const id of [...ports.keys()]) if (id.startsWith(`${project}:`)) ports.delete(id);
      onChange();
    },
    of: (id, declared) => declared ?? ports.get(id) ?? choose(id, undefined),
    claim: (id, declared) => declared ?? choose(id, ports.get(id)),
  };
}
