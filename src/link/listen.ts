/** An address and a port into accepted links. */
import { nobody } from "./link.ts";
import { socketEvents } from "./socket-events.ts";
import { SocketLink } from "./socket-link.ts";

export type Listening = {
  port: number;
  /** The kernel's number for the listening socket. */
  descriptor: number;
  /** Takes no new connection; those that stand go on. Twice is harmless. */
  stop(): void;
};

/**
 * Listens; on a wildcard address, of one family and for this machine alone: a peer from elsewhere is dropped before a
 * byte of it is read. `accept` must set the link's handler before it returns. @throws the system's error, with its `code`.
 */
export function listen(
  { address, port }: { address: string; port: number },
  accept: (link: SocketLink) => void,
): Listening {
  const wildcard = address === "0.0.0.0" || address === "::";
  const listener = Bun.listen<SocketLink>({
    hostname: address,
    port,
    allowHalfOpen: true,
    // Bun has it, and its types do not.
    ...(address === "::" ? { ipv6Only: true } : {}),
    socket: {
      ...socketEvents,
      open(socket) {
        socket.data = new SocketLink(socket, nobody);
        if (wildcard && !isLoopback(socket.data.remoteAddress)) socket.data.abort();
        else accept(socket.data);
      },
    },
  });
  let stopped = false;
  return {
    port: listener.port,
    // Bun has it, and its types do not.
    descriptor: (listener as unknown as { fd: number }).fd,
    stop() {
      if (stopped) return;
      stopped = true;
      listener.stop(false);
    },
  };
}

/** As the kernel writes an address. RFC 4291 sections 2.5.3 and 2.5.5.2. */
export function isLoopback(address: string): boolean {
  return address === "::1" || /^(?:::ffff:)?127\.\d+\.\d+\.\d+$/.test(address);
}
