/** An answer as HTTP/1.1 has it, in any pieces -> its heads, the ranges of its content, and its trailers. */
import { Held } from "../../link/held.ts";
import { ResponseFraming } from "../../wire/framing.ts";
import { FIELD_STRIDE, ResponseHead } from "../../wire/head.ts";
import { ContentReader, type ContentSink } from "../frames/content-reader.ts";
import type { StreamHead } from "../frames/parts.ts";

/** Hears of an answer's parts in their order. */
export interface AnswerSink extends ContentSink {
  head(head: StreamHead): void;
  /** The service has switched protocols; the head is the one that HTTP/2 has for that. RFC 8441 section 5. */
  switched(head: StreamHead): void;
}

const headAsked = { head: true, connect: false };
const bodyAsked = { head: false, connect: false };

/** Reads one answer after another. */
export class AnswerReader {
  readonly #sink: AnswerSink;
  readonly #held = new Held();
  readonly #head = new ResponseHead();
  readonly #framing = new ResponseFraming();
  readonly #body: ContentReader;
  #headRequest = false;
  /** The request asks for another protocol. */
  #upgrade = false;
  /** The service speaks another protocol: its bytes are content as they are. */
  #switched = false;
  /** The final head was read. */
  #inBody = false;

  constructor(sink: AnswerSink) {
    this.#sink = sink;
    this.#body = new ContentReader(sink);
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
      this.#body.read(bytes, 0);
      return;
    }
    let view = bytes;
    if (this.#held.length > 0) {
      this.#held.add(bytes);
      view = this.#held.view();
    }
    const at = this.#readHeads(view);
    if (at !== -1) this.#body.read(view, at);
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
        this.#sink.bad(wrong?.why ?? "it switched protocols without being asked");
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
