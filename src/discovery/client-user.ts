/** A client's connection -> the user its process belongs to, according to the kernel. */
import type { Ends, PeerSockets } from "../system/peer-sockets.ts";

export type ClientUser =
  /** One of the users we serve. */
  | "own"
  /** No process has the socket: the client is gone, or pretends to be someone else. */
  | "gone"
  /** The system cannot tell. */
  | "unknown"
  /** Another user. */
  | { uid: number };

export type ClientUserOptions = {
  /** The users we serve. */
  uids: readonly number[];
  /**
   * True if clients may have no socket on this system: programs of Windows on WSL, which belong to the person all the
   * same.
   */
  elsewhere?: boolean;
};

/**
 * A socket that no process has any more belongs to nobody. Older kernels report root as its owner, so a client that
 * sends and closes at once could otherwise pass for root.
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

/** Undefined if the system cannot tell. */
export function isOwn(user: ClientUser): boolean | undefined {
  return user === "unknown" ? undefined : user === "own";
}
