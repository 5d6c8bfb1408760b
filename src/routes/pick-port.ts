/** The ports of one service -> the port that serves the application. Pure. */

/** Node's inspector, the Chrome DevTools protocol, Node's old debugger. */
const debugPorts = new Set([9229, 9222, 5858]);

/** RFC 6335 section 6: from here on, the system assigns ports by itself (HMR, development channels). */
const firstEphemeral = 49152;

export function isDebugPort(port: number): boolean {
  return debugPorts.has(port);
}

/** The value of `PORT`, if it is a valid port. */
export function portIn(value: string | undefined): number | undefined {
  const port = value !== undefined && /^\d{1,5}$/.test(value) ? Number(value) : 0;
  return port > 0 && port <= 65_535 ? port : undefined;
}

/**
 * The port that one of its processes was asked to use by `PORT`, if it listens there. Or else the lowest port that is
 * neither a debug port nor ephemeral; if there is none, the lowest of all.
 */
export function pickPort(
  ports: readonly [number, ...number[]],
  wanted: ReadonlySet<number> = new Set(),
): number {
  const asked = ports.filter((port) => wanted.has(port));
  if (asked.length > 0) return Math.min(...asked);
  const candidates = ports.filter((port) => !debugPorts.has(port) && port < firstEphemeral);
  return Math.min(...(candidates.length > 0 ? candidates : ports));
}
