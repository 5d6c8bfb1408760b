/** Bytes into the HTTP/1.1 messages that they are, by RFC 9112's letter. Knows nothing of `src`, and never guesses. */

type Field = readonly [name: string, value: string];

type Parts = {
  /** A request has them. */
  method?: string;
  target?: string;
  /** An answer has them. */
  status?: number;
  reason?: string;
  fields: readonly Field[];
  framing: "none" | "length" | "chunked" | "close";
  /** Content without its chunk framing, one character an octet. */
  body: string;
  trailers: readonly Field[];
  /** The message as it stood. */
  raw: string;
};

/** A request, whose status is 0, or an answer, whose method and target are empty. */
export class Message {
  readonly method: string;
  readonly target: string;
  readonly status: number;
  readonly reason: string;
  readonly fields: readonly Field[];
  readonly framing: Parts["framing"];
  readonly body: string;
  readonly trailers: readonly Field[];
  readonly raw: string;

  constructor({ method = "", target = "", status = 0, reason = "", ...parts }: Parts) {
    this.method = method;
    this.target = target;
    this.status = status;
    this.reason = reason;
    this.fields = parts.fields;
    this.framing = parts.framing;
    this.body = parts.body;
    this.trailers = parts.trailers;
    this.raw = parts.raw;
  }

  /** Request line or status line. */
  get start(): string {
    return this.raw.slice(0, this.raw.indexOf("\r\n"));
  }

  /** Field lines as they stood, without line ends. */
  get lines(): string[] {
    return this.raw.slice(0, this.raw.indexOf("\r\n\r\n")).split("\r\n").slice(1);
  }

  /** Trailer lines as they stood. */
  get trailerLines(): string[] {
    if (this.trailers.length === 0) return [];
    return this.raw.slice(0, -4).split("\r\n").slice(-this.trailers.length);
  }

  /** Values of the fields with this name, in order. */
  all(name: string): string[] {
    return valuesOf(this.fields, name);
  }

  /** The only value; undefined: there is none. @throws where there are several. */
  one(name: string): string | undefined {
    const values = this.all(name);
    if (values.length > 1) throw new Malformed(`${name} is there ${values.length} times`);
    return values[0];
  }
}

export type StrictReading = {
  /** Complete ones, in order. */
  messages: Message[];
  /** The well-formed beginning of a message behind them; empty where there is none. */
  rest: string;
  /** Why what stands behind them is not well-formed. */
  fault: string | undefined;
};

export type MessageContext = {
  /** An answer to HEAD. */
  head?: boolean;
  /** The connection is over. */
  ended?: boolean;
  /** From a server behind a tunnel, which may answer in its own way; the proxy itself never does. */
  http10?: boolean;
};

const token = "[!#$%&'*+.^_`|~0-9A-Za-z-]+";
// RFC 9110 section 5.5: field-vchar, and SP and HTAB between them.
const fieldLine = new RegExp(
  `^(${token}):[ \\t]*((?:[\\x21-\\x7e\\x80-\\xff](?:[\\t\\x20-\\x7e\\x80-\\xff]*[\\x21-\\x7e\\x80-\\xff])?)?)[ \\t]*$`,
);
// A percent sign alone too: browsers leave it as it is (WHATWG URL section 4.4).
const pchar = "[A-Za-z0-9._~!$&'()*+,;=:@%-]";
// RFC 3986, and the brackets that every browser leaves in a query.
const originForm = new RegExp(`^/(?:${pchar}|[/\\[\\]])*(?:\\?(?:${pchar}|[/?\\[\\]])*)?$`);
const requestLine = new RegExp(`^(${token}) (\\S+) HTTP/1\\.1$`);
const statusLine = /^HTTP\/1\.([01]) ([1-9]\d\d) ([\t\x20-\x7e\x80-\xff]*)$/;
// RFC 9112 section 7.1.1, BWS included.
const chunkLine = new RegExp(
  `^([0-9A-Fa-f]+)((?:[ \\t]*;[ \\t]*${token}(?:[ \\t]*=[ \\t]*(?:${token}|"(?:[\\t\\x20\\x21\\x23-\\x5b\\x5d-\\x7e\\x80-\\xff]|\\\\[\\t\\x20-\\x7e\\x80-\\xff])*"))?)*)$`,
);

/** The bytes are no HTTP message. */
export class Malformed extends Error {}

/** All requests in `text`, which an upstream received. */
export function readRequests(text: string): StrictReading {
  return readAll(text, readRequest);
}

/**
 * All answers in `text`, which a client received. `methods` are its requests, in order; `ended`: the connection is
 * over.
 */
export function readAnswers(
  text: string,
  { methods, ended }: { methods: readonly string[]; ended: boolean },
): StrictReading {
  let next = 0;
  const contextOf = (status: number): MessageContext => ({
    head: methods[status >= 200 ? next++ : next] === "HEAD",
    ended,
  });
  return readAll(text, (all, at) => readAnswer(all, at, contextOf));
}

/** The first message in `bytes`; undefined: more has to come. @throws `Malformed`. */
export function readMessage(bytes: Buffer, context: MessageContext = {}): Message | undefined {
  const headEnd = bytes.indexOf("\r\n\r\n");
  if (headEnd === -1) return undefined;
  const text = bytes.toString("latin1");
  return text.startsWith("HTTP/") ? readAnswer(text, 0, () => context) : readRequest(text, 0);
}

function readAll(
  text: string,
  read: (text: string, at: number) => Message | undefined,
): StrictReading {
  const messages: Message[] = [];
  let at = 0;
  try {
    while (at < text.length) {
      const message = read(text, at);
      if (message === undefined) break;
      messages.push(message);
      at += message.raw.length;
    }
  } catch (error) {
    if (!(error instanceof Malformed)) throw error;
    return { messages, rest: text.slice(at), fault: error.message };
  }
  return { messages, rest: text.slice(at), fault: undefined };
}

type Head = {
  start: string;
  fields: [string, string][];
  /** Behind the empty line. */
  end: number;
};

/** @returns undefined where the head is not complete; what there is of it is checked all the same. */
function readHead(text: string, at: number): Head | undefined {
  const end = text.indexOf("\r\n\r\n", at);
  const lines = text.slice(at, end === -1 ? undefined : end).split("\r\n");
  // The last line of a head that is not complete may be anything's beginning.
  const whole = end === -1 ? lines.slice(0, -1) : lines;
  for (const line of lines) {
    const control = /[\x00-\x08\x0a-\x1f\x7f]/.exec(line.replace(/\r$/, ""));
    if (control !== null) throw new Malformed(`a control character in ${JSON.stringify(line)}`);
  }
  const fields = whole.slice(1).map((line): [string, string] => {
    const match = fieldLine.exec(line);
    if (match === null) throw new Malformed(`no field line: ${JSON.stringify(line)}`);
    return [match[1]!, match[2]!];
  });
  if (end === -1) return undefined;
  return { start: lines[0]!, fields, end: end + 4 };
}

function readRequest(text: string, at: number): Message | undefined {
  const head = readHead(text, at);
  if (head === undefined) return undefined;
  const match = requestLine.exec(head.start);
  if (match === null) throw new Malformed(`no request line: ${JSON.stringify(head.start)}`);
  const [, method = "", target = ""] = match;
  if (!(originForm.test(target) || (target === "*" && method === "OPTIONS"))) {
    throw new Malformed(`no target for a server: ${JSON.stringify(target)}`);
  }
  const hosts = valuesOf(head.fields, "host");
  if (hosts.length !== 1) throw new Malformed(`${hosts.length} Hosts`);
  if (!/^(?:[A-Za-z0-9._~!$&'()*+,;=-]+|\[[0-9A-Fa-f:.]+\])(?::\d*)?$/.test(hosts[0]!)) {
    throw new Malformed(`no host in Host: ${JSON.stringify(hosts[0])}`);
  }
  const body = readBody(text, head, { bodiless: false, close: false, ended: false });
  if (body === undefined) return undefined;
  return message(text, at, { ...body, method, target, fields: head.fields });
}

function readAnswer(
  text: string,
  at: number,
  contextOf: (status: number) => MessageContext,
): Message | undefined {
  const head = readHead(text, at);
  if (head === undefined) return undefined;
  const match = statusLine.exec(head.start);
  if (match === null) throw new Malformed(`no status line: ${JSON.stringify(head.start)}`);
  const status = Number(match[2]);
  const context = contextOf(status);
  if (match[1] === "0" && context.http10 !== true) throw new Malformed("an answer in HTTP/1.0");
  const bodiless = status < 200 || status === 204 || status === 304 || context.head === true;
  if (status < 200 || status === 204) {
    for (const name of ["content-length", "transfer-encoding"]) {
      if (valuesOf(head.fields, name).length > 0) throw new Malformed(`${name} in a ${status}`);
    }
  }
  const body = readBody(text, head, { bodiless, close: true, ended: context.ended === true });
  if (body === undefined) return undefined;
  return message(text, at, { ...body, status, reason: match[3]!, fields: head.fields });
}

type Body = Pick<Parts, "framing" | "body" | "trailers"> & { end: number };

function readBody(
  text: string,
  { fields, end }: Head,
  { bodiless, close, ended }: { bodiless: boolean; close: boolean; ended: boolean },
): Body | undefined {
  const codings = valuesOf(fields, "transfer-encoding");
  const lengths = valuesOf(fields, "content-length");
  for (const [name] of fields) {
    if (/^(?:content[-_]length|transfer[-_]encoding)$/i.test(name) && name.includes("_")) {
      throw new Malformed(`an underscore twin: ${name}`);
    }
  }
  if (codings.length + lengths.length > 1) throw new Malformed("more than one framing field");
  if (codings.length === 1 && !/^chunked$/i.test(codings[0]!)) {
    throw new Malformed(`an unknown coding: ${codings[0]}`);
  }
  if (lengths.length === 1 && !/^\d+$/.test(lengths[0]!)) {
    throw new Malformed(`no length: ${JSON.stringify(lengths[0])}`);
  }
  if (bodiless) return { framing: "none", body: "", trailers: [], end };
  if (codings.length === 1) return readChunks(text, end);
  if (lengths.length === 1) {
    const stop = end + Number(lengths[0]);
    if (stop > text.length) return undefined;
    return { framing: "length", body: text.slice(end, stop), trailers: [], end: stop };
  }
  if (!close) return { framing: "none", body: "", trailers: [], end };
  if (!ended) return undefined;
  return { framing: "close", body: text.slice(end), trailers: [], end: text.length };
}

function readChunks(text: string, from: number): Body | undefined {
  let body = "";
  let at = from;
  for (;;) {
    const lineEnd = text.indexOf("\r\n", at);
    if (lineEnd === -1) return undefined;
    const match = chunkLine.exec(text.slice(at, lineEnd));
    if (match === null)
      throw new Malformed(`no chunk size: ${JSON.stringify(text.slice(at, lineEnd).slice(0, 80))}`);
    const size = Number.parseInt(match[1]!, 16);
    at = lineEnd + 2;
    if (size === 0) break;
    const chunk = text.slice(at, at + size);
    const behind = text.slice(at + size, at + size + 2);
    if (!"\r\n".startsWith(behind)) throw new Malformed("no CRLF behind a chunk");
    if (behind !== "\r\n") return undefined;
    body += chunk;
    at += size + 2;
  }
  const trailers: [string, string][] = [];
  for (;;) {
    const lineEnd = text.indexOf("\r\n", at);
    if (lineEnd === -1) return undefined;
    const line = text.slice(at, lineEnd);
    at = lineEnd + 2;
    if (line === "") return { framing: "chunked", body, trailers, end: at };
    const match = fieldLine.exec(line);
    if (match === null) throw new Malformed(`no trailer field: ${JSON.stringify(line)}`);
    if (
      /^(?:content[-_]length|transfer[-_]encoding|host|connection|trailer|te)$/i.test(match[1]!)
    ) {
      throw new Malformed(`a trailer that comes too late: ${match[1]}`);
    }
    trailers.push([match[1]!, match[2]!]);
  }
}

function message(text: string, at: number, { end, ...parts }: Body & Omit<Parts, "raw">): Message {
  return new Message({ ...parts, raw: text.slice(at, end) });
}

/** The values of the fields with this name, in order. */
export function valuesOf(
  fields: readonly (readonly [name: string, value: string])[],
  name: string,
): string[] {
  return fields
    .filter(([candidate]) => candidate.toLowerCase() === name.toLowerCase())
    .map(([, value]) => value);
}
