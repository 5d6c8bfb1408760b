/** Bun's socket callbacks into a link's events: one object for all sockets, so that none is made per connection. */
import type { SocketHandler } from "bun";
import type { SocketOwner } from "./socket-link.ts";

export const socketEvents: Omit<SocketHandler<SocketOwner>, "open"> = {
  data(socket, bytes) {
    socket.data.received(bytes);
  },
  drain(socket) {
    socket.data?.writable();
  },
  end(socket) {
    socket.data?.finished();
  },
  close(socket, error) {
    socket.data?.gone(error);
  },
  error(socket, error) {
    socket.data?.gone(error);
  },
};
