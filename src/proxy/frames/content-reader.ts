/** A body as HTTP/1.1 frames it, in any pieces -> the ranges of its content, the last of which carries the end. */
import { BodyReader } from "../../wire/body.ts";
import type { BodyLength } from "../../wire/framing.ts";
import type { StreamPiece, Trailer } from "./parts.ts";

/** Hears of a body's parts in their order. The piece that is `last` ends it, or else `bodyEnd` does. */
export interface ContentSink {
  content(piece: StreamPiece): void;
  bodyEnd(trailer: Trailer | undefined): void;
  /** The bytes are no message that a stream can carry. */
  bad(why: string): void;
}

/** Reads one body after another. */
export class ContentReader {
  readonly #sink: ContentSink;
  readonly #body = new BodyReader();
  /** The piece at hand, and a range of content in it that was not told yet; -1: there is none. */
  #piece: Uint8Array = nothing;
  #rangeStart = -1;
  #rangeEnd = 0;

  constructor(sink: ContentSink) {
    this.#sink = sink;
  }

  begin(length: BodyLength): void {
    this.#body.begin(length);
  }

  get done(): boolean {
    return this.#body.done;
  }

  /** The body has no other end than the end of the connection. */
  get endsWithConnection(): boolean {
    return this.#body.endsWithConnection;
  }

  /** Reads bytes[at, ...). */
  read(bytes: Uint8Array, at: number): void {
    const body = this.#body;
    this.#piece = bytes;
    this.#rangeStart = -1;
    body.read(bytes, at, this.#range);
    if (body.bad !== undefined) {
      this.#sink.bad(body.bad.why);
      return;
    }
    const found = body.trailer;
    const trailer = found !== undefined && found.fields.fieldCount > 0 ? found : undefined;
    const last = body.done && trailer === undefined;
    if (this.#rangeStart !== -1) this.#tell(last);
    this.#piece = nothing;
    if (body.done && (!last || this.#rangeStart === -1)) this.#sink.bodyEnd(trailer);
  }

  /** One range late, so that the last one can carry the end. One function for all pieces, because it runs for each. */
  #range = (start: number, end: number): void => {
    if (this.#rangeStart !== -1) this.#tell(false);
    this.#rangeStart = start;
    this.#rangeEnd = end;
  };

  #tell(last: boolean): void {
    const from = this.#rangeStart;
    this.#sink.content({ bytes: this.#piece, from, to: this.#rangeEnd, last });
  }
}

const nothing = new Uint8Array(0);
