/** A request as HTTP/1.1 has it, in any pieces -> its head, the ranges of its content, and its trailers. */
import { Held } from "../../link/held.ts";
import { RequestFraming } from "../../wire/framing.ts";
import { RequestHead } from "../../wire/head.ts";
import { ContentReader, type ContentSink } from "../frames/content-reader.ts";

/** Hears of a request's parts in their order. Bytes that are bad are a fault of ours, because we wrote them. */
export interface RequestSink extends ContentSink {
  requestHead(asked: { head: RequestHead; framing: RequestFraming; bytes: Uint8Array }): void;
}

/** Reads one request. */
export class RequestReader {
  readonly #sink: RequestSink;
  readonly #held = new Held();
  readonly #head = new RequestHead();
  readonly #framing = new RequestFraming();
  readonly #body: ContentReader;
  #inBody = false;

  constructor(sink: RequestSink) {
    this.#sink = sink;
    this.#body = new ContentReader(sink);
    this.#head.begin(0);
  }

  read(bytes: Uint8Array): void {
    if (this.#inBody) {
      if (!this.#body.done) this.#body.read(bytes, 0);
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
    if (!this.#body.done && outcome.end < view.length) this.#body.read(view, outcome.end);
    this.#held.clear();
  }
}
