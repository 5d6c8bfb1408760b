/** Bytes into one HTTP/1.1 message, read strictly and independently of `src`. */

export type Message = {
  /** Request line or status line. */
  start: string;
  /** Of an answer. */
  status: number;
  /** Field lines as they stood, without line ends. */
  lines: readonly string[];
  /** Content, without chunk framing. */
  body: Buffer;
  /** Trailer lines. */
  trailers: readonly string[];
  /** All of it, as it stood. */
  raw: Buffer;
  length: number;
  /** Values of the fields with this name, in order. */
  all(name: string): readonly string[];
  /** The only value; undefined: there is none. @throws where there are several. */
  one(name: string): string | undefined;
};

export type MessageContext = {
  /** An answer to HEAD. */
  head?: boolean;
  ended?: boolean;
};

/** The bytes are no HTTP message. */
export class Malformed extends Error {}

/** @returns undefined where more has to come. @throws where it is no well-formed message. */
export function readMessage(bytes: Buffer, { head = false, ended = false }: MessageContext = {}) {
  const headEnd = bytes.indexOf("\r\n\r\n");
  if (headEnd === -1) return undefined;
  const [start = "", ...lines] = bytes.toString("latin1", 0, headEnd).split("\r\n");
  for (const line of lines) {
    if (!/^[!#$%&'*+.^_`|~\w-]+:[\t\x20-\x7e\x80-\xff]*$/.test(line)) {
      throw new Malformed(`malformed field line ${JSON.stringify(line)}`);
    }
  }
  const all = (name: string): string[] =>
    lines
      .filter((line) => line.slice(0, line.indexOf(":")).toLowerCase() === name.toLowerCase())
      .map((line) => line.slice(line.indexOf(":") + 1).trim());
  const one = (name: string): string | undefined => {
    const values = all(name);
    if (values.length > 1) throw new Malformed(`${name} is there ${values.length} times`);
    return values[0];
  };
  const isAnswer = /^HTTP\/1\.[01] \d{3} /.test(start);
  if (!isAnswer && !/^\S+ \S+ HTTP\/1\.[01]$/.test(start)) {
    throw new Malformed(`malformed first line ${JSON.stringify(start)}`);
  }
  const status = isAnswer ? Number(start.slice(9, 12)) : 0;
  const bodyStart = headEnd + 4;
  const done = (body: Buffer, length: number, trailers: readonly string[] = []): Message => ({
    start,
    status,
    lines,
    body,
    trailers,
    raw: bytes.subarray(0, length),
    length,
    all,
    one,
  });
  const bodiless = isAnswer && (head || status < 200 || status === 204 || status === 304);
  if (bodiless) return done(Buffer.alloc(0), bodyStart);
  const coding = one("transfer-encoding");
  const size = one("content-length");
  if (coding !== undefined) {
    if (coding.toLowerCase() !== "chunked" || size !== undefined)
      throw new Malformed("ambiguous framing");
    const chunks = readChunks(bytes, bodyStart);
    return chunks && done(chunks.body, chunks.end, chunks.trailers);
  }
  if (size !== undefined || !isAnswer) {
    const end = bodyStart + Number(size ?? 0);
    return bytes.length < end ? undefined : done(bytes.subarray(bodyStart, end), end);
  }
  return ended ? done(bytes.subarray(bodyStart), bytes.length) : undefined;
}

function readChunks(bytes: Buffer, from: number) {
  const pieces: Buffer[] = [];
  let at = from;
  for (;;) {
    const lineEnd = bytes.indexOf("\r\n", at);
    if (lineEnd === -1) return undefined;
    const line = bytes.toString("latin1", at, lineEnd);
    const digits = /^[0-9a-fA-F]+/.exec(line)?.[0];
    if (digits === undefined) throw new Malformed(`malformed chunk size ${JSON.stringify(line)}`);
    const size = Number.parseInt(digits, 16);
    at = lineEnd + 2;
    if (size === 0) break;
    if (bytes.length < at + size + 2) return undefined;
    pieces.push(bytes.subarray(at, at + size));
    at += size;
    if (bytes.toString("latin1", at, at + 2) !== "\r\n") throw new Malformed("a chunk is too long");
    at += 2;
  }
  const trailers: string[] = [];
  for (;;) {
    const lineEnd = bytes.indexOf("\r\n", at);
    if (lineEnd === -1) return undefined;
    const line = bytes.toString("latin1", at, lineEnd);
    at = lineEnd + 2;
    if (line === "") return { body: Buffer.concat(pieces), end: at, trailers };
    trailers.push(line);
  }
}
