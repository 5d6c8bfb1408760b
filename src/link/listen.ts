/** An address and a port, or a path, into accepted links. */
import { nobody } from "./link.ts";
import { socketEvents } from "./socket-events.ts";
import { SocketLink } from "./socket-link.ts";

export type Listening = {
  /** 0 where it listens at a path. */
  port: number;
  /** The kernel's number for the listening socket. */
  descriptor: number;
  /** Takes no new connection; those that stand go on. Twice is harmless. */
  stop(): void;
};

/** `path`: of a unix socket, which must not exist, and which Bun removes with the end of the listener. */
export type Place = { address: string; port: number } | { path: string };

/**
 * Listens; on a wildcard address, of one family and for this machine alone: a peer from elsewhere is dropped before a
 * byte of it is read. `accept` must set the link's handler before it returns. @throws the system's error, with its `code`.
 */
export function listen(place: Place, accept: (link: SocketLink) => void): Listening {
  const address = "path" in place ? undefined : place.address;
  const wildcard = address === "0.0.0.0" || address === "::";
  const common = {
    allowHalfOpen: true,
    // Bun has it, and its types do not.
    ...(address === "::" ? { ipv6Only: true } : {}),
    socket: {
      ...socketEvents,
      open(socket: Bun.Socket<SocketLink>) {
        socket.data = new SocketLink(socket, nobody);
        if (wildcard && !isLoopback(socket.data.remoteAddress)) socket.data.abort();
        else accept(socket.data);
      },
    },
  };
  const listener =
    "path" in place
      ? Bun.listen<SocketLink>({ ...common, unix: place.path })
      : Bun.listen<SocketLink>({ ...common, hostname: place.address, port: place.port });
  let stopped = false;
  return {
    port: "port" in listener ? listener.port : 0,
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
