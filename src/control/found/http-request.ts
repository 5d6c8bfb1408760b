/** A request to an address of this machine -> a small answer, whole, within a deadline. No redirects, no proxies. */
import type { Clock } from "../../system/clock.ts";

export type HttpAnswer =
  | { kind: "answer"; status: number; body: string }
  /** Nobody takes the connection, or nothing came back. */
  | { kind: "silent"; why: string }
  /** Something came back that is no answer to this. */
  | { kind: "strange"; why: string };

export type HttpRequest = {
  address: string;
  port: number;
  method: "GET" | "POST";
  path: string;
  /** Host, length and end of connection are seen to. */
  fields?: Readonly<Record<string, string>>;
  /** JSON. */
  body?: string;
  /** Milliseconds for all of it. */
  deadline: number;
  clock: Clock;
};

/** Bytes of head and body together. */
const longestAnswer = 64 * 1024;

export function authorityOf({ address, port }: { address: string; port: number }): string {
  return `${address.includes(":") ? `[${address}]` : address}:${port}`;
}

/** Never rejects. The environment's proxies, which `fetch` goes by, must not see this. */
export async function httpRequest(request: HttpRequest): Promise<HttpAnswer> {
  const { address, port, deadline, clock } = request;
  const outcome = Promise.withResolvers<HttpAnswer>();
  const silent = (why: string): void => outcome.resolve({ kind: "silent", why });
  const bytes = encode(request);
  let sent = 0;
  let received = "";
  let over = false;
  let socket: Bun.Socket | undefined;
  const cancel = clock.after(deadline, () => {
    // Half an answer says who it is not: the daemon's comes in one piece.
    silent(`${socket === undefined ? "no connection" : "no answer"} within ${deadline} ms`);
  });
  const send = (to: Bun.Socket): void => {
    if (sent < bytes.length) sent += to.write(bytes.subarray(sent));
  };
  const decoder = new TextDecoder("latin1");
  const look = (ended: boolean): void => {
    const answer = parseAnswer(received, ended);
    if (answer !== undefined) outcome.resolve(answer);
  };
  Bun.connect({
    hostname: address,
    port,
    socket: {
      open(opened) {
        if (over) {
          opened.terminate();
          return;
        }
        socket = opened;
        send(opened);
      },
      drain: send,
      data(_, chunk) {
        received += decoder.decode(chunk, { stream: true });
        look(false);
      },
      close: () => look(true),
      error: (_, error) => silent(reasonOf(error)),
      connectError: (_, error) => silent(reasonOf(error)),
    },
  }).catch((error: unknown) => silent(reasonOf(error)));
  try {
    return await outcome.promise;
  } finally {
    over = true;
    cancel();
    socket?.terminate();
  }
}

function encode({ address, port, method, path, fields = {}, body }: HttpRequest): Buffer {
  const content = body === undefined ? undefined : Buffer.from(body);
  const all: Record<string, string> = {
    Host: authorityOf({ address, port }),
    Accept: "application/json",
    Connection: "close",
    ...(content === undefined
      ? {}
      : { "Content-Type": "application/json", "Content-Length": String(content.length) }),
    ...fields,
  };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
  const head = Buffer.from(`${method} ${path} HTTP/1.1\r\n${lines.join("")}\r\n`);
  return content === undefined ? head : Buffer.concat([head, content]);
}

/** Undefined while there may be more of it. `received`: octets as letters. */
function parseAnswer(received: string, ended: boolean): HttpAnswer | undefined {
  const strange = (why: string): HttpAnswer => ({ kind: "strange", why });
  if (received === "") {
    return ended ? { kind: "silent", why: "closed without an answer" } : undefined;
  }
  const start = "HTTP/1.1 ";
  if (!received.startsWith(start.slice(0, received.length))) return strange("it speaks no HTTP");
  if (received.length > longestAnswer) return strange("its answer has no end");
  const end = received.indexOf("\r\n\r\n");
  if (end === -1) return ended ? strange("it breaks off within its answer") : undefined;
  const head = received.slice(0, end);
  const [, status] = /^HTTP\/1\.1 (\d{3})(?: [^\r\n]*)?(?:\r\n|$)/.exec(head) ?? [];
  if (status === undefined) return strange("it speaks no HTTP");
  // What the daemon sends always has its length.
  const digits = /\r\ncontent-length:[ \t]*(\d{1,6})[ \t]*(?:\r\n|$)/i.exec(head)?.[1];
  if (digits === undefined) return strange("its answer has no length");
  const body = received.slice(end + 4);
  const length = Number(digits);
  if (end + 4 + length > longestAnswer) return strange("its answer is too long");
  if (body.length < length) {
    return ended ? strange("it breaks off within its answer") : undefined;
  }
  const text = Buffer.from(body.slice(0, length), "latin1").toString("utf8");
  return { kind: "answer", status: Number(status), body: text };
}

/** For a person: what the system says, in words. */
const words: Record<string, string> = {
  ECONNREFUSED: "nothing listens there",
  ECONNRESET: "it closed the connection",
  ETIMEDOUT: "no answer",
  EADDRNOTAVAIL: "this machine has no such address",
};

function reasonOf(error: unknown): string {
  const code = (error as { code?: unknown } | undefined)?.code;
  return typeof code === "string" ? (words[code] ?? code) : "it failed";
}
