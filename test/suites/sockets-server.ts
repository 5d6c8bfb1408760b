/** A WebSocket server that says back what it hears, as a program: prints its port. */
import type { Server } from "bun";

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
console.log(server.port);
