/** A client's connection -> whose process it is, as the kernel has its socket. */
import type { Ends, PeerSockets } from "../system/peer-sockets.ts";

export type ClientUser =
  /** Of those who are served. */
  | "own"
  /** Nobody's: it has gone, or it passes for somebody. */
  | "gone"
  /** The system does not tell. */
  | "unknown"
  /** Another person's. */
  | { uid: number };

export type ClientUserOptions = {
  /** Who is served. */
  uids: readonly number[];
  /** Clients may have no socket on this system: Windows' on WSL, which belong to the person all the same. */
  elsewhere?: boolean;
};

/**
 * A socket that no process has any more is nobody's: older kernels then say that root has it, and whoever sends and goes
 * away at once could pass for root.
 */
export function clientUsers(
  peers: PeerSockets | undefined,
  { uids, elsewhere = false }: ClientUserOptions,
): (client: Ends) => ClientUser {
  return (client) => {
    const peer = peers?.find(client) ?? "unknown";
    if (peer === "unknown") return "unknown";
    if (peer === "none") return elsewhere ? "unknown" : "gone";
    if (peer.inode === 0) return "gone";
    return uids.includes(peer.uid) ? "own" : { uid: peer.uid };
  };
}

/** Undefined where the system does not tell. */
export function isOwn(user: ClientUser): boolean | undefined {
  return user === "unknown" ? undefined : user === "own";
}
