/** An address and a port, or a path -> whether it takes a connection, and what it answers to one GET. */
import { isSocketPath } from "../../text/place.ts";

export type Answer =
  | {
      kind: "answer";
      status: number;
      /** The reason phrase of the status line. */
      reason: string;
      /** The Server field; undefined where there is none. */
      server: string | undefined;
      /** The body of our own answers, as far as it came; of others nothing is read. */
      text?: string;
    }
  | { kind: "failed"; why: string };

export type AskOptions = {
  /** A host, or the absolute path of a unix socket. */
  address: string;
  port: number;
  /** Milliseconds for the connection and the answer. */
  deadline: number;
  /** A whole request; undefined: only connect. */
  request?: string;
  /** Use TLS with this server name, and accept any certificate. */
  serverName?: string | undefined;
  /** With TLS: connect through a tunnel to this host and port, as a browser with a proxy does (CONNECT). */
  tunnel?: string | undefined;
};

/** Bytes. RFC 9110 has no limit; a larger head is not one that a person would look at. */
const longestHead = 64 * 1024;

/** Error codes of the system, in words for a person. */
const words: Record<string, string> = {
  ECONNREFUSED: "connection refused",
  ETIMEDOUT: "no answer",
  EHOSTUNREACH: "no route there",
  ENETUNREACH: "no network there",
  EADDRNOTAVAIL: "this machine has no such address",
  ENOENT: "there is no such socket",
  EACCES: "its permissions, or those of its folder, let us not connect",
  ENOTFOUND: "no address is known for that host",
};

function reasonOf(error: unknown): string {
  const code = (error as { code?: unknown } | undefined)?.code;
  return typeof code === "string" ? (words[code] ?? code) : "it failed";
}

/** The reason where a server accepts the connection and does not answer. `deadline` in milliseconds. */
export function noAnswer(deadline: number): string {
  return `no answer within ${deadline} ms`;
}

/** `connected` where there is no request to send. Never rejects. */
export async function ask(options: AskOptions): Promise<Answer | { kind: "connected" }> {
  const { address, port, deadline, request, serverName, tunnel } = options;
  const outcome = Promise.withResolvers<Answer | { kind: "connected" }>();
  const fail = (why: string) => outcome.resolve({ kind: "failed", why });
  let head = "";
  let socket: Bun.Socket | undefined;
  let over = false;
  /** One of our own, of which more is to come. */
  let ours: Answer | undefined;
  const timer = setTimeout(() => {
    if (ours !== undefined) outcome.resolve(ours);
    else fail(socket === undefined ? `no connection within ${deadline} ms` : noAnswer(deadline));
  }, deadline);
  // Latin-1 keeps every octet: a head is ASCII, and other octets stay as they are.
  const decoder = new TextDecoder("latin1");
  const connected = (opened: Bun.Socket): void => {
    // The deadline has passed.
    if (over) opened.terminate();
    else if (request === undefined) outcome.resolve({ kind: "connected" });
    else opened.write(request);
  };
  const tls =
    serverName === undefined ? undefined : { tls: { serverName, rejectUnauthorized: false } };
  /** The tunnel has not been granted yet. */
  let outside = tunnel !== undefined;
  /** Calls `act` with a head, once it is whole, and what came behind it. */
  const read = (bytes: Uint8Array, act: (head: string, body: string) => void): void => {
    head += decoder.decode(bytes, { stream: true });
    const end = head.indexOf("\r\n\r\n");
    if (end !== -1) act(head.slice(0, end), head.slice(end + 4));
    else if (head.length > longestHead) fail("its answer does not end its head");
  };
  const answer = (whole: string, body: string): void => {
    const its = readHead(whole);
    if (its.kind === "failed" || its.server !== "localhostess") {
      outcome.resolve(its);
      return;
    }
    ours = { ...its, text: Buffer.from(body, "latin1").toString() };
    const length = Number(whole.match(/\r\ncontent-length:[ \t]*(\d+)/i)?.[1] ?? 0);
    if (body.length >= Math.min(length, longestHead)) outcome.resolve(ours);
  };
  const handlers: Bun.SocketHandler<undefined> = {
    handshake: connected,
    data: (_, bytes) => read(bytes, answer),
    close: () =>
      ours === undefined
        ? fail(head === "" ? "closed without an answer" : "closed within its answer")
        : outcome.resolve(ours),
    error: (_, error) => fail(reasonOf(error)),
    connectError: (_, error) => fail(reasonOf(error)),
  };
  const enter = (opened: Bun.Socket, whole: string, body: string): void => {
    const granted = readHead(whole);
    if (granted.kind === "failed" || granted.status !== 200) {
      answer(whole, body);
      return;
    }
    outside = false;
    head = "";
    opened.upgradeTLS({ ...tls!, socket: handlers });
  };
  Bun.connect<undefined>({
    ...((isSocketPath(address) ? { unix: address } : { hostname: address, port }) as {
      hostname: string;
      port: number;
    }),
    ...(tunnel === undefined ? tls : {}),
    socket: {
      ...handlers,
      open(opened) {
        socket = opened;
        if (tunnel !== undefined) {
          opened.write(`CONNECT ${tunnel} HTTP/1.1\r\nHost: ${tunnel}\r\n\r\n`);
        } else if (serverName === undefined) connected(opened);
      },
      data(opened, bytes) {
        if (tunnel === undefined) handlers.data!(opened, bytes);
        // Later bytes are for the TLS inside the tunnel.
        else if (outside) read(bytes, (whole, body) => enter(opened, whole, body));
      },
    },
  }).catch((error: unknown) => fail(reasonOf(error)));
  try {
    return await outcome.promise;
  } finally {
    over = true;
    clearTimeout(timer);
    socket?.terminate();
  }
}

function readHead(head: string): Answer {
  const [, status, reason = ""] = head.match(/^HTTP\/1\.[01] (\d{3})(?: ([^\r\n]*))?/) ?? [];
  if (status === undefined) return { kind: "failed", why: "its answer is not HTTP" };
  const server = head.match(/\r\nserver:[ \t]*([^\r\n]*)/i)?.[1];
  return { kind: "answer", status: Number(status), reason, server };
}
