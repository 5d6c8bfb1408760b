/** Lines of several logs -> one list by time, in which each log keeps its order. Pure. */

/**
 * A line is not older than the one before it in its log, whatever the clock said: where it was set back between two
 * lines, the later one still stands later, and `since` does not lose it. `since` is in milliseconds since the Unix
 * epoch.
 */
export function merged<Line extends { time: number }>(
  logs: readonly (readonly Line[])[],
  since = Number.NEGATIVE_INFINITY,
): Line[] {
  const lines = logs.flatMap((log) => {
    let at = Number.NEGATIVE_INFINITY;
    return log.map((line) => {
      at = Math.max(at, line.time);
      return { line, at };
    });
  });
  // The sort is stable: lines of one moment stay in their order.
  const young = lines.filter(({ at }) => at >= since).sort((a, b) => a.at - b.at);
  return young.map(({ line }) => line);
}
