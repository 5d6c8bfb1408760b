/**
 * The head or the trailer of an answer, as servers write them -> the same lines as RFC 9112 has them, or bad. Pure.
 *
 * The strict parser reads every answer first, so only a head that it refuses comes here, and what comes out goes
 * through the strict parser again. Whatever readers could take for two things stays refused.
 */
import { CR, LF, latin1 } from "./bytes.ts";
import { headLimit } from "./head.ts";
import { type Bad, bad, more, type Parsed } from "./parsed.ts";

type FieldLine = { name: string; value: string };

/** HTTP/2's version in a line of text, or several spaces, are slips that curl, nginx and HAProxy all read over. */
const statusLine = /^HTTP\/(?:1\.\d|2\.0) +(\d{3})(?:[ \t](.*))?$/;
const statusLineBeginning = /^HTTP\/(?:1\.\d|2\.0) /;
/** Octets after which a first line shows whether it is a status line. */
const beginningLength = 9;

const token = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
const digits = /^\d+$/;
const leadingZeros = /^0+(?=\d)/;
const outerBlanks = /^[ \t]+|[ \t]+$/g;
/** Every control character but HTAB, which a value may hold. */
const controls = /[\x00-\x08\x0a-\x1f\x7f]/g;

/** Reads one head after another. `begin` prepares it for the next. */
export class HeadMender {
  readonly #trailer: boolean;
  readonly #part: "head" | "trailer";
  #begun = false;
  #done = false;
  /** Offset of the first line that is not complete, from the beginning of the head. */
  #line = 0;
  /** Up to here, that line holds nothing that is refused. */
  #sound = 0;
  #start: string | undefined;
  #fields: FieldLine[] = [];

  /** `trailer`: the lines after a chunked body, which have no status line. */
  constructor({ trailer }: { trailer: boolean }) {
    this.#trailer = trailer;
    this.#part = trailer ? "trailer" : "head";
  }

  begin(): void {
    if (!this.#begun) return;
    this.#begun = false;
    this.#done = false;
    this.#line = 0;
    this.#sound = 0;
    this.#start = undefined;
    this.#fields = [];
  }

  /**
   * Continues reading the lines that begin at bytes[at]; earlier calls had the same bytes there, and fewer. `wrong`:
   * why the strict parser refused them.
   * @returns the lines to read in their place, with their empty line. `end` is the offset behind the original ones.
   */
  read(bytes: Uint8Array, { at, wrong }: { at: number; wrong: Bad }): Parsed<Uint8Array> {
    // A head that was mended and is refused all the same stays refused.
    if (this.#done) return wrong;
    this.#begun = true;
    const limit = Math.min(bytes.length, at + headLimit);
    for (let i = at + this.#sound; i < limit; i++) {
      const octet = bytes[i]!;
      if (octet === 0) return bad(502, `a line of its ${this.#part} holds a NUL`);
      if (octet === CR) {
        if (i + 1 === limit) break;
        if (bytes[i + 1] !== LF) return this.#strayCr();
      }
      this.#sound = i + 1 - at;
      if (octet !== LF) continue;
      const lineStart = at + this.#line;
      const lineEnd = i > lineStart && bytes[i - 1] === CR ? i - 1 : i;
      this.#line = this.#sound;
      const outcome = this.#take(latin1(bytes, lineStart, lineEnd), wrong);
      if (outcome === "end") return this.#finish(i + 1);
      if (outcome !== undefined) return outcome;
    }
    if (this.#isStrange(bytes, at, limit)) return wrong;
    if (limit - at === headLimit) {
      return bad(502, `the answer's ${this.#part} is longer than ${headLimit} bytes`);
    }
    return more;
  }

  #strayCr(): Bad {
    return bad(502, `a line of its ${this.#part} holds a CR without LF`);
  }

  /** Whether a first line that is not complete cannot become a status line; its sender may never complete it. */
  #isStrange(bytes: Uint8Array, at: number, limit: number): boolean {
    if (this.#trailer || this.#start !== undefined) return false;
    const beginning = latin1(bytes, at, Math.min(limit, at + beginningLength));
    if (beginning.length === beginningLength) return !statusLineBeginning.test(beginning);
    return !"HTTP/".startsWith(beginning.slice(0, 5));
  }

  #take(line: string, wrong: Bad): "end" | Bad | undefined {
    if (this.#start === undefined && !this.#trailer) {
      const match = statusLine.exec(line);
      if (match === null) return wrong;
      this.#start = `HTTP/1.1 ${match[1]} ${printable(match[2] ?? "")}\r\n`;
      return undefined;
    }
    if (line === "") return "end";
    const fields = this.#fields;
    if (line.startsWith(" ") || line.startsWith("\t")) {
      const last = fields.at(-1);
      if (last !== undefined) last.value = trimmed(`${last.value} ${trimmed(line)}`);
      // In front of all fields of a trailer, nobody misses a line that continues nothing.
      else if (!this.#trailer) return bad(502, "its first field is folded");
      return undefined;
    }
    const colon = line.indexOf(":");
    const name = line.slice(0, Math.max(colon, 0)).replace(/[ \t]+$/, "");
    if (colon === -1) return bad(502, `a line of its ${this.#part} has no colon`);
    if (!token.test(name)) {
      return bad(502, "the name of a field holds a character that no name may hold");
    }
    fields.push({ name, value: trimmed(line.slice(colon + 1)) });
    return undefined;
  }

  #finish(end: number): Parsed<Uint8Array> {
    this.#done = true;
    const framed = this.#trailer ? this.#fields : framingMended(this.#fields);
    if (!Array.isArray(framed)) return framed;
    const lines = framed.map(({ name, value }) => `${name}: ${printable(value)}\r\n`);
    return { kind: "done", value: octets(`${this.#start ?? ""}${lines.join("")}\r\n`), end };
  }
}

/**
 * RFC 9112 section 6.3: the same length several times is that length, and a chunked body has none. RFC 9110 section
 * 5.6.1: a list may have empty members. Chunked twice, or beside another coding, stays refused.
 */
function framingMended(fields: readonly FieldLine[]): FieldLine[] | Bad {
  let length: string | undefined;
  let chunked = false;
  for (const { name, value } of fields) {
    const lower = name.toLowerCase();
    if (lower === "content-length") {
      for (const member of value.split(",").map(trimmed)) {
        if (!digits.test(member)) return bad(502, "the Content-Length is not a number of bytes");
        const its = member.replace(leadingZeros, "");
        length ??= its;
        if (its !== length) return bad(502, "there are two Content-Lengths, which differ");
      }
    } else if (lower === "transfer-encoding") {
      for (const member of value.toLowerCase().split(",").map(trimmed)) {
        if (member === "") continue;
        if (member !== "chunked" || chunked) {
          return bad(502, "the Transfer-Encoding is something other than chunked");
        }
        chunked = true;
      }
    }
  }
  const mended: FieldLine[] = [];
  let written = false;
  for (const field of fields) {
    const lower = field.name.toLowerCase();
    const isLength = lower === "content-length";
    if (!isLength && lower !== "transfer-encoding") mended.push(field);
    else if (!written && chunked !== isLength) {
      if (chunked) mended.push({ name: field.name, value: "chunked" });
      else if (length !== undefined) mended.push({ name: field.name, value: length });
      written = true;
    }
  }
  return mended;
}

/** RFC 9110 section 5.5 lets a proxy replace what no value may hold by a space. */
function printable(value: string): string {
  return trimmed(value.replace(controls, " "));
}

function trimmed(text: string): string {
  return text.replace(outerBlanks, "");
}

/** One octet a character. */
function octets(text: string): Uint8Array {
  return Uint8Array.from({ length: text.length }, (_, i) => text.charCodeAt(i));
}
