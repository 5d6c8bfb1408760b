/** An answer as HTTP/1.1 has it, in any pieces -> its heads, the ranges of its content, and its trailers. */
import { Held } from "../../link/held.ts";
import { BodyReader } from "../../wire/body.ts";
import { ResponseFraming } from "../../wire/framing.ts";
import { FIELD_STRIDE, ResponseHead } from "../../wire/head.ts";
import type { StreamHead, StreamPiece, Trailer } from "../frames/parts.ts";

/** Hears of an answer's parts in their order. The one that is `last` ends it, or else `answerEnd` does. */
export interface AnswerSink {
  head(head: StreamHead): void;
  /** The service has switched protocols; the head is the one that HTTP/2 has for that. RFC 8441 section 5. */
  switched(head: StreamHead): void;
  content(piece: StreamPiece): void;
  answerEnd(trailer: Trailer | undefined): void;
  /** The bytes are no answer that a stream can carry. */
  bad(): void;
}

const headAsked = { head: true, connect: false };
const bodyAsked = { head: false, connect: false };

/** Reads one answer after another. */
export class AnswerReader {
  readonly #sink: AnswerSink;
  readonly #held = new Held();
  readonly #head = new ResponseHead();
  readonly #framing = new ResponseFraming();
  readonly #body = new BodyReader();
  #headRequest = false;
  /** The request asks for another protocol. */
  #upgrade = false;
  /** The service speaks another protocol: its bytes are content as they are. */
  #switched = false;
  /** The final head was read. */
  #inBody = false;
  /** The piece at hand, and a range of content in it that was not told yet; -1: there is none. */
  #piece: Uint8Array = nothing;
  #rangeStart = -1;
  #rangeEnd = 0;

  constructor(sink: AnswerSink) {
    this.#sink = sink;
  }

  /** The upstream's, or our own, connection may serve another request. */
  get keepAlive(): boolean {
    return this.#framing.keepAlive;
  }

  /** The answer's body has no other end than the end of the connection. */
  get endsWithConnection(): boolean {
    return this.#switched || (this.#inBody && this.#body.endsWithConnection);
  }

  /** `headRequest`: the request is HEAD, whose answer has no body. `upgrade`: 101 may answer it. */
  begin({ headRequest, upgrade = false }: { headRequest: boolean; upgrade?: boolean }): void {
    this.#headRequest = headRequest;
    this.#upgrade = upgrade;
    this.#switched = false;
    this.#inBody = false;
    this.#head.begin(0);
  }

  /** Forgets the head whose rest has not come. */
  drop(): void {
    this.#held.clear();
  }

  read(bytes: Uint8Array): void {
    if (this.#switched) {
      this.#sink.content({ bytes, from: 0, to: bytes.length, last: false });
      return;
    }
    if (this.#inBody) {
      this.#readBody(bytes, 0);
      return;
    }
    let view = bytes;
    if (this.#held.length > 0) {
      this.#held.add(bytes);
      view = this.#held.view();
    }
    const at = this.#readHeads(view);
    if (at !== -1) this.#readBody(view, at);
  }

  /** @returns the offset behind the final head; -1: no body follows, or not yet. */
  #readHeads(view: Uint8Array): number {
    const head = this.#head;
    let at = 0;
    for (;;) {
      const outcome = head.read(view);
      if (outcome.kind === "more") {
        const rest = view.slice(at);
        this.#held.clear();
        this.#held.add(rest);
        if (at > 0) head.begin(0);
        return -1;
      }
      const asked = this.#headRequest ? headAsked : bodyAsked;
      const wrong = outcome.kind === "bad" ? outcome : this.#framing.read(head, view, asked);
      const unasked = head.status === 101 && !this.#upgrade;
      // A head may be too long by the lines that we added.
      if (outcome.kind === "bad" || wrong !== undefined || unasked) {
        this.#sink.bad();
        return -1;
      }
      at = outcome.end;
      if (head.status === 101) {
        this.#switch(view, at);
        return -1;
      }
      if (head.status >= 200) break;
      this.#sink.head({ fields: head, bytes: view, status: head.status, last: false });
      head.begin(at);
    }
    this.#body.begin(this.#framing.bodyLength);
    this.#inBody = true;
    this.#held.clear();
    const last = this.#body.done;
    this.#sink.head({ fields: head, bytes: view, status: head.status, last });
    return last ? -1 : at;
  }

  #switch(view: Uint8Array, at: number): void {
    const head = this.#head;
    this.#switched = true;
    leaveOut(head, view, "sec-websocket-accept");
    this.#sink.switched({ fields: head, bytes: view, status: 200, last: false });
    this.#held.clear();
    if (at < view.length)
      this.#sink.content({ bytes: view, from: at, to: view.length, last: false });
  }

  #readBody(view: Uint8Array, at: number): void {
    const body = this.#body;
    this.#piece = view;
    this.#rangeStart = -1;
    body.read(view, at, this.#range);
    if (body.bad !== undefined) {
      this.#sink.bad();
      return;
    }
    const found = body.trailer;
    const trailer = found !== undefined && found.fields.fieldCount > 0 ? found : undefined;
    const last = body.done && trailer === undefined;
    if (this.#rangeStart !== -1) this.#content(last);
    this.#piece = nothing;
    if (body.done && (!last || this.#rangeStart === -1)) this.#sink.answerEnd(trailer);
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

/** Forgets the fields of a name. */
function leaveOut(head: ResponseHead, bytes: Uint8Array, name: string): void {
  for (let index = head.fieldCount - 1; index >= 0; index--) {
    if (!head.isNamed(bytes, index, name)) continue;
    const at = index * FIELD_STRIDE;
    head.fields.copyWithin(at, at + FIELD_STRIDE, head.fieldCount * FIELD_STRIDE);
    head.fieldCount--;
  }
}

const nothing = new Uint8Array(0);
