/**
 * A plain port into the same conversation by TLS, or by HTTP/2's extended CONNECT (RFC 8441): programs that speak
 * plain WebSockets reach a proxy either way.
 */
import { createHash } from "node:crypto";
import { createServer, connect as connectTcp, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import { FrameType } from "../../src/wire/h2/frame.ts";
import { connectH2, type Field, type Frame, type H2Client } from "./h2/client.ts";
import type { Target } from "./suite.ts";

type Front = Pick<Target, "securePort" | "host">;

export type Bridge = { readonly port: number; stop(): void };

/** RFC 6455 section 1.3. */
const magic = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
const largestWindow = 2 ** 31 - 1;
const firstWindow = 65_535;
/** Milliseconds. */
const patience = 5_000;

export function tlsBridge(target: Front): Promise<Bridge> {
  return listening((client) => {
    const server = connectTls({
      socket: connectTcp({ host: "127.0.0.1", port: target.securePort }),
      servername: target.host,
      rejectUnauthorized: false,
      ALPNProtocols: ["http/1.1"],
    });
    // Either end may break off: the other then ends as well.
    server.on("error", () => client.destroy());
    client.on("error", () => server.destroy());
    server.on("close", () => client.destroy());
    client.pipe(server).pipe(client);
  });
}

export function h2Bridge(target: Front): Promise<Bridge> {
  return listening((client) => {
    client.on("error", () => client.destroy());
    void serve(client, target).catch(() => client.destroy());
  });
}

function listening(accept: (client: Socket) => void): Promise<Bridge> {
  const server = createServer({ allowHalfOpen: true }, (client) => {
    client.setNoDelay(true);
    accept(client);
  });
  return new Promise((resolve) => {
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address() as { port: number };
      resolve({ port, stop: () => server.close() });
    });
  });
}

/** One WebSocket: its handshake written as an extended CONNECT, then its bytes as DATA. */
async function serve(client: Socket, target: Front): Promise<void> {
  const { fields, path, rest } = await handshakeOf(client);
  const session = await connectH2(target.securePort, target.host);
  session.greet([[4, largestWindow]]);
  session.frame(FrameType.windowUpdate, { payload: uint32(largestWindow - firstWindow) });
  await session.next(({ type, flags }) => type === FrameType.settings && flags === 0, patience);
  const key = fields.find(([name]) => name === "sec-websocket-key")?.[1] ?? "";
  const answered = session.next(({ type }) => type === FrameType.headers, patience);
  session.headers(1, extendedConnect(fields, { path, host: target.host }), { end: false });
  const answer = await answered;
  if (answer === undefined || !answer.fields.some((line) => /^:status: *200$/.test(line))) {
    client.end(`HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n`);
    session.close();
    return;
  }
  client.write(switched(answer, key));
  relay(client, session, rest);
}

/** The peer's SETTINGS_ENABLE_CONNECT_PROTOCOL: RFC 8441 section 3. */
export async function offersWebSockets(target: Front): Promise<boolean> {
  const session = await connectH2(target.securePort, target.host);
  session.greet();
  await session.next(({ type, flags }) => type === FrameType.settings && flags === 0, patience);
  session.close();
  return session.settings.get(8) === 1;
}

function extendedConnect(
  fields: readonly Field[],
  { path, host }: { path: string; host: string },
): Field[] {
  const dropped = ["host", "connection", "upgrade", "sec-websocket-key"];
  return [
    [":method", "CONNECT"],
    [":protocol", "websocket"],
    [":scheme", "https"],
    [":path", path],
    [":authority", host],
    ...fields.filter(([name]) => !dropped.includes(name)),
  ];
}

function switched(answer: Frame, key: string): string {
  const accept = createHash("sha1")
    .update(key + magic)
    .digest("base64");
  const own = answer.fields.filter((line) => /^sec-websocket-(?:protocol|extensions):/.test(line));
  const lines = ["HTTP/1.1 101 Switching Protocols", "Upgrade: websocket", "Connection: Upgrade"];
  return `${[...lines, `Sec-WebSocket-Accept: ${accept}`, ...own].join("\r\n")}\r\n\r\n`;
}

/** Bytes both ways; what the windows do not let through waits. */
function relay(client: Socket, session: H2Client, rest: Buffer): void {
  const waiting: Buffer[] = [rest];
  let ended = false;
  const flush = (): void => {
    for (;;) {
      const first = waiting[0];
      if (first === undefined) break;
      const room = Math.min(session.window, session.windows.get(1) ?? 0, 16_384);
      if (first.length > 0 && room <= 0) return;
      const piece = first.subarray(0, room);
      if (piece.length > 0) session.data(1, piece);
      session.window -= piece.length;
      session.windows.set(1, (session.windows.get(1) ?? 0) - piece.length);
      if (piece.length === first.length) waiting.shift();
      else waiting[0] = first.subarray(piece.length);
    }
    if (ended) session.data(1, "", { end: true });
  };
  session.onFrame = ({ type, flags, stream, payload }) => {
    if (type === FrameType.data && stream === 1) {
      if (payload.length > 0) client.write(payload);
      if ((flags & 1) > 0) client.end();
    } else if (type === FrameType.resetStream && stream === 1) client.destroy();
    else if (type === FrameType.windowUpdate || type === FrameType.settings) flush();
  };
  client.on("data", (bytes: Buffer) => {
    waiting.push(bytes);
    flush();
  });
  client.on("end", () => {
    ended = true;
    flush();
  });
  client.on("close", () => session.close());
  void session.gone(600_000).then(() => client.destroy());
  flush();
}

async function handshakeOf(
  client: Socket,
): Promise<{ fields: Field[]; path: string; rest: Buffer }> {
  let all = Buffer.alloc(0);
  const { promise, resolve } = Promise.withResolvers<void>();
  const listen = (bytes: Buffer): void => {
    all = Buffer.concat([all, bytes]);
    if (all.includes("\r\n\r\n")) resolve();
  };
  client.on("data", listen);
  await promise;
  client.off("data", listen);
  const end = all.indexOf("\r\n\r\n");
  const [line = "", ...lines] = all.toString("latin1", 0, end).split("\r\n");
  const fields = lines.map((text): Field => {
    const colon = text.indexOf(":");
    return [text.slice(0, colon).toLowerCase(), text.slice(colon + 1).trim()];
  });
  return { fields, path: line.split(" ")[1] ?? "/", rest: all.subarray(end + 4) };
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}
