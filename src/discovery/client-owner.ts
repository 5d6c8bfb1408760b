/** A client's connection -> whether its process belongs to somebody who is served, as the kernel has its socket. */
import type { Ends, PeerSockets } from "../system/peer-sockets.ts";

export type ClientOwnerOptions = {
  /** Who is served. */
  uids: readonly number[];
  /** Clients may have no socket on this system: Windows' on WSL, which belong to the person all the same. */
  elsewhere?: boolean;
};

/** Undefined where the system does not tell. */
export type ClientOwner = (client: Ends) => boolean | undefined;

/**
 * A socket that no process has any more is nobody's: older kernels then say that root has it, and whoever sends and goes
 * away at once could pass for root.
 */
export function clientOwner(
  peers: PeerSockets | undefined,
  { uids, elsewhere = false }: ClientOwnerOptions,
): ClientOwner {
  return (client) => {
    const peer = peers?.find(client) ?? "unknown";
    if (peer === "unknown") return undefined;
    if (peer === "none") return elsewhere ? undefined : false;
    return peer.inode > 0 && uids.includes(peer.uid);
  };
}
