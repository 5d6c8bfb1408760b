/** A few words per process -> the scan of a machine on which they listen. */
import type { ObservedProcess, Scan, Unowned } from "../../src/discovery/observation.ts";

/** `listens`: `127.0.0.1 3000` and the like. */
export type Listener = Partial<ObservedProcess> & { pid: number; listens?: readonly string[] };

/** Each process is its own group unless said otherwise. `unowned`: sockets of others. */
export function scanOf(
  listeners: readonly Listener[],
  unowned: readonly Unowned[] | undefined = [],
): Scan {
  const places = new Map<string, number[]>();
  const processes = new Map<number, ObservedProcess>();
  for (const { listens = [], ...process } of listeners) {
    processes.set(process.pid, {
      startedAt: 1000,
      parent: 0,
      group: process.pid,
      uid: 0,
      name: undefined,
      command: `server ${process.pid}`,
      cwd: "/srv",
      ...process,
    });
    for (const place of listens) places.set(place, [...(places.get(place) ?? []), process.pid]);
  }
  const observations = [...places].map(([place, pids]) => {
    const [address, port] = place.split(" ");
    return { address: address!, port: Number(port), pids: pids.sort((a, b) => a - b) };
  });
  observations.sort((a, b) => a.port - b.port);
  return { observations, processes, skipped: [], unowned };
}
