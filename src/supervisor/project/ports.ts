/** A service's id and what is taken -> a port for it: free, the same each time, and one that browsers open. */
import type { Loopback } from "../../system/loopback.ts";

/**
 * "Bad ports" of https://fetch.spec.whatwg.org/#port-blocking: browsers open none of them. Those below our range matter
 * for ports that a person chose.
 */
const blocked: ReadonlySet<number> = new Set([
  0, 1, 7, 9, 11, 13, 15, 17, 19, 20, 21, 22, 23, 25, 37, 42, 43, 53, 69, 77, 79, 87, 95, 101, 102,
  103, 104, 109, 110, 111, 113, 115, 117, 119, 123, 135, 137, 139, 143, 161, 179, 389, 427, 465,
  512, 513, 514, 515, 526, 530, 531, 532, 540, 548, 554, 556, 563, 587, 601, 636, 989, 990, 993,
  995, 1719, 1720, 1723, 2049, 3659, 4045, 4190, 5060, 5061, 6000, 6566, 6665, 6666, 6667, 6668,
  6669, 6679, 6697, 10080,
]);

export function isBlocked(port: number): boolean {
  return blocked.has(port);
}

/** Below the ports that systems give to outgoing connections: from 32768 on Linux, 49152 on macOS. */
const first = 20_000;
const size = 10_000;

export type ChooseOptions = {
  /** The port it had before. */
  sticky: number | undefined;
  /** Ports of services that run, or are declared with a port. */
  taken: ReadonlySet<number>;
  /** Ports of services that are stopped: theirs again when they start, so given away last. */
  kept: ReadonlySet<number>;
  loopback: Loopback;
};

/**
 * The one it had before, if it is free; else the first free one from a place that its id decides, so that
 * two daemons in two state directories choose alike. Undefined where all ten thousand are taken.
 */
export function choosePort(id: string, options: ChooseOptions): number | undefined {
  const { sticky, taken, kept, loopback } = options;
  const usable = (port: number) => !taken.has(port) && !blocked.has(port) && loopback.isFree(port);
  if (sticky !== undefined && usable(sticky)) return sticky;
  const start = Number(Bun.hash.xxHash32(id)) % size;
  const candidates = Array.from({ length: size }, (_, at) => first + ((start + at) % size));
  return (
    candidates.find((port) => !kept.has(port) && usable(port)) ??
    candidates.find((port) => kept.has(port) && usable(port))
  );
}
