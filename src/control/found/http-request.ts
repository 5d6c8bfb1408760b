/** A request to an address of this machine -> a small, complete answer within a deadline. No redirects, no proxies. */
import type { Clock } from "../../system/clock.ts";

export type HttpAnswer =
  | { kind: "answer"; status: number; body: string }
  /** The connection was refused or closed, or, with `late`, nothing came back in time. */
  | { kind: "silent"; why: string; late: boolean }
  /** Bytes came back that are no answer to this request. */
  | { kind: "strange"; why: string };

export type HttpRequest = {
  address: string;
  port: number;
  method: "GET" | "POST";
  path: string;
  /** Fields besides Host, Content-Length and Connection. */
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

/** Never rejects. Unlike `fetch`, this ignores proxies in the environment, which must not see the request. */
export async function httpRequest(request: HttpRequest): Promise<HttpAnswer> {
  const { address, port, deadline, clock } = request;
  const outcome = Promise.withResolvers<HttpAnswer>();
  const silent = (why: string, late = false): void =>
    outcome.resolve({ kind: "silent", why, late });
  const bytes = encode(request);
  let sent = 0;
  let received = "";
  let over = false;
  let socket: Bun.Socket | undefined;
  const cancel = clock.after(deadline, () => {
    // An incomplete answer is not the daemon's: that comes in one piece.
    silent(`${socket === undefined ? "no connection" : "no answer"} within ${deadline} ms`, true);
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

/** Undefined while the answer is incomplete. `received`: one character per octet. */
function parseAnswer(received: string, ended: boolean): HttpAnswer | undefined {
  const strange = (why: string): HttpAnswer => ({ kind: "strange", why });
  if (received === "") {
    return ended ? { kind: "silent", why: "closed without an answer", late: false } : undefined;
  }
  const start = "HTTP/1.1 ";
  if (!received.startsWith(start.slice(0, received.length))) return strange("it speaks no HTTP");
  if (received.length > longestAnswer) return strange("its answer has no end");
  const end = received.indexOf("\r\n\r\n");
  if (end === -1) return ended ? strange("it breaks off within its answer") : undefined;
  const head = received.slice(0, end);
  const [, status] = /^HTTP\/1\.1 (\d{3})(?: [^\r\n]*)?(?:\r\n|$)/.exec(head) ?? [];
  if (status === undefined) return strange("it speaks no HTTP");
  // The daemon's answers always have a Content-Length.
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
