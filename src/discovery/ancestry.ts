/** A process and the parents of others -> the processes that it has come of. Pure. */

/** The pid itself, then its parents as far as they are known. Pids are used again, so that there may be a circle. */
export function ancestry(
  pid: number,
  processes: ReadonlyMap<number, { parent: number }>,
): ReadonlySet<number> {
  const found = new Set<number>();
  for (let at: number | undefined = pid; at !== undefined && !found.has(at);) {
    found.add(at);
    at = processes.get(at)?.parent;
  }
  return found;
}
