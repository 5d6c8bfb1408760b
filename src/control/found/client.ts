/** A command, and the daemon's socket or URL -> the reply, whole or piece by piece. */
import type { ErrorCode, Registration } from "./protocol.ts";

/** The pieces of the reply, in order; they end with the connection. */
export type Conversation = AsyncGenerator<string, void, undefined>;

export type Place = { unix: string } | { hostname: string; port: number };

export type TalkOptions = {
  /** Sent as soon as the connection is established. */
  send: string;
  /** Milliseconds until the first piece; undefined: no limit. */
  deadline?: number;
};

/** Thrown where somebody accepts and says nothing in time. */
export class Silent extends Error {}

/** Thrown where there is no connection: nobody listens there, or the system has no such place. */
export class Unreached extends Error {}

/** Whether somebody accepts connections there. Nothing is sent. Never rejects. */
export async function accepts(place: Place, { deadline }: { deadline: number }): Promise<boolean> {
  const outcome = Promise.withResolvers<boolean>();
  // Connections that nobody takes pile up in the kernel: somebody listens, and does not come to it.
  const timer = setTimeout(() => outcome.resolve(true), deadline);
  Bun.connect({
    ...place,
    socket: {
      open(socket: Bun.Socket<undefined>) {
        socket.terminate();
        outcome.resolve(true);
      },
      data() {},
    },
  } as Bun.UnixSocketOptions<undefined>).catch(() => {
    // Nobody listens, or the path is none that a socket could have.
    outcome.resolve(false);
  });
  const accepted = await outcome.promise;
  clearTimeout(timer);
  return accepted;
}

/** Pieces of text as they come. @throws an Error with a sentence if nothing listens, or nothing comes in time. */
export async function* talk(place: Place, { send, deadline }: TalkOptions): Conversation {
  const pieces: string[] = [];
  const decoder = new TextDecoder();
  let failure: Error | undefined;
  let over = false;
  let wake = (): void => {};
  let unsent: Uint8Array = Buffer.from(send);
  const flush = (to: Bun.Socket): void => {
    unsent = unsent.subarray(Math.max(0, to.write(unsent)));
  };
  const end = (error?: Error): void => {
    failure ??= error;
    over = true;
    wake();
  };
  const timer =
    deadline === undefined
      ? undefined
      : setTimeout(() => end(new Silent(`no answer within ${deadline} ms`)), deadline);
  const handlers: Bun.SocketHandler = {
    open: flush,
    drain: flush,
    data(_, bytes) {
      clearTimeout(timer);
      pieces.push(decoder.decode(bytes, { stream: true }));
      wake();
    },
    end: () => end(),
    close: () => end(),
    error: (_, error) => end(error),
    connectError: (_, error) => end(unreached(error)),
  };
  let socket: Bun.Socket | undefined;
  const connecting = Bun.connect({
    ...place,
    socket: handlers,
  } as Bun.UnixSocketOptions<undefined>);
  connecting.then(
    (opened) => {
      socket = opened as unknown as Bun.Socket;
      // The caller has given up meanwhile.
      if (over) socket.terminate();
    },
    (error: Error) => end(unreached(error)),
  );
  try {
    for (;;) {
      const piece = pieces.shift();
      if (piece !== undefined) yield piece;
      else if (failure !== undefined) throw failure;
      else if (over) return;
      else {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    }
  } finally {
    over = true;
    clearTimeout(timer);
    socket?.terminate();
  }
}

function unreached(cause: Error & { code?: string }): Unreached {
  return Object.assign(new Unreached(cause.message, { cause }), { code: cause.code });
}

/** Pieces of text -> lines, without their ends. */
export async function* linesOf(pieces: AsyncIterable<string>): Conversation {
  let rest = "";
  for await (const piece of pieces) {
    const lines = (rest + piece).split("\n");
    rest = lines.pop() ?? "";
    yield* lines;
  }
  if (rest !== "") yield rest;
}

/** The lines of the reply: one, or as many as a stream has. @throws as `talk` does */
export function follow(
  socket: string,
  request: unknown,
  options: { deadline?: number } = {},
): Conversation {
  return linesOf(talk({ unix: socket }, { send: `${JSON.stringify(request)}\n`, ...options }));
}

/** `code`: what the daemon calls the error, or why there is no answer. */
export type Asked<T> =
  | { kind: "reply"; value: T }
  /** `by`: nobody listens there; somebody accepts and says nothing; an answer that is a refusal or none of ours. */
  | {
      kind: "failed";
      why: string;
      code: ErrorCode | "no_answer";
      by: "nobody" | "silence" | "answer";
    };

/** One reply. Never rejects. `value` is trusted: only we can put a socket at that path. */
export async function ask<T>(
  socket: string,
  request: unknown,
  { deadline }: { deadline: number },
): Promise<Asked<T>> {
  try {
    for await (const line of follow(socket, request, { deadline })) {
      const value = JSON.parse(line) as { error?: { code?: ErrorCode; message?: string } };
      if (value?.error !== undefined) {
        const { code = "internal", message } = value.error;
        return { kind: "failed", why: String(message), code, by: "answer" };
      }
      return { kind: "reply", value: value as T };
    }
    const why = "it closed without an answer";
    return { kind: "failed", why, code: "no_answer", by: "answer" };
  } catch (error) {
    const failed = { kind: "failed", code: "no_answer" } as const;
    if (error instanceof Unreached) {
      const why = `the daemon's socket is not there (${socket}); see: localhostess server status`;
      return { ...failed, why, by: "nobody" };
    }
    const by = error instanceof Silent ? "silence" : "answer";
    return { ...failed, why: (error as Error).message, by };
  }
}

/** Whether an answer is from the launch in the record, with a protocol that we understand. */
export function isFrom(
  facts: Pick<Registration, "id" | "protocol"> | undefined,
  record: Pick<Registration, "id" | "protocol">,
): boolean {
  return facts?.id === record.id && facts.protocol === record.protocol;
}
