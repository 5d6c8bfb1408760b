/** A request as HTTP/1.1 has it, in any pieces -> its head, the ranges of its content, and its trailers. */
import { Held } from "../../link/held.ts";
import { BodyReader } from "../../wire/body.ts";
import { RequestFraming } from "../../wire/framing.ts";
import { RequestHead } from "../../wire/head.ts";
import type { StreamPiece, Trailer } from "../frames/parts.ts";

/** Hears of a request's parts in their order. The one that is `last` ends it, or else `requestEnd` does. */
export interface RequestSink {
  requestHead(asked: { head: RequestHead; framing: RequestFraming; bytes: Uint8Array }): void;
  content(piece: StreamPiece): void;
  requestEnd(trailer: Trailer | undefined): void;
  /** The bytes are no request: a fault of ours, because we wrote them. */
  bad(why: string): void;
}

/** Reads one request. */
export class RequestReader {
  readonly #sink: RequestSink;
  readonly #held = new Held();
  readonly #head = new RequestHead();
  readonly #framing = new RequestFraming();
  readonly #body = new BodyReader();
  #inBody = false;
  /** The piece at hand, and a range of content in it that was not told yet; -1: there is none. */
  #piece: Uint8Array = nothing;
  #rangeStart = -1;
  #rangeEnd = 0;

  constructor(sink: RequestSink) {
    this.#sink = sink;
    this.#head.begin(0);
  }

  read(bytes: Uint8Array): void {
    if (this.#inBody) {
      this.#readBody(bytes, 0);
      return;
    }
    let view = bytes;
    if (this.#held.length > 0) {
      this.#held.add(bytes);
      view = this.#held.view();
    }
    const outcome = this.#head.read(view);
    if (outcome.kind === "more") {
      if (this.#held.length === 0) this.#held.add(bytes);
      return;
    }
    const wrong = outcome.kind === "bad" ? outcome : this.#framing.read(this.#head, view);
    if (outcome.kind === "bad" || wrong !== undefined) {
      this.#sink.bad(wrong!.why);
      return;
    }
    this.#inBody = true;
    this.#body.begin(this.#framing.bodyLength);
    this.#sink.requestHead({ head: this.#head, framing: this.#framing, bytes: view });
    if (!this.#body.done && outcome.end < view.length) this.#readBody(view, outcome.end);
    this.#held.clear();
  }

  #readBody(view: Uint8Array, at: number): void {
    const body = this.#body;
    if (body.done) return;
    this.#piece = view;
    this.#rangeStart = -1;
    body.read(view, at, this.#range);
    if (body.bad !== undefined) {
      this.#sink.bad(body.bad.why);
      return;
    }
    const found = body.trailer;
    const trailer = found !== undefined && found.fields.fieldCount > 0 ? found : undefined;
    const last = body.done && trailer === undefined;
    if (this.#rangeStart !== -1) this.#content(last);
    this.#piece = nothing;
    if (body.done && (!last || this.#rangeStart === -1)) this.#sink.requestEnd(trailer);
  }

  /** One range late, so that the last one can carry the end. One function for all pieces, because it runs for each. */
  #range = (start: number, end: number): void => {
    if (this.#rangeStart !== -1) this.#content(false);
    this.#rangeStart = start;
    this.#rangeEnd = end;
  };

  #content(last: boolean): void {
    const from = this.#rangeStart;
    this.#sink.content({ bytes: this.#piece, from, to: this.#rangeEnd, last });
  }
}

const nothing = new Uint8Array(0);
