/** What a case of the request corpus is: the bytes of one request, and what has to become of them. */

/** The service that the cases mean stands under this name; nothing else does. */
export const service = "api";
export const host = "Host: api.localhost";

export type Forwarded = {
  kind: "forwarded";
  /** The request line that the upstream gets. */
  line: string;
  /** Field lines that it gets. */
  has: readonly string[];
  /** Names, in lower case, that it does not get. */
  lacks: readonly string[];
  framing: "none" | "length" | "chunked";
  body: string;
  /** Trailer lines that it gets, all of them. */
  trailers: readonly string[];
  /** The client asked for no more, so what stands behind it is no request. */
  last: boolean;
};

export type Verdict =
  /** Answered with this status and closed; no complete message reaches an upstream. */
  | { kind: "refused"; status: number }
  /** Closed without an answer. */
  | { kind: "closed" }
  /** Answered by the proxy itself, which then goes on. */
  | { kind: "answered"; status: number }
  | Forwarded;

export type RequestCase = {
  name: string;
  /** One character an octet. */
  bytes: string;
  verdict: Verdict;
  /** The section that says so. */
  source: string;
};

export const refused = (status = 400): Verdict => ({ kind: "refused", status });
export const closed: Verdict = { kind: "closed" };
export const answered = (status: number): Verdict => ({ kind: "answered", status });

export function forwarded(line: string, facts: Partial<Forwarded> = {}): Forwarded {
  return {
    kind: "forwarded",
    line: `${line} HTTP/1.1`,
    has: [host],
    lacks: [],
    framing: "none",
    body: "",
    trailers: [],
    last: false,
    ...facts,
  };
}

/** Lines into a head. */
export function head(...lines: readonly string[]): string {
  return `${lines.join("\r\n")}\r\n\r\n`;
}

/** A GET with these fields behind Host. */
export function get(...fields: readonly string[]): string {
  return head("GET /x HTTP/1.1", host, ...fields);
}

/** A POST with these fields and this body. */
export function post(fields: readonly string[], body: string): string {
  return head("POST /x HTTP/1.1", host, ...fields) + body;
}

/** A POST in chunks. */
export function chunked(body: string): string {
  return post(["Transfer-Encoding: chunked"], body);
}

/** `[name, bytes, verdict]` rows of one section into cases. */
export function cases(
  source: string,
  rows: readonly (readonly [name: string, bytes: string, verdict: Verdict])[],
): RequestCase[] {
  return rows.map(([name, bytes, verdict]) => ({ name, bytes, verdict, source }));
}

/** What the cases' names begin with. */
export function named(prefix: string, list: readonly RequestCase[]): RequestCase[] {
  return list.map((item) => ({ ...item, name: `${prefix}: ${item.name}` }));
}
