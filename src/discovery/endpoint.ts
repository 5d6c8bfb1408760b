/** A port of a service and all listening sockets -> where to dial it, past those of others at the same number. Pure. */
import type { Endpoint } from "../routes/service.ts";
import type { Observation, Scan } from "./observation.ts";

/** The listening sockets of one service, and its processes that hold them. */
export type Listening = { observations: readonly Observation[]; pids: ReadonlySet<number> };

type Place = Pick<Observation, "address" | "port">;

/** Candidates for the primary address, best first. IPv4 comes first because more clients and servers agree on it. */
const preferred = ["127.0.0.1", "0.0.0.0", "::1", "::"];

/**
 * Loopback addresses that reach a wildcard's socket where another has the port at the usual one: all of 127.0.0.0/8 is
 * this machine (RFC 1122 section 3.2.1.3). macOS has 127.0.0.1 only, and refuses the others.
 */
const otherLoopbacks = Array.from({ length: 8 }, (_, at) => `127.0.0.${at + 2}`);

function isIPv4(address: string): boolean {
  return !address.includes(":");
}

/**
 * `own`: the sockets that lead to the service. One on `::` also accepts IPv4 unless it was told not to, which cannot be
 * seen from outside. So 127.0.0.1 is dialled too, but only if no other process can be behind it.
 */
export function endpointOf(port: number, own: readonly Place[], scan: Scan): Endpoint {
  const addresses = new Set(own.filter((its) => its.port === port).map((its) => its.address));
  const rank = (address: string) => {
    const at = preferred.indexOf(address);
    return at === -1 ? preferred.length : at;
  };
  const sorted = [...addresses].sort((a, b) => rank(a) - rank(b) || (a < b ? -1 : 1));
  const held = [...scan.observations, ...(scan.unowned ?? [])]
    .filter((its) => its.port === port)
    .map(({ address }) => address);
  const others = new Set(held.filter((address) => !addresses.has(address)));
  const hasIPv4 = held.some(isIPv4);
  const free4 = ["127.0.0.1", ...otherLoopbacks].find((address) => !others.has(address));
  const dial = new Set<string>();
  for (const address of sorted) {
    if (address === "0.0.0.0") dial.add(free4 ?? "127.0.0.1");
    else if (address !== "::") dial.add(address);
    else if (!others.has("::1")) {
      dial.add("::1");
      if (!hasIPv4) dial.add("127.0.0.1");
    } else dial.add(others.has("0.0.0.0") ? "::1" : (free4 ?? "127.0.0.1"));
  }
  // Where sockets share an address and a port, the kernel chooses one for each connection: all of them count.
  const sockets = scan.sockets
    ?.filter((its) => its.port === port && addresses.has(its.address))
    .map(({ inode }) => inode >>> 0)
    .sort((a, b) => a - b);
  return {
    address: sorted[0]!,
    port,
    dial: [...dial],
    ...(sockets === undefined ? {} : { sockets }),
  };
}

/** Other servers on the same port number, which are easily reached by mistake, each in a clause. */
export function neighbours(its: Listening, scan: Scan): string[] {
  const ports = new Set(its.observations.map(({ port }) => port));
  const isOwn = (pids: readonly number[]) => pids.some((pid) => its.pids.has(pid));
  const seen = scan.observations
    .filter(({ port, pids }) => ports.has(port) && !isOwn(pids))
    .map(
      ({ port, address, pids }) =>
        `port ${port} is also held by pid ${pids.join(", ")}, on ${address}`,
    );
  const unseen = new Set(
    (scan.unowned ?? [])
      .filter(({ port }) => ports.has(port))
      .map(({ port, address }) => `port ${port} is also held by another user, on ${address}`),
  );
  return [...seen, ...unseen];
}

/**
 * Other servers at the very same place (SO_REUSEPORT, or a socket that was handed on), each in a clause: the kernel
 * gives each connection to any of them, whatever name it is for.
 */
export function sharers(
  its: Listening,
  { scan, nameOf }: { scan: Scan; nameOf: (pid: number) => string | undefined },
): string[] {
  const own = new Set([...its.pids].map(nameOf));
  return its.observations.flatMap(({ address, port, pids }) => {
    const apart = new Set(
      scan.sockets
        ?.filter((one) => one.port === port && one.address === address)
        .filter((one) => !one.pids.some((pid) => its.pids.has(pid)))
        .flatMap((one) => one.pids),
    );
    // A process without a name that has the same socket is one that opened it for them.
    const others = pids.filter((pid) => {
      const name = nameOf(pid);
      return !its.pids.has(pid) && !own.has(name) && (name !== undefined || apart.has(pid));
    });
    if (others.length === 0) return [];
    const names = new Set(others.flatMap((pid) => nameOf(pid) ?? []));
    const who = [...names, `pid ${others.join(", ")}`].join(", ");
    return `port ${port} on ${address} is shared with ${who}: the system gives each connection to any of them; start this one on another port`;
  });
}
