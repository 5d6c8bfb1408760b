/** Clients that sent FIN -> those that have closed the connection completely, according to the kernel. */
import type { Ends, PeerSockets } from "../system/peer-sockets.ts";

export type DepartedOptions = {
  /** True if clients may have no socket on this system: programs of Windows on WSL. */
  elsewhere?: boolean;
};

/** A half-closed socket still belongs to its process. A closed socket belongs to no process and then disappears. */
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
