/** A port into a server that answers the first bytes of every upload with 413, and closes without reading on. */
export interface RefusingServer extends Disposable {
  readonly port: number;
  stop(): void;
}

export function refusingServer(): RefusingServer {
  const answer = "HTTP/1.1 413 Too Large\r\nContent-Length: 3\r\nConnection: close\r\n\r\nbig";
  const listener = Bun.listen({
    hostname: "127.0.0.1",
    port: 0,
    socket: {
      data(socket) {
        socket.end(answer);
      },
    },
  });
  const stop = (): void => void listener.stop(true);
  return { port: listener.port, stop, [Symbol.dispose]: stop };
}
