/** The socket of a container engine -> the bytes of its answers, each with a limit of size and time. Reads only. */
import type { Cancel, Clock } from "../system/clock.ts";

export type Answer =
  /** The text of a 200. `server`: the field of that name, such as `Docker/28.2.2 (linux)`. */
  | { kind: "answer"; text: string; server: string | undefined }
  /** `code` is the system's error code. */
  | { kind: "failed"; why: string; code: string | undefined }
  /** No whole answer in time. */
  | { kind: "late"; why: string };

export type GetOptions = {
  clock: Clock;
  /** Milliseconds until the whole answer has to be there. */
  deadline: number;
  signal?: AbortSignal;
};

/** Without the filter, Podman leaves out those that are paused. */
export const listPath = `/containers/json?filters=${encodeURIComponent('{"status":["running","paused"]}')}`;

/** Two thousand containers with a kilobyte of labels each are 4 MB. */
export const mostBytes = 16 * 1024 * 1024;

/** Never rejects. */
export async function getFrom(
  socket: string,
  { path, clock, deadline, signal }: GetOptions & { path: string },
): Promise<Answer> {
  const abort = new AbortController();
  let late = false;
  const cancel = clock.after(deadline, () => {
    late = true;
    abort.abort();
  });
  const given = () => abort.abort();
  signal?.addEventListener("abort", given, { once: true });
  if (signal?.aborted) abort.abort();
  try {
    const response = await fetch(`http://engine${path}`, requestOf(socket, abort.signal));
    const server = response.headers.get("server")?.slice(0, 100);
    const text = await bounded(response);
    if (text === undefined) {
      return {
        kind: "failed",
        code: undefined,
        why: `it answered with more than ${mostBytes} bytes`,
      };
    }
    if (response.status === 200) return { kind: "answer", text, server };
    return { kind: "failed", code: undefined, why: `it answered ${path} with ${response.status}` };
  } catch (error) {
    if (late) return { kind: "late", why: `it has not answered within ${deadline / 1000} s` };
    const { code, message } = error as NodeJS.ErrnoException;
    return { kind: "failed", code, why: wordsOf(code, message) };
  } finally {
    cancel();
    signal?.removeEventListener("abort", given);
    // Whatever has not been read is not wanted.
    abort.abort();
  }
}

export type EventsOptions = {
  /** The connection stands, and what happens from now on is told. */
  onOpen(): void;
  /** Bytes of news, which are only lent. */
  onBytes(bytes: Uint8Array): void;
  /** No more events come. Called once, and not after a cancel. */
  onEnd(why: string): void;
};

/** Follows what happens to containers. Cancelling twice is harmless. */
export function followEvents(socket: string, { onOpen, onBytes, onEnd }: EventsOptions): Cancel {
  const abort = new AbortController();
  const follow = async (): Promise<string> => {
    const filters = encodeURIComponent('{"type":["container"]}');
    // Without `timeout: false`, five quiet minutes end an answer of Bun's fetch.
    const request = { ...requestOf(socket, abort.signal), timeout: false };
    const response = await fetch(`http://engine/events?filters=${filters}`, request);
    if (response.status !== 200) return `it answered /events with ${response.status}`;
    onOpen();
    const reader = response.body?.getReader();
    for (let its = await reader?.read(); its?.done === false; its = await reader?.read()) {
      onBytes(its.value);
      // Bytes that wait are given without a turn between: a flood must not keep everything else from its own.
      await new Promise((resolve) => setImmediate(resolve));
    }
    return "its events have ended";
  };
  follow()
    .catch(({ code, message }: NodeJS.ErrnoException) => wordsOf(code, message))
    .then((why) => {
      const cancelled = abort.signal.aborted;
      abort.abort();
      if (!cancelled) onEnd(why);
    });
  return () => abort.abort();
}

/** `redirect`: no engine sends us elsewhere. `decompress`: a kilobyte could be a gigabyte. */
function requestOf(unix: string, signal: AbortSignal) {
  return { unix, signal, redirect: "manual", keepalive: false, decompress: false } as const;
}

/** Undefined: there is more than we read. */
export async function bounded(response: Response): Promise<string | undefined> {
  const reader = response.body?.getReader();
  const parts: Uint8Array[] = [];
  let size = 0;
  for (let its = await reader?.read(); its?.done === false; its = await reader?.read()) {
    size += its.value.length;
    if (size > mostBytes) return undefined;
    parts.push(its.value);
  }
  return Buffer.concat(parts).toString();
}

function wordsOf(code: string | undefined, message: string): string {
  if (code === "EACCES" || code === "EPERM") return "we may not open its socket";
  if (code === "ECONNREFUSED") return "nothing listens on its socket";
  if (code === "ENOENT") return "its socket is gone";
  return `it cannot be asked (${code ?? message.slice(0, 100)})`;
}
