/** A loopback address and a port -> the users whose sockets accept connections there, read from the kernel's table. */
import { listeningRows } from "./listening-rows.ts";
import type { ListeningRow } from "./proc-net.ts";

export type Place = { address: string; port: number };

/**
 * The sockets that may accept a connection to `address` and `port`: those bound to that very address, or else to the
 * wildcard of its family, or else to `::`, which accepts IPv4 too unless it was told not to. Pure.
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

/** Whether a connection to `place` can only be accepted by one of these users. Pure. */
export function belongsTo(
  rows: Iterable<Place & { uid: number }>,
  { place, users }: { place: Place; users: readonly number[] },
): boolean {
  const found = answering(rows, place);
  return found.length > 0 && found.every(({ uid }) => users.includes(uid));
}

/** All sockets that listen on the port, on any address. Empty on a system without procfs. */
export function listenersOn(
  port: number,
  { root = "/proc" }: { root?: string } = {},
): ListeningRow[] {
  return ["tcp", "tcp6"].flatMap((file) => {
    try {
      return [...listeningRows(`${root}/net/${file}`)].flat().filter((row) => row.port === port);
    } catch {
      // A kernel without IPv6 has no `tcp6`; other systems have neither file.
      return [];
    }
  });
}
