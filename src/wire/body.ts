/**
 * A message body, piece by piece -> where it ends. Nothing is copied: bytes go on as they came. RFC 9112 section 7.1.
 */
import { CR, concat, encode, hexValue, LF } from "./bytes.ts";
import { isBlank, lineRestKind, Place, placeAfter } from "./chunk-extension.ts";
import { type BodyLength, CHUNKED, UNTIL_CLOSE } from "./framing.ts";
import { headLimit, TrailerFields } from "./head.ts";
import { HeadMender } from "./head-mender.ts";
import { type Bad, bad } from "./parsed.ts";

const At = {
  /** The body is complete. */
  done: 0,
  /** `left` octets follow, and then the body ends. */
  length: 1,
  untilClose: 2,
  size: 3,
  sizeMore: 4,
  extension: 5,
  sizeLf: 6,
  data: 7,
  dataCr: 8,
  dataLf: 9,
  trailerStart: 10,
  trailerLf: 11,
  trailer: 12,
  /** Behind a size, up to the end of its line. Only lenient readers are here. */
  lineRest: 13,
} as const;

type State = (typeof At)[keyof typeof At];

/** 2^52: larger chunk sizes are not exact in a double. */
const sizeDigits = 13;

/** Digits of a size in an answer, where a server may pad with zeros; curl has the same limit. */
const paddedDigits = 16;

/** Octets of extensions after one chunk size in a request. Nobody uses them; Node has a similar limit. */
const extensionLimit = 4_096;

/** The same for answers, where HAProxy reads as much. */
const lineRestLimit = 16_384;

const crlf = encode("\r\n");

/** Reads one body at a time. `begin` prepares it for the next. */
export class BodyReader {
  /** Set when the body turns out to be malformed; nothing more is read. */
  bad: Bad | undefined;
  /**
   * Complete trailer fields with their empty line, to be checked before they are forwarded. Set once, together with
   * `done`.
   */
  trailer: { fields: TrailerFields; bytes: Uint8Array } | undefined;
  /** Offset in the last piece, after the bytes that may be forwarded unchanged. */
  forwardEnd = 0;
  /**
   * Set where `read` stopped because the sender's framing has to be written anew: these bytes go on behind
   * `forwardEnd`, and then `read` continues at the offset that it returned. Only lenient readers do so.
   */
  patch: Uint8Array | undefined;
  /** Some of the sender's framing was written anew. */
  mended = false;

  readonly #lenient: boolean;
  #state: State = At.done;
  #left = 0;
  #digits = 0;
  #extension = 0;
  #place: Place = Place.name;
  #held: Uint8Array | undefined;
  #trailer: TrailerFields | undefined;
  /** Why the strict parser has refused the trailer fields; it cannot go on after that. */
  #trailerWrong: Bad | undefined;
  #mender: HeadMender | undefined;

  /**
   * `lenient`: for answers. Lines may end in LF, blanks may follow a chunk size, extensions may hold anything but CR,
   * and trailers are read as HeadMender reads them. What is forwarded is RFC 9112's framing all the same.
   */
  constructor({ lenient = false }: { lenient?: boolean } = {}) {
    this.#lenient = lenient;
  }

  begin(length: BodyLength): void {
    this.bad = undefined;
    this.trailer = undefined;
    this.patch = undefined;
    this.mended = false;
    this.#trailerWrong = undefined;
    this.#mender?.begin();
    this.#held = undefined;
    this.#left = length;
    this.#digits = 0;
    if (length === CHUNKED) this.#state = At.size;
    else if (length === UNTIL_CLOSE) this.#state = At.untilClose;
    else this.#state = length === 0 ? At.done : At.length;
  }

  get done(): boolean {
    return this.#state === At.done;
  }

  /** Whether this body ends when the connection ends. */
  get endsWithConnection(): boolean {
    return this.#state === At.untilClose;
  }

  /**
   * Reads bytes[from, ...). Afterwards `forwardEnd` says how much may be forwarded. `payload` is called with every
   * range of content, without the chunk framing.
   * @returns the offset after the last byte of this body.
   */
  read(bytes: Uint8Array, from: number, payload?: (start: number, end: number) => void): number {
    if (this.#state === At.length) {
      const end = Math.min(bytes.length, from + this.#left);
      this.#left -= end - from;
      if (this.#left === 0) this.#state = At.done;
      if (payload !== undefined && end > from) payload(from, end);
      this.forwardEnd = end;
      return end;
    }
    this.patch = undefined;
    if (this.#state === At.done) {
      this.forwardEnd = from;
      return from;
    }
    if (this.#state === At.untilClose) {
      if (payload !== undefined && bytes.length > from) payload(from, bytes.length);
      this.forwardEnd = bytes.length;
      return bytes.length;
    }
    return this.#readChunks(bytes, from, payload);
  }

  #fail(why: string, at: number): number {
    this.bad = bad(400, why);
    this.forwardEnd = at;
    return at;
  }

  /** Stops in front of bytes[at], in whose place `patch` goes on. @returns the offset to continue at. */
  #mend(patch: Uint8Array, at: number, next: number): number {
    this.patch = patch;
    this.mended = true;
    this.forwardEnd = at;
    return next;
  }

  #readChunks(
    bytes: Uint8Array,
    from: number,
    payload: ((start: number, end: number) => void) | undefined,
  ): number {
    let i = from;
    while (i < bytes.length) {
      const octet = bytes[i]!;
      switch (this.#state) {
        case At.data: {
          const end = Math.min(bytes.length, i + this.#left);
          if (payload !== undefined) payload(i, end);
          this.#left -= end - i;
          i = end;
          if (this.#left === 0) this.#state = At.dataCr;
          continue;
        }
        case At.dataCr:
          if (octet === CR) this.#state = At.dataLf;
          else if (octet === LF && this.#lenient) {
            this.#state = At.size;
            return this.#mend(crlf, i, i + 1);
          } else return this.#fail("a chunk is longer than its size says", i);
          break;
        case At.dataLf:
          if (octet !== LF) return this.#fail("a chunk ends in CR without LF", i);
          this.#state = At.size;
          this.#digits = 0;
          break;
        case At.size:
          this.#left = 0;
          this.#digits = 0;
          this.#extension = 0;
          if (hexValue[octet] === 255) return this.#fail("a chunk has no size", i);
          this.#state = At.sizeMore;
          continue;
        case At.sizeMore: {
          const digit = hexValue[octet]!;
          if (digit !== 255) {
            // Leading zeros of a request count too: they are only sent to confuse a parser.
            if (++this.#digits > sizeDigits && !this.#mayPad()) {
              return this.#fail("a chunk size is too large", i);
            }
            this.#left = this.#left * 16 + digit;
          } else if (octet === CR) this.#state = At.sizeLf;
          else if (this.#lenient) {
            if (octet !== LF && octet !== 59 && !isBlank(octet)) {
              return this.#fail("a chunk size is not a hexadecimal number", i);
            }
            this.#state = At.lineRest;
            continue;
          } else if (octet === 59 || isBlank(octet)) {
            this.#state = At.extension;
            this.#place = octet === 59 ? Place.name : Place.blank;
          } else return this.#fail("a chunk size is not a hexadecimal number", i);
          break;
        }
        case At.sizeLf:
          if (octet !== LF) return this.#fail("a chunk size ends in CR without LF", i);
          this.#state = this.#left === 0 ? At.trailerStart : At.data;
          break;
        case At.lineRest: {
          const next = this.#readLineRest(bytes, i);
          if (this.#state === At.lineRest || this.patch !== undefined) return next;
          i = next;
          continue;
        }
        case At.trailerStart:
          if (octet === CR) {
            this.#state = At.trailerLf;
            break;
          }
          if (octet === LF && this.#lenient) {
            this.#state = At.done;
            return this.#mend(crlf, i, i + 1);
          }
          this.#state = At.trailer;
          continue;
        case At.trailerLf:
          if (octet !== LF) return this.#fail("a chunked body ends in CR without LF", i);
          this.#state = At.done;
          this.forwardEnd = i + 1;
          return i + 1;
        case At.trailer:
          return this.#readTrailer(bytes, i);
        default: {
          if (++this.#extension > extensionLimit) {
            return this.#fail(`chunk extensions are longer than ${extensionLimit} bytes`, i);
          }
          const next = placeAfter(this.#place, octet);
          if (next === undefined) return this.#fail("a chunk extension is malformed", i);
          if (next === Place.lineLf) this.#state = At.sizeLf;
          this.#place = next;
        }
      }
      i++;
    }
    this.forwardEnd = i;
    return i;
  }

  /** Whether the size may have one more digit, because it began with zeros. */
  #mayPad(): boolean {
    return this.#lenient && this.#digits <= paddedDigits && this.#left < 16 ** (sizeDigits - 1);
  }

  /**
   * A size's line is held until it is complete, because a malformed rest of it is left out. @returns the offset to
   * continue at.
   */
  #readLineRest(bytes: Uint8Array, from: number): number {
    const lf = bytes.indexOf(LF, from);
    const to = lf === -1 ? bytes.length : lf + 1;
    const piece = bytes.subarray(from, to);
    const held = this.#held;
    const line = held === undefined ? piece : concat(held, piece);
    if (line.length > lineRestLimit) {
      return this.#fail(`chunk extensions are longer than ${lineRestLimit} bytes`, from);
    }
    const kind = lineRestKind(line);
    if (kind === "bad") return this.#fail("what follows a chunk size is malformed", from);
    if (lf === -1) {
      this.#held = held === undefined ? line.slice() : line;
      this.forwardEnd = from;
      return to;
    }
    this.#held = undefined;
    this.#state = this.#left === 0 ? At.trailerStart : At.data;
    if (kind === "odd") return this.#mend(crlf, from, to);
    if (held === undefined) return to;
    this.patch = line;
    this.forwardEnd = from;
    return to;
  }

  /** Trailer fields are held until they are complete, because some of them must not be forwarded. */
  #readTrailer(bytes: Uint8Array, from: number): number {
    this.forwardEnd = from;
    const before = this.#held?.length ?? 0;
    this.#trailer ??= new TrailerFields();
    if (this.#held === undefined) this.#trailer.begin(0);
    const piece = bytes.subarray(from, from + headLimit);
    this.#held = this.#held === undefined ? piece.slice() : concat(this.#held, piece);
    if (this.#trailerWrong === undefined) {
      const outcome = this.#trailer.read(this.#held);
      if (outcome.kind === "more") return bytes.length;
      if (outcome.kind === "done") {
        return this.#endTrailer(this.#held, from + outcome.end - before);
      }
      this.#trailerWrong = outcome;
    }
    if (this.#lenient) {
      return this.#mendTrailer(bytes, { from, before, wrong: this.#trailerWrong });
    }
    this.bad = this.#trailerWrong;
    return from;
  }

  #mendTrailer(
    bytes: Uint8Array,
    { from, before, wrong }: { from: number; before: number; wrong: Bad },
  ): number {
    this.#mender ??= new HeadMender({ trailer: true });
    const outcome = this.#mender.read(this.#held!, { at: 0, wrong });
    if (outcome.kind === "more") return bytes.length;
    if (outcome.kind === "done") {
      this.#trailer!.begin(0);
      const read = this.#trailer!.read(outcome.value);
      if (read.kind === "done") {
        this.mended = true;
        return this.#endTrailer(outcome.value, from + outcome.end - before);
      }
    }
    this.bad = outcome.kind === "bad" ? outcome : wrong;
    return from;
  }

  #endTrailer(bytes: Uint8Array, end: number): number {
    this.trailer = { fields: this.#trailer!, bytes };
    this.#held = undefined;
    this.#state = At.done;
    return end;
  }
}
