/** A WebSocket server that says back what it hears. As a program: prints its port. */
import type { Server } from "bun";

export function socketsServer(): { port: number } & Disposable {
  const server: Server<undefined> = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    fetch: (request: Request): Response | undefined =>
      server.upgrade(request) ? undefined : new Response("a WebSocket is expected here\n"),
    websocket: {
      message: (socket, message) => void socket.send(message),
      maxPayloadLength: 1 << 26,
      perMessageDeflate: false,
    },
  });
  return { port: server.port!, [Symbol.dispose]: () => void server.stop(true) };
}

if (import.meta.main) console.log(socketsServer().port);
