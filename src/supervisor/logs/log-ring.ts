/** A service's newest lines in memory, in the very bytes that its file has: numbered, bounded, read from any place. */

export type OutputStream = "stdout" | "stderr";

export type LogLine = {
  /** Counts up by one. Those of before this daemon are below 0. */
  number: number;
  /** Milliseconds since the Unix epoch. */
  time: number;
  stream: OutputStream;
  text: string;
};

/** Part of a page, to be written to the file. Its bytes do not change any more. */
export type Written = Uint8Array;

const mostLines = 10_000;
/** The limit of one service: ten thousand lines of 400 bytes, so that two hundred services fit into a machine. */
const mostBytes = 4 * 1024 * 1024;

const pageSize = 16 * 1024;

/** Length of "2026-01-31T23:59:59.999Z". */
const timeLength = 24;
/** And a space, the stream and a space. */
const prefixLength = timeLength + " stdout ".length;

const newline = 10;

/** A line with its prefix and end must fit. */
type Page = { bytes: Uint8Array; length: number; lines: number };

export class LogRing {
  #pages: Page[] = [];
  /** The number of the first line of the first page. */
  #first = 0;
  #lines = 0;
  #bytes = 0;
  #time = Number.NaN;
  #prefixes: Record<OutputStream, Uint8Array> = { stdout: empty, stderr: empty };

  /** The number that the next line will have. */
  get next(): number {
    return this.#first + this.#lines;
  }

  /** The number of the oldest line. */
  get first(): number {
    return this.#first;
  }

  /** Bytes that it holds. */
  get size(): number {
    return this.#bytes;
  }

  /** `text` has no LF and is UTF-8. What is given back is the line as the file has it. */
  append(text: Uint8Array, { time, stream }: { time: number; stream: OutputStream }): Written {
    if (time !== this.#time) this.#setTime(time);
    const prefix = this.#prefixes[stream];
    const needed = prefix.length + text.length + 1;
    const last = this.#pages.at(-1);
    const page =
      last !== undefined && last.length + needed <= last.bytes.length ? last : this.#grow(needed);
    const start = page.length;
    page.bytes.set(prefix, start);
    page.bytes.set(text, start + prefix.length);
    page.bytes[start + needed - 1] = newline;
    page.length += needed;
    page.lines += 1;
    this.#lines += 1;
    return page.bytes.subarray(start, page.length);
  }

  /** Lines of before, as the end of a file has them; what is not a whole line of ours is passed over. */
  prepend(bytes: Uint8Array): void {
    const pages: Page[] = [];
    let lines = 0;
    let from = 0;
    for (let end = bytes.indexOf(newline); end !== -1; end = bytes.indexOf(newline, from)) {
      const line = bytes.subarray(from, end + 1);
      from = end + 1;
      if (readLine(line.subarray(0, -1), 0) === undefined) continue;
      let page = pages.at(-1);
      if (page === undefined || page.length + line.length > page.bytes.length) {
        page = newPage(line.length);
        pages.push(page);
      }
      page.bytes.set(line, page.length);
      page.length += line.length;
      page.lines += 1;
      lines += 1;
    }
    this.#pages.unshift(...pages);
    this.#first -= lines;
    this.#lines += lines;
    for (const page of pages) this.#bytes += page.bytes.length;
    this.#shrink();
  }

  /** From `number` on, at most so many, the oldest first. Those that are gone are left out. */
  read(number: number, most: number): LogLine[] {
    const lines: LogLine[] = [];
    let first = this.#first;
    for (const page of this.#pages) {
      const behind = first + page.lines;
      if (behind > number) readPage(page, { first, from: number, most, lines });
      if (lines.length >= most) break;
      first = behind;
    }
    return lines;
  }

  #setTime(time: number): void {
    const text = new Date(time).toISOString();
    this.#time = time;
    this.#prefixes = {
      stdout: Buffer.from(`${text} stdout `),
      stderr: Buffer.from(`${text} stderr `),
    };
  }

  #grow(needed: number): Page {
    const page = newPage(needed);
    this.#pages.push(page);
    this.#bytes += page.bytes.length;
    this.#shrink();
    return page;
  }

  /** The last page stays, whatever it holds. */
  #shrink(): void {
    let gone = 0;
    while (gone < this.#pages.length - 1) {
      const page = this.#pages[gone]!;
      if (this.#lines - page.lines < mostLines && this.#bytes <= mostBytes) break;
      this.#lines -= page.lines;
      this.#first += page.lines;
      this.#bytes -= page.bytes.length;
      gone += 1;
    }
    if (gone > 0) this.#pages.splice(0, gone);
  }
}

const empty = new Uint8Array(0);

function newPage(needed: number): Page {
  return { bytes: new Uint8Array(Math.max(pageSize, needed)), length: 0, lines: 0 };
}

type PageRead = { first: number; from: number; most: number; lines: LogLine[] };

function readPage(page: Page, { first, from, most, lines }: PageRead): void {
  let at = 0;
  for (let number = first; number < first + page.lines && lines.length < most; number++) {
    const end = page.bytes.indexOf(newline, at);
    if (number >= from) {
      const line = readLine(page.bytes.subarray(at, end), number);
      if (line !== undefined) lines.push(line);
    }
    at = end + 1;
  }
}

const decoder = new TextDecoder();
const shape = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z) (stdout|stderr) $/;

function readLine(bytes: Uint8Array, number: number): LogLine | undefined {
  const [, written, stream] = shape.exec(decoder.decode(bytes.subarray(0, prefixLength))) ?? [];
  if (written === undefined) return undefined;
  const time = Date.parse(written);
  const text = decoder.decode(bytes.subarray(prefixLength));
  return { number, time, stream: stream as OutputStream, text };
}
