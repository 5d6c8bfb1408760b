/** Bun's socket callbacks -> a link's events. One object serves all sockets, so none is created per connection. */
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
