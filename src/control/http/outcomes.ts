/** The outcome of a request -> an answer of the API: a value or an error as JSON, with the usual fields. Pure. */
import { apiError } from "../commands/command.ts";
import type { ErrorCode } from "../found/protocol.ts";
import type { Headers, WholeAnswer } from "./answer.ts";

/** Bytes of a body. */
export const longestBody = 1024 * 1024;

/** Fields of every answer. The page replaces the Content-Security-Policy. */
export const securityHeaders: Headers = {
  "Cache-Control": "no-store",
  "Content-Security-Policy":
    "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  "Cross-Origin-Opener-Policy": "same-origin",
  "Cross-Origin-Resource-Policy": "same-origin",
  "Referrer-Policy": "no-referrer",
  "X-Content-Type-Options": "nosniff",
  "X-Frame-Options": "DENY",
};

const json: Headers = { "Content-Type": "application/json" };

export const statusOfCode: Readonly<Record<ErrorCode, number>> = {
  bad_json: 400,
  bad_request: 400,
  forbidden: 403,
  not_found: 404,
  unknown_command: 404,
  too_long: 413,
  unsupported: 501,
  timeout: 504,
  internal: 500,
};

/** An answer that needs no body first. */
export type Whole = { kind: "answer"; answer: WholeAnswer };

type WholeOptions = { headers: Headers; body: string };

export function whole(status: number, { headers, body }: WholeOptions): Whole {
  return { kind: "answer", answer: { status, headers, body } };
}

export function value(result: unknown, headers: Headers): Whole {
  const all = { ...securityHeaders, ...json, ...headers };
  return whole(200, { headers: all, body: `${JSON.stringify(result ?? null)}\n` });
}

type Failure = { code: string; message: string; headers: Headers };

export function failure(status: number, { code, message, headers }: Failure): Whole {
  const all = { ...securityHeaders, ...json, ...headers };
  return whole(status, {
    headers: all,
    body: `${JSON.stringify({ error: apiError(code, message) })}\n`,
  });
}

export function tooLong(headers: Headers): WholeAnswer {
  const message = `a body has at most ${longestBody} bytes, and a GET none`;
  return failure(413, { code: "too_long", message, headers }).answer;
}

export function wrongMethod(allow: string, headers: Headers): Whole {
  const message = `this route allows ${allow} only`;
  return failure(405, {
    code: "method_not_allowed",
    message,
    headers: { ...headers, Allow: allow },
  });
}
