/** DATA and trailers of a message -> its body in HTTP/1.1: in chunks, unless its length was announced. */
import { type BodyLength, CHUNKED } from "../../wire/framing.ts";
import { HeadWriter } from "./head-writer.ts";

/** Octets for the line in front of a chunk. No window lets a chunk grow to a size of more than 8 digits. */
export const chunkLineRoom = 10;

export class ReceivedBody {
  /** Octets that are still to come; CHUNKED: unknown. */
  #expected: BodyLength = 0;

  begin(length: BodyLength): void {
    this.#expected = length;
  }

  /** Nothing more is expected. */
  get complete(): boolean {
    return this.#expected === 0;
  }

  /** More was announced than has come. */
  get isShort(): boolean {
    return this.#expected > 0;
  }

  /** DATA of this length has come. @returns false: more than was announced. */
  take(length: number): boolean {
    if (this.#expected === CHUNKED) return true;
    if (length > this.#expected) return false;
    this.#expected -= length;
    return true;
  }

  /** Content that stands behind `chunkLineRoom` in `body` -> the bytes that go on, in place. */
  piece(body: HeadWriter): Uint8Array {
    let from = chunkLineRoom;
    const length = body.length - from;
    if (length > 0 && this.#expected === CHUNKED) {
      const line = `${length.toString(16)}\r\n`;
      from -= line.length;
      for (let i = 0; i < line.length; i++) body.bytes[from + i] = line.charCodeAt(i);
      writeText(body, "\r\n");
    }
    return body.bytes.subarray(from, body.length);
  }

  /** The message has ended. `trailers`: lines. @returns bytes that go on; undefined: less came than was announced. */
  end(trailers: Uint8Array): Uint8Array | undefined {
    if (this.#expected !== CHUNKED) return this.#expected === 0 ? nothing : undefined;
    const out = new HeadWriter(trailers.length + 8);
    writeText(out, "0\r\n");
    out.append(trailers);
    writeText(out, "\r\n");
    this.#expected = 0;
    return out.bytes.subarray(0, out.length);
  }
}

function writeText(out: HeadWriter, text: string): void {
  for (let i = 0; i < text.length; i++) out.byte(text.charCodeAt(i));
}

const nothing = new Uint8Array(0);
