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

/** Listens. `accept` must set the link's handler before it returns. @throws the system's error, with its `code`. */
export function listen(
  { address, port }: { address: string; port: number },
  accept: (link: SocketLink) => void,
): Listening {
  const listener = Bun.listen<SocketLink>({
    hostname: address,
    port,
    allowHalfOpen: true,
    socket: {
      ...socketEvents,
      open(socket) {
        socket.data = new SocketLink(socket, nobody);
        accept(socket.data);
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
