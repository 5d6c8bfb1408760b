/** The bytes that a service prints, in whatever pieces -> its lines, as a terminal shows them once they end. */
import { type ScreenOptions, type Size, TerminalScreen } from "./terminal-screen.ts";

export type { Size } from "./terminal-screen.ts";

/** Bytes of a line; what is beyond is counted and thrown away. */
export const longestLine = 64 * 1024;

/** `dropped`: bytes beyond `longestLine`. `bytes` are the callee's only until it returns. */
export type TakeLine = (bytes: Uint8Array, dropped: number) => void;

export type LinesOptions = Partial<ScreenOptions> & {
  /** Undefined: a stream without columns. */
  size?: Size | undefined;
};

const newline = 10;
const carriageReturn = 13;
const backspace = 8;
const escapeByte = 0x1b;
/** First byte of the characters from U+0080 to U+00BF, of which some are controls. */
const latin = 0xc2;

const nothing = new Uint8Array(0);

/** xterm's sequence by which a full-screen program begins. */
const alternateScreen = "\u001b[?1049h";

/**
 * A line ends with LF; a CR right before it is how a terminal ends lines. Text and colours are taken as they are, in
 * bytes. From the first control on that moves the cursor, a screen says what its rows show, until it is at rest.
 */
export class LogLines {
  readonly #screen: TerminalScreen;
  #onScreen = false;
  /** The unfinished line, which moves no cursor; undefined while there is none. */
  #held: Uint8Array | undefined;
  #length = 0;
  #dropped = 0;
  /** The end of the last piece, if what comes next decides what it is: CRs, the begin of an escape or of a control. */
  #tail: Uint8Array = nothing;
  /** Lines since the screen was at rest. */
  #ended = 0;
  /** A line has ended with what is being taken in. */
  #some = false;

  constructor({ size, now = () => 0, recall = () => undefined }: LinesOptions = {}) {
    this.#screen = new TerminalScreen({ now, recall });
    this.#screen.size = size;
  }

  set size(size: Size | undefined) {
    this.#screen.size = size;
  }

  /** A full-screen program is shown, whose output is no lines. */
  get isFull(): boolean {
    return this.#screen.isFull;
  }

  /** The line that has not ended, as it stands; undefined: there is none. */
  get open(): string | undefined {
    if (this.#onScreen) return this.#screen.open;
    if (this.#held === undefined || this.#length === 0) return undefined;
    return decoder.decode(this.#held.subarray(0, this.#length));
  }

  /** Time alone changes nothing: no line is unfinished, and none was written again. */
  get isIdle(): boolean {
    return !this.#onScreen && this.#length === 0;
  }

  /** @returns whether a line has ended. */
  push(bytes: Uint8Array, take: TakeLine): boolean {
    this.#some = false;
    let given = bytes;
    if (this.#tail.length > 0) {
      given = Buffer.concat([this.#tail, bytes]);
      this.#tail = nothing;
    }
    let from = this.#onScreen ? this.#toScreen(given, take) : 0;
    const special = new Specials(given);
    for (let end = given.indexOf(newline, from); end !== -1; end = given.indexOf(newline, from)) {
      const piece = withoutEnd(given.subarray(from, end));
      if (special.movesIn(from, end) || piece.includes(carriageReturn)) {
        from += this.#toScreen(given.subarray(from), take);
        continue;
      }
      from = end + 1;
      this.#ended += 1;
      this.#some = true;
      if (this.#held === undefined) takeWhole(piece, take);
      else {
        this.#append(piece);
        this.#release(take);
      }
    }
    if (from < given.length) this.#hold(given.subarray(from), take);
    return this.#some;
  }

  /** Takes lines that were written again and stand. @returns milliseconds until the next one may. */
  settle(take: TakeLine): number | undefined {
    if (!this.#onScreen) return undefined;
    return this.#screen.settle(textTo(take));
  }

  /**
   * Ends it here, for another to go on with the bytes that are returned: rows above the cursor's become lines, and its
   * own does not.
   */
  leave(take: TakeLine): Uint8Array {
    if (!this.#onScreen) {
      const held = this.#held?.subarray(0, this.#length) ?? nothing;
      const rest = Buffer.concat([held, this.#tail]);
      this.#forget();
      this.#tail = nothing;
      this.#ended = 0;
      return rest;
    }
    const { isFull, open = "" } = this.#screen;
    const rows: [bytes: Uint8Array, dropped: number][] = [];
    this.flush((bytes, dropped) => void rows.push([bytes.slice(), dropped]));
    const rest = Buffer.from(open);
    const last = rows.at(-1);
    if (open !== "" && last !== undefined && rest.equals(last[0])) rows.pop();
    for (const [bytes, dropped] of rows) take(bytes, dropped);
    return isFull ? Buffer.from(alternateScreen) : rest;
  }

  /** Ends the output: an unfinished rest becomes a line. */
  flush(take: TakeLine): void {
    if (this.#onScreen) this.#screen.flush(textTo(take));
    else {
      const tail = this.#tail;
      this.#tail = nothing;
      // Half a character is shown; half an escape is not.
      if (tail[0] === latin) this.#append(tail);
      if (this.#length > 0) this.#release(take);
      this.#screen.flush(() => {});
    }
    this.#onScreen = false;
    this.#tail = nothing;
    this.#ended = 0;
    this.#forget();
  }

  #hold(rest: Uint8Array, take: TakeLine): void {
    const tail = unsettled(rest);
    const body = rest.subarray(0, rest.length - tail);
    if (new Specials(body).movesIn(0, body.length) || body.includes(carriageReturn)) {
      this.#toScreen(rest, take);
      return;
    }
    this.#append(body);
    if (tail > 0) this.#tail = rest.slice(rest.length - tail);
  }

  /** @returns how much of it was taken: the rest moves no cursor so far. */
  #toScreen(bytes: Uint8Array, take: TakeLine): number {
    const tell = textTo((line, dropped) => {
      this.#some = true;
      take(line, dropped);
    });
    if (!this.#onScreen) {
      this.#onScreen = true;
      this.#screen.begin(this.#ended);
      this.#ended = 0;
      if (this.#held !== undefined) this.#screen.push(this.#held.subarray(0, this.#length), tell);
      this.#forget();
    }
    const taken = this.#screen.push(bytes, tell);
    if (bytes[taken - 1] === newline && this.#screen.isAtRest) this.#onScreen = false;
    return taken;
  }

  #append(body: Uint8Array): void {
    const taken = Math.min(body.length, longestLine - this.#length);
    const needed = this.#length + taken;
    if (this.#held === undefined || this.#held.length < needed) {
      const grown = new Uint8Array(Math.min(longestLine, Math.max(256, needed * 2)));
      if (this.#held !== undefined) grown.set(this.#held.subarray(0, this.#length));
      this.#held = grown;
    }
    this.#held.set(body.subarray(0, taken), this.#length);
    this.#length = needed;
    this.#dropped += body.length - taken;
  }

  #release(take: TakeLine): void {
    const line = this.#held!.subarray(0, this.#length);
    const dropped = this.#dropped;
    this.#forget();
    takeCut(line, { dropped, take });
  }

  #forget(): void {
    this.#held = undefined;
    this.#length = this.#dropped = 0;
  }
}

const decoder = new TextDecoder();

/** Controls that a line may not have in order to be taken as it is: all but SGR, and BS. In Latin-1, as bytes are. */
const moving = /\u0008|\u001b(?!\[[\d:;]*m)|\u00c2[\u0080-\u009f]/g;

class Specials {
  #text: string | undefined;
  /** The first that was found. */
  #at: number;

  constructor(bytes: Uint8Array) {
    this.#at = -1;
    const some = bytes.includes(escapeByte) || bytes.includes(backspace) || bytes.includes(latin);
    if (!some) this.#at = Number.POSITIVE_INFINITY;
    // A search in text costs a tenth of one byte by byte.
    else this.#text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("latin1");
  }

  movesIn(from: number, to: number): boolean {
    if (this.#at < from) {
      moving.lastIndex = from;
      this.#at = moving.exec(this.#text!)?.index ?? Number.POSITIVE_INFINITY;
    }
    return this.#at < to;
  }
}

/** Bytes of an SGR sequence; a longer one is none. */
const longestColour = 64;

/** How many bytes at the end may be the begin of something that moves no cursor. */
function unsettled(bytes: Uint8Array): number {
  const { length } = bytes;
  let at = length;
  while (at > 0 && bytes[at - 1] === carriageReturn) at--;
  if (at < length) return length - at;
  if (bytes[length - 1] === latin) return 1;
  const begun = bytes.lastIndexOf(escapeByte);
  if (begun === -1 || length - begun > longestColour) return 0;
  if (begun === length - 1) return 1;
  if (bytes[begun + 1] !== 0x5b) return 0;
  for (let next = begun + 2; next < length; next++) {
    if (bytes[next]! < 0x30 || bytes[next]! > 0x3b) return 0;
  }
  return length - begun;
}

function textTo(take: TakeLine): (text: string, dropped: number) => void {
  return (text, dropped) => {
    const bytes = Buffer.from(text);
    if (bytes.length <= longestLine) takeCut(bytes, { dropped, take });
    else {
      const beyond = bytes.length - longestLine + dropped;
      takeCut(bytes.subarray(0, longestLine), { dropped: beyond, take });
    }
  };
}

function withoutEnd(piece: Uint8Array): Uint8Array {
  let end = piece.length;
  while (end > 0 && piece[end - 1] === carriageReturn) end--;
  return end === piece.length ? piece : piece.subarray(0, end);
}

function takeWhole(line: Uint8Array, take: TakeLine): void {
  if (line.length <= longestLine) take(line, 0);
  else takeCut(line.subarray(0, longestLine), { dropped: line.length - longestLine, take });
}

/** Not in the middle of a character. */
function takeCut(line: Uint8Array, { dropped, take }: { dropped: number; take: TakeLine }): void {
  let end = line.length;
  if (dropped > 0) {
    // RFC 3629 section 3: at most three bytes follow the first of a character, each 10xxxxxx.
    let first = end - 1;
    while (first > end - 4 && (line[first]! & 0xc0) === 0x80) first--;
    if (line[first]! >= 0xc0) end = first;
  }
  take(line.subarray(0, end), dropped + line.length - end);
}
