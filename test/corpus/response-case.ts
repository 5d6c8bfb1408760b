/** What a case of the response corpus is: the bytes of one answer, and what its client has to see of it. */

export type ResponseVerdict =
  /** The client gets this answer, whole. */
  | {
      kind: "passed";
      /** Of interim answers too. */
      statuses: readonly number[];
      framing: "none" | "length" | "chunked" | "close";
      body: string;
      has: readonly string[];
      /** Names, in lower case. */
      lacks: readonly string[];
      trailers: readonly string[];
      /** The client's connection ends with it. */
      last: boolean;
      /** Its head or its framing is written anew, so the upstream's connection is not used again. */
      anew: boolean;
    }
  /** The client gets 502, whole, and nothing else. */
  | { kind: "refused" }
  /** The client gets 502, or an answer that breaks off where it can see that it does. */
  | { kind: "unfinished" };

export type ResponseCase = {
  name: string;
  /** The head of the request. */
  request: string;
  /** What the upstream sends. One character an octet. */
  bytes: string;
  /** What it does then. */
  after: "stay" | "end" | "reset";
  /** Bytes too many that come late meet the same client's next request, which nothing can tell them from. */
  strays: boolean;
  verdict: ResponseVerdict;
  source: string;
};

export type Passed = Extract<ResponseVerdict, { kind: "passed" }>;

export const refused: ResponseVerdict = { kind: "refused" };
export const unfinished: ResponseVerdict = { kind: "unfinished" };

export function passed(facts: Partial<Passed> = {}): Passed {
  return {
    kind: "passed",
    statuses: [200],
    framing: "length",
    body: "hello",
    has: [],
    lacks: [],
    trailers: [],
    last: false,
    anew: false,
    ...facts,
  };
}

export function answer(start: string, fields: readonly string[] = [], body = ""): string {
  return `${[start, ...fields].join("\r\n")}\r\n\r\n${body}`;
}

/** Passed, and written anew on the way. */
export function mended(facts: Partial<Passed> = {}): Passed {
  return passed({ anew: true, ...facts });
}

/** 200 with these fields in front of a length, and `hello`. */
export function ok(...fields: readonly string[]): string {
  return answer("HTTP/1.1 200 OK", [...fields, "Content-Length: 5"], "hello");
}

export function chunked(body: string): string {
  return answer("HTTP/1.1 200 OK", ["Transfer-Encoding: chunked"], body);
}

/** `hello` with these framing fields. */
export function framed(...fields: readonly string[]): string {
  return answer("HTTP/1.1 200 OK", fields, "hello");
}

export function inChunks(...fields: readonly string[]): string {
  return answer("HTTP/1.1 200 OK", fields, "5\r\nhello\r\n0\r\n\r\n");
}

export function request(line: string, ...fields: readonly string[]): string {
  return answer(line, ["Host: api.localhost", ...fields]);
}

export const get = request("GET /first HTTP/1.1");
export const headRequest = request("HEAD /first HTTP/1.1");
export const old = request("GET /first HTTP/1.0");
export const oldHead = request("HEAD /first HTTP/1.0");
export const upgrade = request("GET /first HTTP/1.1", "Connection: Upgrade", "Upgrade: websocket");

export type Row = readonly [
  name: string,
  bytes: string,
  verdict: ResponseVerdict,
  more?: { request?: string; after?: ResponseCase["after"]; strays?: true },
];

export function cases(source: string, rows: readonly Row[]): ResponseCase[] {
  return rows.map(([name, bytes, verdict, more]) => ({
    name,
    bytes,
    verdict,
    request: more?.request ?? get,
    after: more?.after ?? "stay",
    strays: more?.strays === true,
    source,
  }));
}

/** What the cases' names begin with. */
export function named(prefix: string, list: readonly ResponseCase[]): ResponseCase[] {
  return list.map((item) => ({ ...item, name: `${prefix}: ${item.name}` }));
}
