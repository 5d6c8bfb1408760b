/** Bytes into the HTTP/1.1 messages that they are, by RFC 9112's letter: what is not well-formed is refused, never guessed at. Knows nothing of `src`. */

export type StrictMessage = {
  /** Of a request. */
  method: string;
  target: string;
  /** Of an answer. */
  status: number;
  reason: string;
  fields: readonly (readonly [name: string, value: string])[];
  framing: "none" | "length" | "chunked" | "close";
  /** Content without its chunk framing, one character an octet. */
  body: string;
  trailers: readonly (readonly [name: string, value: string])[];
  /** The message as it stood. */
  raw: string;
};

export type StrictReading = {
  /** Complete ones, in order. */
  messages: StrictMessage[];
  /** What stands behind them and is well-formed so far; empty: nothing. */
  rest: string;
  /** Why what stands behind them is not well-formed. */
  fault: string | undefined;
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
const statusLine = /^HTTP\/1\.1 ([1-9]\d\d) ([\t\x20-\x7e\x80-\xff]*)$/;
// RFC 9112 section 7.1.1, BWS included.
const chunkLine = new RegExp(
  `^([0-9A-Fa-f]+)((?:[ \\t]*;[ \\t]*${token}(?:[ \\t]*=[ \\t]*(?:${token}|"(?:[\\t\\x20\\x21\\x23-\\x5b\\x5d-\\x7e\\x80-\\xff]|\\\\[\\t\\x20-\\x7e\\x80-\\xff])*"))?)*)$`,
);

class Wrong extends Error {}

/** All requests in `text`, which an upstream received. */
export function readRequests(text: string): StrictReading {
  return readAll(text, () => undefined, true);
}

/** All answers in `text`, which a client received. `methods` are its requests, in order; `ended`: the connection is over. */
export function readAnswers(
  text: string,
  { methods, ended }: { methods: readonly string[]; ended: boolean },
): StrictReading {
  let next = 0;
  return readAll(
    text,
    (status) => ({ head: methods[status >= 200 ? next++ : next] === "HEAD", ended }),
    false,
  );
}

type AnswerContext = { head: boolean; ended: boolean };

function readAll(
  text: string,
  contextOf: (status: number) => AnswerContext | undefined,
  requests: boolean,
): StrictReading {
  const messages: StrictMessage[] = [];
  let at = 0;
  try {
    while (at < text.length) {
      const message = requests ? readRequest(text, at) : readAnswer(text, at, contextOf);
      if (message === undefined) break;
      messages.push(message);
      at += message.raw.length;
    }
  } catch (error) {
    if (!(error instanceof Wrong)) throw error;
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
    if (control !== null) throw new Wrong(`a control character in ${JSON.stringify(line)}`);
  }
  const fields = whole.slice(1).map((line): [string, string] => {
    const match = fieldLine.exec(line);
    if (match === null) throw new Wrong(`no field line: ${JSON.stringify(line)}`);
    return [match[1]!, match[2]!];
  });
  if (end === -1) return undefined;
  return { start: lines[0]!, fields, end: end + 4 };
}

function readRequest(text: string, at: number): StrictMessage | undefined {
  const head = readHead(text, at);
  if (head === undefined) return undefined;
  const match = requestLine.exec(head.start);
  if (match === null) throw new Wrong(`no request line: ${JSON.stringify(head.start)}`);
  const [, method = "", target = ""] = match;
  if (!(originForm.test(target) || (target === "*" && method === "OPTIONS"))) {
    throw new Wrong(`no target for a server: ${JSON.stringify(target)}`);
  }
  const hosts = valuesOf(head.fields, "host");
  if (hosts.length !== 1) throw new Wrong(`${hosts.length} Hosts`);
  if (!/^(?:[A-Za-z0-9._~!$&'()*+,;=-]+|\[[0-9A-Fa-f:.]+\])(?::\d*)?$/.test(hosts[0]!)) {
    throw new Wrong(`no host in Host: ${JSON.stringify(hosts[0])}`);
  }
  const body = readBody(text, head, { bodiless: false, close: false, ended: false });
  if (body === undefined) return undefined;
  return message(text, at, { ...body, method, target, fields: head.fields });
}

function readAnswer(
  text: string,
  at: number,
  contextOf: (status: number) => AnswerContext | undefined,
): StrictMessage | undefined {
  const head = readHead(text, at);
  if (head === undefined) return undefined;
  const match = statusLine.exec(head.start);
  if (match === null) throw new Wrong(`no status line: ${JSON.stringify(head.start)}`);
  const status = Number(match[1]);
  const context = contextOf(status);
  const bodiless = status < 200 || status === 204 || status === 304 || context?.head === true;
  if (status < 200 || status === 204) {
    for (const name of ["content-length", "transfer-encoding"]) {
      if (valuesOf(head.fields, name).length > 0) throw new Wrong(`${name} in a ${status}`);
    }
  }
  const body = readBody(text, head, { bodiless, close: true, ended: context?.ended === true });
  if (body === undefined) return undefined;
  return message(text, at, { ...body, status, reason: match[2]!, fields: head.fields });
}

type Body = Pick<StrictMessage, "framing" | "body" | "trailers"> & { end: number };

function readBody(
  text: string,
  { fields, end }: Head,
  { bodiless, close, ended }: { bodiless: boolean; close: boolean; ended: boolean },
): Body | undefined {
  const codings = valuesOf(fields, "transfer-encoding");
  const lengths = valuesOf(fields, "content-length");
  for (const [name] of fields) {
    if (/^(?:content[-_]length|transfer[-_]encoding)$/i.test(name) && name.includes("_")) {
      throw new Wrong(`an underscore twin: ${name}`);
    }
  }
  if (codings.length + lengths.length > 1) throw new Wrong("more than one framing field");
  if (codings.length === 1 && !/^chunked$/i.test(codings[0]!)) {
    throw new Wrong(`an unknown coding: ${codings[0]}`);
  }
  if (lengths.length === 1 && !/^\d+$/.test(lengths[0]!)) {
    throw new Wrong(`no length: ${JSON.stringify(lengths[0])}`);
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
      throw new Wrong(`no chunk size: ${JSON.stringify(text.slice(at, lineEnd).slice(0, 80))}`);
    const size = Number.parseInt(match[1]!, 16);
    at = lineEnd + 2;
    if (size === 0) break;
    const chunk = text.slice(at, at + size);
    const behind = text.slice(at + size, at + size + 2);
    if (!"\r\n".startsWith(behind)) throw new Wrong("no CRLF behind a chunk");
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
    if (match === null) throw new Wrong(`no trailer field: ${JSON.stringify(line)}`);
    if (
      /^(?:content[-_]length|transfer[-_]encoding|host|connection|trailer|te)$/i.test(match[1]!)
    ) {
      throw new Wrong(`a trailer that comes too late: ${match[1]}`);
    }
    trailers.push([match[1]!, match[2]!]);
  }
}

function message(
  text: string,
  at: number,
  { end, ...parts }: Body & Partial<StrictMessage> & Pick<StrictMessage, "fields">,
): StrictMessage {
  return { method: "", target: "", status: 0, reason: "", raw: text.slice(at, end), ...parts };
}

/** The values of the fields with this name, in order. */
export function valuesOf(
  fields: readonly (readonly [name: string, value: string])[],
  name: string,
): string[] {
  return fields.filter(([candidate]) => candidate.toLowerCase() === name).map(([, value]) => value);
}
