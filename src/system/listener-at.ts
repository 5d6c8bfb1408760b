/** An address and a port of this machine -> the listening socket that a connection to it would reach. Linux. */
import { isIPv4 } from "node:net";
import { answering, listenersOn, type Place } from "./listeners.ts";
import { addressOctets } from "./address-octets.ts";
import { loopbackDevice, type SocketDiagnostics, socketDiagnostics } from "./socket-diagnostics.ts";

/**
 * The low 32 bits of inodes. Where sockets share the place (SO_REUSEPORT), the kernel chooses one for each connection:
 * then the answer is one or all of them. Undefined where the kernel does not say, empty where nobody listens.
 */
export type ListenersAt = (place: Place) => readonly number[] | undefined;

export type ListenerAtOptions = {
  /** For tests: `table` is the fallback for kernels without socket diagnostics. */
  by?: "diagnostics" | "table";
};

/** Undefined where the system does not report the sockets of other processes: anywhere but on Linux. */
export function listenersAt(
  platform: string,
  options: ListenerAtOptions = {},
): ListenersAt | undefined {
  if (platform !== "linux") return undefined;
  const asks = options.by === "table" ? undefined : socketDiagnostics();
  return (place) => (asks === undefined ? undefined : asked(place, asks)) ?? inTable(place);
}

/** Microseconds. A connection of our own comes by the loopback device, whichever of our addresses it goes to. */
function asked({ address, port }: Place, asks: SocketDiagnostics): number[] | undefined {
  const own = addressOctets(address);
  if (own === undefined) return undefined;
  const nobody = new Uint8Array(own.length);
  const found = asks.find(
    { own, ownPort: port, peer: nobody, peerPort: 0 },
    { device: loopbackDevice },
  );
  if (found === "unknown") return undefined;
  return found === "none" || !found.listens ? [] : [found.inode];
}

function inTable(place: Place): number[] | undefined {
  if (!isIPv4(place.address) && !place.address.includes(":")) return undefined;
  return answering(listenersOn(place.port), place).map(({ inode }) => inode >>> 0);
}
