/** Clients that sent FIN -> which of them have closed altogether, as the kernel has their sockets. */
import type { Ends, PeerSockets } from "../system/peer-sockets.ts";

export type DepartedOptions = {
  /** Clients may have no socket on this system: Windows' on WSL. */
  elsewhere?: boolean;
};

/** A socket that only stopped sending still belongs to its process; one that was closed belongs to nobody, and then is gone. */
export function departedClients(
  peers: PeerSockets,
  { elsewhere = false }: DepartedOptions = {},
): (client: Ends) => boolean {
  return (client) => {
    const peer = peers.find(client);
    if (peer === "none") return !elsewhere;
    return peer !== "unknown" && peer.inode === 0;
  };
}
