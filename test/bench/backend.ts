/** The server behind every proxy under test, as a program: prints its port, then answers constant bytes. */

/** One write's worth of a large answer. */
const zeros = Buffer.alloc(1 << 20);

const small = Buffer.from(
  "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 13\r\n\r\nHello, world\n",
);
const smallAndClose = Buffer.from(small.toString().replace("\r\n", "\r\nConnection: close\r\n"));
const refusal = Buffer.from(
  "HTTP/1.1 501 Not Implemented\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
);
const headEnd = Buffer.from("\r\n\r\n");

/** Where one connection stands. */
type Turn = {
  /** A head that has not ended yet. */
  held: Buffer | undefined;
  /** Bytes of a request's body that have not come yet. */
  awaited: number;
  /** Bytes of an answer's body that have not gone yet. */
  owed: number;
  close: boolean;
};

const listener = Bun.listen<Turn>({
  hostname: "127.0.0.1",
  port: 0,
  socket: {
    open(socket) {
      socket.data = { held: undefined, awaited: 0, owed: 0, close: false };
    },
    data(socket, bytes) {
      const turn = socket.data;
      if (turn.awaited > 0) {
        turn.awaited -= bytes.length;
        if (turn.awaited <= 0) answer(socket);
        return;
      }
      const head = turn.held === undefined ? bytes : Buffer.concat([turn.held, bytes]);
      const end = head.indexOf(headEnd);
      if (end === -1) {
        turn.held = Buffer.from(head);
        return;
      }
      turn.held = undefined;
      // Without the first letter: some proxies write it small.
      const close = head.indexOf("onnection: close", 0, "latin1");
      turn.close = close !== -1 && close < end;
      // `GET / ` has its second space at 5: the request that all rates are measured with.
      if (head[0] === 0x47 && head[5] === 0x20) answer(socket);
      else begin(socket, { head: head.toString("latin1", 0, end), come: head.length - end - 4 });
    },
    drain: pour,
  },
});

console.log(listener.port);

function answer(socket: Bun.Socket<Turn>): void {
  if (socket.data.close) socket.end(smallAndClose);
  else socket.write(small);
}

/** `GET /bytes/<n>` gets n bytes; a request with Content-Length is read to its end first. */
function begin(socket: Bun.Socket<Turn>, { head, come }: { head: string; come: number }): void {
  const turn = socket.data;
  const asked = /^GET \/bytes\/(\d+) /.exec(head);
  if (asked !== null) {
    turn.owed = Number(asked[1]);
    const fields = ["HTTP/1.1 200 OK", `Content-Length: ${turn.owed}`];
    if (turn.close) fields.push("Connection: close");
    socket.write(`${fields.join("\r\n")}\r\n\r\n`);
    pour(socket);
    return;
  }
  const length = /\r\ncontent-length: *(\d+)/i.exec(head);
  if (length === null) {
    socket.end(refusal);
    return;
  }
  turn.awaited = Number(length[1]) - come;
  if (turn.awaited <= 0) answer(socket);
}

function pour(socket: Bun.Socket<Turn>): void {
  const turn = socket.data;
  while (turn.owed > 0) {
    const wanted = Math.min(zeros.length, turn.owed);
    const taken = Math.max(0, socket.write(zeros, 0, wanted));
    turn.owed -= taken;
    if (taken < wanted) return;
    if (turn.owed === 0 && turn.close) socket.end();
  }
}
