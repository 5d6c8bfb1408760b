/** A run id -> the mark that its processes keep without their environment; /proc/<pid>/limits -> that mark. Pure. */

/** The highest bit but one: far above every limit that a person sets. */
const top = 1n << 62n;
/** Hex digits of the run id that go into the mark: 60 bits below `top`. */
const digits = 15;

/** A number of microseconds, for `ProcessCalls.marked`. Undefined where the run id is none of ours. */
export function markOf(runId: string): string | undefined {
  const tail = runId.slice(-digits);
  return /^[0-9a-f]{15}$/.test(tail) ? String(top | BigInt(`0x${tail}`)) : undefined;
}

const limit = /^Max realtime timeout\s+(\d{19})\s/m;

/** Undefined where its processes have no such limit, or one that cannot be a mark. */
export function markIn(limits: string): string | undefined {
  const found = limit.exec(limits)?.[1];
  return found !== undefined && BigInt(found) >= top ? found : undefined;
}
