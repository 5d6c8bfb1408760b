/** The process's limit on open files -> whether there is room for further descriptors. */
import { closeSync, openSync, readFileSync } from "node:fs";

/**
 * More than 10,000 clients and a connection to a server for each need, so that a limit of a million does not let us
 * use up the machine's memory for sockets.
 */
const mostDescriptors = 24_000;

/** The share of the limit up to which connections to servers are opened. */
const serverShare = 3 / 4;
/** The share for clients too: there is room to tell them why, and for scans, logs, children and our own pages. */
const clientShare = 7 / 8;

/** The limit where the system does not tell: the lowest that a desktop system is set up with. */
const unknownLimit = 1_024;

export interface DescriptorRoom {
  /** The kernel gave us this descriptor. The lowest free number is given, so all below it are in use. */
  note(descriptor: number): void;
  /** Whether there may be one more connection to a server. */
  forServers(): boolean;
  /** Whether there may be one more client. */
  forClients(): boolean;
}

/** There is always room. */
export const unlimited: DescriptorRoom = {
  note() {},
  forServers: () => true,
  forClients: () => true,
};

export type DescriptorRoomOptions = {
  /** RLIMIT_NOFILE, the soft one. */
  limit: number;
  /** The lowest descriptor that is free; for tests. */
  lowestFree?: () => number;
};

export function descriptorRoom({
  limit,
  lowestFree = probe,
}: DescriptorRoomOptions): DescriptorRoom {
  const most = Math.min(limit, mostDescriptors / serverShare);
  const serverCeiling = Math.floor(most * serverShare);
  const clientCeiling = Math.floor(most * clientShare);
  let last = 0;
  const hasRoom = (below: number): boolean => {
    if (last < below) return true;
    // Those that were closed since are not noted.
    last = lowestFree();
    return last < below;
  };
  return {
    note(descriptor) {
      last = descriptor;
    },
    forServers: () => hasRoom(serverCeiling),
    forClients: () => hasRoom(clientCeiling),
  };
}

function probe(): number {
  try {
    const descriptor = openSync("/dev/null", "r");
    closeSync(descriptor);
    return descriptor;
  } catch {
    // EMFILE: none is free.
    return Number.MAX_SAFE_INTEGER;
  }
}

/** The soft RLIMIT_NOFILE. proc_pid_limits(5). */
export function descriptorLimit(file = "/proc/self/limits"): number {
  try {
    const found = /^Max open files\s+(\d+|unlimited)/m.exec(readFileSync(file, "latin1"))?.[1];
    if (found === undefined) return unknownLimit;
    return found === "unlimited" ? 2 * mostDescriptors : Number(found);
  } catch {
    // Not Linux. Bun raises the soft limit to the hard one, which is no lower on macOS than this.
    return 10_240;
  }
}
