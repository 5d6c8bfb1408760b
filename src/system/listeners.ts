/** A loopback address and a port -> the users whose sockets answer there, by the kernel's table. */
import { closeSync, openSync, readSync } from "node:fs";
import { type ListeningRow, parseProcNetLine } from "./proc-net.ts";

export type Place = { address: string; port: number };

/**
 * Rows that do not listen, after which the table is closed. Listening sockets stand first in it (net/ipv4/tcp_ipv4.c,
 * tcp_seq_start), and behind them there may be tens of thousands of connections.
 */
export const enoughOthers = 1000;

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
  const found: ListeningRow[] = [];
  for (const file of ["tcp", "tcp6"]) read(`${root}/net/${file}`, { port, found });
  return found;
}

function read(path: string, { port, found }: { port: number; found: ListeningRow[] }): void {
  let descriptor: number;
  try {
    descriptor = openSync(path, "r");
  } catch {
    // A kernel without IPv6 has no such file; another system has neither.
    return;
  }
  const chunk = Buffer.allocUnsafe(32 * 1024);
  try {
    let rest = "";
    let others = 0;
    while (others < enoughOthers) {
      const size = readSync(descriptor, chunk, 0, chunk.length, null);
      if (size === 0) return;
      const lines = (rest + chunk.toString("latin1", 0, size)).split("\n");
      rest = lines.pop()!;
      for (const line of lines) {
        const row = parseProcNetLine(line);
        if (row === "other") others++;
        else if (row !== "unread" && row.port === port) found.push(row);
      }
    }
  } finally {
    closeSync(descriptor);
  }
}
