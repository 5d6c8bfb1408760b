/** The ports of one service -> the one that serves the application. Pure. */

/** Node's inspector, the Chrome DevTools protocol, Node's old debugger. */
const debugPorts = new Set([9229, 9222, 5858]);

/** RFC 6335 section 6: from here the system hands ports out by itself (HMR, development channels). */
const firstEphemeral = 49152;

/** Without debug ports, without ephemeral ones, the lowest; where none is left, the lowest of all. */
export function pickPort(ports: readonly [number, ...number[]]): number {
  const candidates = ports.filter((port) => !debugPorts.has(port) && port < firstEphemeral);
  return Math.min(...(candidates.length > 0 ? candidates : ports));
}
