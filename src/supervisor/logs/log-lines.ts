/** The bytes that a service prints, in whatever pieces -> its lines, as they stood when they ended. */

/** Bytes of a line; what is beyond is counted and thrown away. */
export const longestLine = 64 * 1024;

/** `dropped`: bytes beyond `longestLine`. `bytes` are the callee's only until it returns. */
export type TakeLine = (bytes: Uint8Array, dropped: number) => void;

const newline = 10;
const carriageReturn = 13;

/**
 * A line ends with LF. What a CR goes back over was a progress bar's former state and is forgotten; a CR right
 * before LF is how a terminal ends lines.
 */
export class LogLines {
  /** When the unfinished line began; undefined while there is none. */
  #held: Uint8Array | undefined;
  #length = 0;
  #dropped = 0;
  /** A CR has come, and nothing after it: what comes next stands in the place of what is held. */
  #returned = false;

  push(bytes: Uint8Array, take: TakeLine): void {
    let from = 0;
    for (let end = bytes.indexOf(newline); end !== -1; end = bytes.indexOf(newline, from)) {
      const piece = bytes.subarray(from, end);
      from = end + 1;
      if (this.#held === undefined) takeWhole(piece, take);
      else {
        this.#hold(piece);
        this.#release(take);
      }
    }
    if (from < bytes.length) this.#hold(from === 0 ? bytes : bytes.subarray(from));
  }

  /** Ends the output: an unfinished rest becomes a line. */
  flush(take: TakeLine): void {
    if (this.#held !== undefined && this.#length > 0) this.#release(take);
    this.#forget();
  }

  #hold(piece: Uint8Array): void {
    let body = withoutEnd(piece);
    if (body.length > 0) {
      const back = body.lastIndexOf(carriageReturn);
      if (back !== -1) body = body.subarray(back + 1);
      if (this.#returned || back !== -1) this.#length = this.#dropped = 0;
      this.#append(body);
    }
    this.#held ??= new Uint8Array(0);
    this.#returned = body.length < piece.length && piece.at(-1) === carriageReturn;
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
    this.#returned = false;
  }
}

function withoutEnd(piece: Uint8Array): Uint8Array {
  let end = piece.length;
  while (end > 0 && piece[end - 1] === carriageReturn) end--;
  return end === piece.length ? piece : piece.subarray(0, end);
}

function takeWhole(piece: Uint8Array, take: TakeLine): void {
  const body = withoutEnd(piece);
  const back = body.lastIndexOf(carriageReturn);
  const line = back === -1 ? body : body.subarray(back + 1);
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
