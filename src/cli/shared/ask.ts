/** An address and a port -> whether it takes a connection, and what it answers to one GET. */

export type Answer =
  | {
      kind: "answer";
      status: number;
      /** Of the status line. */
      reason: string;
      /** The Server field; undefined where there is none. */
      server: string | undefined;
    }
  | { kind: "failed"; why: string };

export type AskOptions = {
  address: string;
  port: number;
  /** Milliseconds for all of it. */
  deadline: number;
  /** A whole request; undefined: only connect. */
  request?: string;
  /** By TLS, under this name, whoever's certificate it is. */
  serverName?: string | undefined;
  /** With TLS: through a tunnel to this host and port, as a browser goes that has a proxy. RFC 9110 section 9.3.6. */
  tunnel?: string | undefined;
};

/** RFC 9110 has no limit; a head that is larger than this was not made for a person to look at. */
const longestHead = 64 * 1024;

/** For a person: what the system says, in words. */
const words: Record<string, string> = {
  ECONNREFUSED: "connection refused",
  ETIMEDOUT: "no answer",
  EHOSTUNREACH: "no route there",
  ENETUNREACH: "no network there",
  EADDRNOTAVAIL: "this machine has no such address",
};

function reasonOf(error: unknown): string {
  const code = (error as { code?: unknown } | undefined)?.code;
  return typeof code === "string" ? (words[code] ?? code) : "it failed";
}

/** Why there is none where a server takes the connection and then is silent. `deadline` in milliseconds. */
export function noAnswer(deadline: number): string {
  return `no answer within ${deadline} ms`;
}

/** `connected` where nothing was asked. Never rejects. */
export async function ask(options: AskOptions): Promise<Answer | { kind: "connected" }> {
  const { address, port, deadline, request, serverName, tunnel } = options;
  const outcome = Promise.withResolvers<Answer | { kind: "connected" }>();
  const fail = (why: string) => outcome.resolve({ kind: "failed", why });
  let head = "";
  let socket: Bun.Socket | undefined;
  let over = false;
  const timer = setTimeout(() => {
    fail(socket === undefined ? `no connection within ${deadline} ms` : noAnswer(deadline));
  }, deadline);
  // Octets as letters: a head is ASCII, and what is not stays what it is.
  const decoder = new TextDecoder("latin1");
  const connected = (opened: Bun.Socket): void => {
    // It came too late for whoever asked.
    if (over) opened.terminate();
    else if (request === undefined) outcome.resolve({ kind: "connected" });
    else opened.write(request);
  };
  const tls =
    serverName === undefined ? undefined : { tls: { serverName, rejectUnauthorized: false } };
  /** The tunnel has not been granted yet. */
  let outside = tunnel !== undefined;
  /** Calls `act` with a head, once it is whole. */
  const read = (bytes: Uint8Array, act: (head: string) => void): void => {
    head += decoder.decode(bytes, { stream: true });
    const end = head.indexOf("\r\n\r\n");
    if (end !== -1) act(head.slice(0, end));
    else if (head.length > longestHead) fail("its answer does not end its head");
  };
  const handlers: Bun.SocketHandler<undefined> = {
    handshake: connected,
    data: (_, bytes) => read(bytes, (whole) => outcome.resolve(readHead(whole))),
    close: () => fail(head === "" ? "closed without an answer" : "closed within its answer"),
    error: (_, error) => fail(reasonOf(error)),
    connectError: (_, error) => fail(reasonOf(error)),
  };
  const enter = (opened: Bun.Socket, answered: Answer): void => {
    if (answered.kind === "failed" || answered.status !== 200) {
      outcome.resolve(answered);
      return;
    }
    outside = false;
    head = "";
    opened.upgradeTLS({ ...tls!, socket: handlers });
  };
  Bun.connect<undefined>({
    hostname: address,
    port,
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
        // What comes here later is what the TLS inside reads.
        else if (outside) read(bytes, (whole) => enter(opened, readHead(whole)));
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
