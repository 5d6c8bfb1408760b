/**
 * A daemon's port -> uploads and WebSockets that go on while it is replaced, and what became of each. Beside those of
 * restart-load.ts, which ask and are answered.
 */
import { connect } from "node:net";

/** A supervised server: it counts what it is sent, and echoes on WebSockets. */
export const uploadServer = `exec bun -e '
  Bun.serve({
    port: Number(process.env.PORT), hostname: "127.0.0.1", maxRequestBodySize: 2 ** 34, idleTimeout: 0,
    async fetch(request, server) {
      if (server.upgrade(request)) return;
      if (request.method === "GET") return new Response("here");
      let bytes = 0;
      for await (const piece of request.body) bytes += piece.length;
      return Response.json({ bytes });
    },
    websocket: { message: (socket, text) => void socket.send(text) },
  });
'`;

export type Uploads = { done: number; failed: string[]; bytes: number; spanned: number };

export type UploadOptions = {
  port: number;
  host: string;
  /** Bytes of each. */
  size: number;
  /** Milliseconds that each takes at least, so that it is under way while a daemon is replaced. */
  least: number;
  /** How many daemons have taken over so far. */
  taken(): number;
};

const piece = Buffer.alloc(1024 * 1024, "localhostess");

/** One after another. */
export function uploads(options: UploadOptions): Uploads & { stop(): Promise<void> } {
  let isOver = false;
  const its: Uploads = { done: 0, failed: [], bytes: 0, spanned: 0 };
  const running = (async () => {
    while (!isOver) {
      const before = options.taken();
      try {
        const got = await uploaded(options);
        if (got !== options.size) throw new Error(`${got} of ${options.size} bytes have come`);
        its.done += 1;
        its.bytes += got;
        its.spanned += options.taken() > before ? 1 : 0;
      } catch (error) {
        its.failed.push((error as Error).message);
      }
    }
  })();
  return Object.assign(its, {
    async stop() {
      isOver = true;
      await running;
    },
  });
}

/** @returns the bytes that the server has got. */
async function uploaded({ port, host, size, least }: UploadOptions): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  const socket = connect(port, "127.0.0.1");
  let text = "";
  socket.on("data", (bytes) => {
    text += bytes.toString("latin1");
    const bytesOf = /\{"bytes":(\d+)\}/.exec(text)?.[1];
    if (bytesOf !== undefined) resolve(Number(bytesOf));
  });
  socket.on("error", reject);
  socket.on("close", () => reject(new Error(`closed after: ${text.slice(0, 200)}`)));
  const since = performance.now();
  socket.write(
    `POST /upload HTTP/1.1\r\nHost: ${host}\r\nContent-Length: ${size}\r\nConnection: close\r\n\r\n`,
  );
  for (let sent = 0; sent < size && !socket.destroyed;) {
    const bytes = piece.subarray(0, Math.min(piece.length, size - sent));
    sent += bytes.length;
    if (!socket.write(bytes)) await drained(socket);
    const ahead = (least * sent) / size - (performance.now() - since);
    if (ahead > 0) await Bun.sleep(ahead);
  }
  try {
    return await promise;
  } finally {
    socket.destroy();
  }
}

function drained(socket: ReturnType<typeof connect>): Promise<void> {
  return new Promise((resolve) => {
    const go = (): void => {
      socket.off("drain", go);
      socket.off("close", go);
      resolve();
    };
    socket.on("drain", go);
    socket.on("close", go);
  });
}

export type Talks = { echoed: number; closed: number; failed: string[] };

/** WebSockets, each of which lives for `life` milliseconds: what each says has to come back, in its order. */
export function talks(options: {
  port: number;
  host: string;
  life: number;
  count: number;
}): Talks & { stop(): Promise<void> } {
  let isOver = false;
  const its: Talks = { echoed: 0, closed: 0, failed: [] };
  const running = Array.from({ length: options.count }, async () => {
    while (!isOver) {
      try {
        its.echoed += await talked(options, () => isOver);
        its.closed += 1;
      } catch (error) {
        its.failed.push((error as Error).message);
      }
    }
  });
  return Object.assign(its, {
    async stop() {
      isOver = true;
      await Promise.all(running);
    },
  });
}

async function talked(
  { port, host, life }: { port: number; host: string; life: number },
  isOver: () => boolean,
): Promise<number> {
  const headers = { Host: host };
  // Bun takes fields of the request here, which its types for browsers do not have.
  const socket = new WebSocket(`ws://127.0.0.1:${port}/`, { headers } as unknown as string[]);
  let hear: (text: string) => void = () => {};
  let fail: (error: Error) => void = () => {};
  const opened = new Promise<void>((resolve, reject) => {
    fail = reject;
    socket.onopen = () => resolve();
  });
  socket.onerror = () => fail(new Error("a WebSocket failed"));
  socket.onclose = ({ code }) => fail(new Error(`a WebSocket was closed: ${code}`));
  socket.onmessage = ({ data }) => hear(String(data));
  await opened;
  const since = performance.now();
  let count = 0;
  while (performance.now() - since < life && !isOver()) {
    const said = `word ${count}`;
    if (socket.readyState !== WebSocket.OPEN) throw new Error("a WebSocket was closed");
    const heard = await new Promise<string>((resolve, reject) => {
      hear = resolve;
      fail = reject;
      socket.send(said);
    });
    if (heard !== said) throw new Error(`${heard} in place of ${said}`);
    count += 1;
    await Bun.sleep(20);
  }
  fail = () => {};
  socket.close();
  return count;
}
