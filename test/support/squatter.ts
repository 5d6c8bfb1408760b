/** A port and an answer -> somebody else who listens there, and remembers what it was sent. */

export interface Squatter extends Disposable {
  port: number;
  heard(): string;
}

/** Says yes to whatever it is asked, unless told otherwise. */
export function squatter(
  port = 0,
  answer = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}",
): Squatter {
  let heard = "";
  const listener = Bun.listen({
    hostname: "127.0.0.1",
    port,
    socket: {
      data(socket, bytes) {
        heard += Buffer.from(bytes).toString("latin1");
        if (heard.endsWith("\r\n\r\n") || heard.endsWith("{}")) socket.end(answer);
      },
    },
  });
  return { port: listener.port, heard: () => heard, [Symbol.dispose]: () => listener.stop(true) };
}
