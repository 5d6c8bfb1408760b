/** A loopback address and a port -> the users whose sockets answer there, by the kernel's table. */
import { listeningRows } from "./listening-rows.ts";
import type { ListeningRow } from "./proc-net.ts";

export type Place = { address: string; port: number };

/**
 * The sockets that a connection to a place may come to: those of that very address, or else of the wildcard of its family, or
 * else of `::`, which takes IPv4 too unless it was told not to. Pure.
 */
export function answering<Row extends Place>(rows: Iterable<Row>, { address, port }: Place): Row[] {
  const there = [...rows].filter((row) => row.port === port);
  const ways = address.includes(":") ? [address, "::"] : [address, "0.0.0.0", "::"];
  for (const way of ways) {
    const found = there.filter((row) => row.address === way);
    if (found.length > 0) return found;
  }
  return [];
}

/** Whether whoever connects there comes to one of these users, and to nobody else. Pure. */
export function belongsTo(
  rows: Iterable<Place & { uid: number }>,
  { place, users }: { place: Place; users: readonly number[] },
): boolean {
  const found = answering(rows, place);
  return found.length > 0 && found.every(({ uid }) => users.includes(uid));
}

/** Those that listen on the port, of any address. None on a system without procfs. */
export function listenersOn(
  port: number,
  { root = "/proc" }: { root?: string } = {},
): ListeningRow[] {
  return ["tcp", "tcp6"].flatMap((file) => {
    try {
      return [...listeningRows(`${root}/net/${file}`)].flat().filter((row) => row.port === port);
    } catch {
      // A kernel without IPv6 has no such file; another system has neither.
      return [];
    }
  });
}
