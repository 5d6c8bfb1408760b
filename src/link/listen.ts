/** An address and a port, a path, or a socket that listens already -> accepted links. */
import { closeSync } from "node:fs";
import { nobody } from "./link.ts";
import { socketEvents } from "./socket-events.ts";
import { SocketLink } from "./socket-link.ts";

export type Listening = {
  /** 0 when listening on a path. */
  port: number;
  /** The address that was bound; empty when listening on a path. */
  address: string;
  /** The file descriptor of the listening socket. */
  descriptor: number;
  /** Accepts no more connections; open ones continue. Calling it twice is harmless. */
  stop(): void;
};

/**
 * `path`: a Unix socket, which must not exist yet; Bun removes it when the listener ends. `descriptor`: a socket that
 * listens there already, and that is ours from now on.
 */
export type Place = ({ address: string; port: number } | { path: string }) & {
  descriptor?: number | undefined;
};

/**
 * Starts to listen. A wildcard address listens in its own family, and for this machine only: a peer from elsewhere is
 * dropped before a byte of it is read. `accept` must set the link's handler before it returns.
 * @throws the system's error, with its `code`.
 */
export function listen(place: Place, accept: (link: SocketLink) => void): Listening {
  const address = "path" in place ? undefined : place.address;
  const wildcard = address === "0.0.0.0" || address === "::";
  const common = {
    allowHalfOpen: true,
    // Bun supports this option, but its types do not include it.
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
  const listener = listenerAt(place, common);
  let stopped = false;
  return {
    // Bun does not know the port of a socket that it was given.
    port: "path" in place ? 0 : (listener as Bun.TCPSocketListener).port || place.port,
    address: address ?? "",
    // Bun provides this property, but its types do not include it.
    descriptor: (listener as unknown as { fd: number }).fd,
    stop() {
      if (stopped) return;
      stopped = true;
      listener.stop(false);
    },
  };
}

type Common = Omit<Bun.TCPSocketListenOptions<SocketLink>, "hostname" | "port">;

function listenerAt(place: Place, common: Common): Bun.SocketListener<SocketLink> {
  const { descriptor: fd } = place;
  if (fd !== undefined) {
    try {
      // Bun supports this option, but its types do not include it.
      return Bun.listen<SocketLink>({
        ...common,
        fd,
      } as unknown as Bun.TCPSocketListenOptions<SocketLink>);
    } catch (error) {
      closeSync(fd);
      throw error;
    }
  }
  return "path" in place
    ? Bun.listen<SocketLink>({ ...common, unix: place.path })
    : Bun.listen<SocketLink>({ ...common, hostname: place.address, port: place.port });
}

/** Loopback addresses as the kernel writes them. RFC 4291 sections 2.5.3 and 2.5.5.2. */
export function isLoopback(address: string): boolean {
  return address === "::1" || /^(?:::ffff:)?127\.\d+\.\d+\.\d+$/.test(address);
}
