/** The socket of a container engine and a request -> its answer, or the bytes of it as they come. Never rejects. */
import { bounded, mostBytes } from "../engine-api.ts";
import type { Clock } from "../../system/clock.ts";

export type CallRequest = {
  method: "GET" | "POST" | "DELETE" | "PUT" | "HEAD";
  /** With its query. */
  path: string;
  /** Sent as JSON; bytes are sent as a tar, at once or as fast as the engine takes them. */
  body?: object | Uint8Array | AsyncIterable<Uint8Array> | undefined;
  headers?: Readonly<Record<string, string>> | undefined;
};

export type CallOptions = {
  clock: Clock;
  /** Milliseconds until the whole answer has to be there. */
  deadline: number;
  signal?: AbortSignal | undefined;
};

export type Unreached =
  /** No connection, or one that broke off. `why` is a clause about the engine. */
  | { kind: "failed"; why: string }
  /** No whole answer in time. */
  | { kind: "late"; why: string };

export type Called =
  /** A status below 400. `value`: the JSON of it; undefined where it has none. `server`: `Libpod/4.3.1 (linux)`. */
  | { kind: "answer"; status: number; value: unknown; server?: string | undefined }
  /** The engine says no. `why`: its own words. */
  | { kind: "refused"; status: number; why: string }
  | Unreached;

/** Characters of an engine's own words that are shown. */
const shownWhy = 300;

export async function engineCall(
  socket: string,
  { clock, deadline, signal, ...request }: CallRequest & CallOptions,
): Promise<Called> {
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
    const response = await fetch(
      `http://engine${request.path}`,
      fetchOptions(socket, { request, signal: abort.signal }),
    );
    const text = await bounded(response);
    if (text === undefined) {
      return { kind: "failed", why: `it answered with more than ${mostBytes} bytes` };
    }
    const { status } = response;
    if (status >= 400) return { kind: "refused", status, why: refusalIn(text, status) };
    const server = response.headers.get("server")?.slice(0, 100);
    const read = answered(text, { status, path: request.path });
    return read.kind === "answer" ? { ...read, server } : read;
  } catch (error) {
    if (late) return { kind: "late", why: `it has not answered within ${deadline / 1000} s` };
    return { kind: "failed", why: unreachedWhy(error as NodeJS.ErrnoException) };
  } finally {
    cancel();
    signal?.removeEventListener("abort", given);
    // Whatever has not been read is not wanted.
    abort.abort();
  }
}

export type StreamRequest = CallRequest & {
  /** Ends it; then the outcome is `cancelled`. */
  signal: AbortSignal;
  clock: Clock;
  /** Milliseconds until the head of the answer has to be there. */
  deadline: number;
  /** The head of the answer has come. */
  onOpen?(): void;
  /** The next bytes are read when it has resolved. They are only lent until then. */
  onBytes(bytes: Uint8Array): void | Promise<void>;
};

export type Streamed =
  { kind: "ended" } | { kind: "cancelled" } | Exclude<Called, { kind: "answer" }>;

/** Resolves when the answer has ended, however it has. */
export async function engineStream(
  socket: string,
  { signal, clock, deadline, onOpen, onBytes, ...request }: StreamRequest,
): Promise<Streamed> {
  const abort = new AbortController();
  let late = false;
  const given = () => abort.abort();
  signal.addEventListener("abort", given, { once: true });
  if (signal.aborted) abort.abort();
  const cancel = clock.after(deadline, () => {
    late = true;
    abort.abort();
  });
  try {
    // Without `timeout: false`, five quiet minutes end an answer of Bun's fetch.
    const response = await fetch(`http://engine${request.path}`, {
      ...fetchOptions(socket, { request, signal: abort.signal }),
      timeout: false,
    } as RequestInit);
    cancel();
    if (response.status >= 400) {
      const text = (await bounded(response)) ?? "";
      return { kind: "refused", status: response.status, why: refusalIn(text, response.status) };
    }
    onOpen?.();
    const reader = response.body?.getReader();
    for (let its = await reader?.read(); its?.done === false; its = await reader?.read()) {
      await onBytes(its.value);
    }
    return { kind: "ended" };
  } catch (error) {
    if (signal.aborted) return { kind: "cancelled" };
    if (late) return { kind: "late", why: `it has not answered within ${deadline / 1000} s` };
    return { kind: "failed", why: unreachedWhy(error as NodeJS.ErrnoException) };
  } finally {
    cancel();
    signal.removeEventListener("abort", given);
    abort.abort();
  }
}

/** `redirect`: no engine sends us elsewhere. `decompress`: a kilobyte could be a gigabyte. */
function fetchOptions(
  unix: string,
  { request: { method, body, headers }, signal }: { request: CallRequest; signal: AbortSignal },
): RequestInit {
  const isBytes = body instanceof Uint8Array || (body && Symbol.asyncIterator in body);
  const type = isBytes ? "application/x-tar" : "application/json";
  return {
    ...{ unix, method, signal, redirect: "manual", keepalive: false, decompress: false },
    headers: { ...(body === undefined ? {} : { "content-type": type }), ...headers },
    ...(body === undefined ? {} : { body: isBytes ? body : JSON.stringify(body) }),
  } as RequestInit;
}

function answered(
  text: string,
  { status, path }: { status: number; path: string },
): Extract<Called, { kind: "answer" | "failed" }> {
  if (text.trim() === "" || !/^\s*[[{"\dtfn]/.test(text)) {
    return { kind: "answer", status, value: undefined };
  }
  try {
    return { kind: "answer", status, value: JSON.parse(text) };
  } catch {
    // A SyntaxError, or a RangeError where it is nested a million deep.
    if (path === "/_ping") return { kind: "answer", status, value: undefined };
    return { kind: "failed", why: `it answered ${bare(path)} with something that is not JSON` };
  }
}

function refusalIn(text: string, status: number): string {
  try {
    const { message, cause } = JSON.parse(text) as { message?: unknown; cause?: unknown };
    const said = typeof message === "string" && message.trim() !== "" ? message : cause;
    if (typeof said === "string" && said.trim() !== "") return oneLine(said);
  } catch {
    // Not every answer of an engine is JSON: what it is, is shown.
  }
  return text.trim() === "" ? `it answered with status ${status}` : oneLine(text);
}

function oneLine(text: string): string {
  return text
    .replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\s]+/gu, " ")
    .trim()
    .slice(0, shownWhy);
}

function bare(path: string): string {
  return path.replace(/\?.*/, "");
}

export function unreachedWhy({ code, message }: NodeJS.ErrnoException): string {
  if (code === "EACCES" || code === "EPERM") return "we may not open its socket";
  if (code === "ECONNREFUSED") return "nothing listens on its socket";
  if (code === "ENOENT") return "its socket is gone";
  if (code === "ECONNRESET" || code === "ConnectionClosed") return "it closed the connection";
  return `it cannot be asked (${code ?? oneLine(message)})`;
}
