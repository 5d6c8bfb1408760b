/** Processes of a scan, and all others -> those others that have a NAME which one of the first has too. Pure. */
import type { ObservedProcess } from "./observation.ts";

/** Processes with one NAME. More tell nothing new, and where every process has it, there are thousands. */
const most = 64;

/** `all` in its order. Only NAME counts: a supervisor gives a name of its own to each process. */
export function bystandersOf(
  observed: ReadonlyMap<number, ObservedProcess>,
  all: Iterable<Candidate>,
): ObservedProcess[] {
  const counts = new Map<string, number>();
  for (const { name, variable } of observed.values()) {
    if (name && variable === "NAME") counts.set(name, 0);
  }
  const found: ObservedProcess[] = [];
  if (counts.size === 0) return found;
  for (const { pid, name, observe } of all) {
    const count = name === undefined ? undefined : counts.get(name);
    if (count === undefined || count >= most || observed.has(pid)) continue;
    counts.set(name!, count + 1);
    found.push(observe());
  }
  return found;
}

export type Candidate = Pick<ObservedProcess, "pid" | "name"> & {
  /** Reads the rest. */
  observe(): ObservedProcess;
};
