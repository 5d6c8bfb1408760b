/** Streams of an HTTP/2 session, one after another, into a link whose peer seems to speak HTTP/1.1. */
import type { Link, LinkHandler } from "../../link/link.ts";
import { BodyReader } from "../../wire/body.ts";
import { CHUNKED, ResponseFraming } from "../../wire/framing.ts";
import { ErrorCode } from "../../wire/h2/frame.ts";
import type { RequestWriter } from "../../wire/h2/request.ts";
import { type FieldLines, ResponseHead, type TrailerFields } from "../../wire/head.ts";
import { HeadWriter } from "../upstream/head-writer.ts";
import { Held } from "../../link/held.ts";

/** What a stream's link needs of its session. */
export interface StreamSession {
  readonly remoteAddress: string;
  readonly remotePort: number;
  readonly localAddress: string;
  readonly localPort: number;
  /** Writes the fields of an answer's head, or of its trailers: `status` 0. */
  sendHead(stream: H2StreamLink, head: StreamHead): void;
  /** Sends as much of bytes[from, to) as may go. @returns the offset behind it. */
  sendData(stream: H2StreamLink, piece: StreamPiece): number;
  /** All of the answer is on its way. */
  answered(stream: H2StreamLink): void;
  /** Ends the stream without the end of its answer. */
  reset(stream: H2StreamLink, code: ErrorCode): void;
  /** The owner has left, and all it had written is on its way: tell it so when it is not in the middle of something. */
  left(stream: H2StreamLink): void;
  /** Bytes of a request are used up; `stream` may send as many more, where it is still of this stream. */
  consumed(stream: H2StreamLink, count: number): void;
  fault(fault: unknown): void;
}

export type StreamHead = { fields: FieldLines; bytes: Uint8Array; status: number; last: boolean };
/** `last`: nothing follows. */
export type StreamPiece = { bytes: Uint8Array; from: number; to: number; last: boolean };

const HEAD = 0;
const BODY = 1;
const DONE = 2;

/** Octets for the line in front of a chunk, which no window lets grow longer than a number of 8 digits. */
export const chunkLineRoom = 10;

/** What follows what waits to be sent. */
const NOTHING = 0;
const END = 1;
const RESET = 2;

const headAsked = { head: true, connect: false };
const bodyAsked = { head: false, connect: false };

/** Its owner, a Connection, sees a client that sends one request after another, each when the last was answered. */
export class H2StreamLink implements Link {
  handler: LinkHandler = silent;
  readonly descriptor = -1;
  /** The stream at hand, or the last. */
  id = 0;
  /** Octets of DATA that the client lets us send. May be negative: RFC 9113 section 6.9.2. */
  sendWindow = 0;
  /** Octets of DATA that we let the client send. */
  receiveWindow = 0;
  /** Octets used up of which the client was not told yet. */
  uncredited = 0;
  /** The client has sent all of its request. */
  remoteEnded = true;
  /** It stands in the session's queue of those that have something to send. */
  queued = false;
  /** The owner wants no more of it. */
  closing = false;

  readonly #session: StreamSession;
  #pending: Uint8Array[] = [];
  #pendingLength = 0;
  #after: number = NOTHING;
  #trailer: { fields: TrailerFields; bytes: Uint8Array } | undefined;
  #owing = false;
  #paused = false;
  /** Octets of the request that came while paused. */
  #withheld = 0;
  /** Octets of the request's body that are still to come; CHUNKED: unknown. */
  #expected = 0;

  #phase = DONE;
  #held = new Held();
  #headRequest = false;
  #answerHead = new ResponseHead();
  #answerFraming = new ResponseFraming();
  #answer = new BodyReader();
  /** The piece of the answer that is being looked at, and a range of content in it. */
  #piece: Uint8Array = nothing;
  #rangeStart = -1;
  #rangeEnd = 0;

  constructor(session: StreamSession) {
    this.#session = session;
  }

  get remoteAddress(): string {
    return this.#session.remoteAddress;
  }

  get remotePort(): number {
    return this.#session.remotePort;
  }

  get localAddress(): string {
    return this.#session.localAddress;
  }

  get localPort(): number {
    return this.#session.localPort;
  }

  get pending(): number {
    return this.#pendingLength;
  }

  get paused(): boolean {
    return this.#paused;
  }

  /** The answer is complete, or there will be none. */
  get done(): boolean {
    return this.#phase === DONE;
  }

  /** Another stream may use the link: the owner has heard all of this request and goes on. */
  get reusable(): boolean {
    return (
      !this.closing &&
      this.handler !== silent &&
      this.#answerFraming.keepAlive &&
      (this.remoteEnded || this.#expected === 0)
    );
  }

  // What the client does; the session calls.

  /** A request's head has come. */
  begin(id: number, request: RequestWriter, windows: { send: number; receive: number }): void {
    this.id = id;
    this.sendWindow = windows.send;
    this.receiveWindow = windows.receive;
    this.uncredited = 0;
    this.#withheld = 0;
    this.#paused = false;
    this.#expected = request.bodyLength;
    this.#headRequest = request.head;
    this.#after = NOTHING;
    this.#trailer = undefined;
    this.#phase = HEAD;
    this.#answerHead.begin(0);
  }

  /** Bytes as HTTP/1.1 would have them, to the owner. */
  deliver(bytes: Uint8Array): void {
    if (this.closing) return;
    try {
      this.handler.data(bytes);
    } catch (fault) {
      this.#fault(fault);
    }
  }

  /** DATA of this length has come. @returns false where it is more than was announced. */
  takes(length: number): boolean {
    if (this.#expected === CHUNKED) return true;
    if (length > this.#expected) return false;
    this.#expected -= length;
    return true;
  }

  /** What has come, behind `chunkLineRoom`. `count`: what it took of the windows. */
  receive(body: HeadWriter, count: number): void {
    let from = chunkLineRoom;
    const length = body.length - from;
    if (length > 0) {
      if (this.#expected === CHUNKED) {
        const line = `${length.toString(16)}\r\n`;
        from -= line.length;
        for (let i = 0; i < line.length; i++) body.bytes[from + i] = line.charCodeAt(i);
        writeText(body, "\r\n");
      }
      this.deliver(body.bytes.subarray(from, body.length));
    }
    if (this.#paused && !this.closing) this.#withheld += count;
    else this.#session.consumed(this, count);
  }

  /** END_STREAM. `trailer`: field lines. @returns false where less has come than was announced. */
  end(trailer: Uint8Array): boolean {
    this.remoteEnded = true;
    if (this.#expected !== CHUNKED) return this.#expected === 0;
    const out = new HeadWriter(trailer.length + 8);
    writeText(out, "0\r\n");
    out.append(trailer);
    writeText(out, "\r\n");
    this.#expected = 0;
    this.deliver(out.bytes.subarray(0, out.length));
    return true;
  }

  /** The stream is no more, nor is the link. */
  gone(cause: Error | undefined): void {
    this.drop();
    this.closing = true;
    const handler = this.handler;
    this.handler = silent;
    try {
      handler.closed(cause);
    } catch (fault) {
      this.#session.fault(fault);
    }
  }

  /** Forgets what of the stream is still to be done. */
  drop(): void {
    this.#phase = DONE;
    this.#pending.length = 0;
    this.#pendingLength = 0;
    this.#after = NOTHING;
    this.#trailer = undefined;
    this.#held.clear();
    this.#release();
  }

  /** Sends a frame's worth of what waits. */
  sendPending(most: number): void {
    const first = this.#pending[0];
    if (first !== undefined) {
      const last =
        this.#pending.length === 1 &&
        first.length <= most &&
        this.#after === END &&
        this.#trailer === undefined;
      const to = Math.min(first.length, most);
      const sent = this.#session.sendData(this, { bytes: first, from: 0, to, last });
      this.#pendingLength -= sent;
      if (sent < first.length) {
        this.#pending[0] = first.subarray(sent);
        return;
      }
      this.#pending.shift();
      if (last) this.#finish();
    }
    if (this.#pending.length > 0) return;
    if (this.#phase !== DONE && this.#after === END) this.#sendEnd();
    else if (this.#after === RESET) this.#session.reset(this, ErrorCode.internalError);
    if (this.#owing && !this.closing) {
      this.#owing = false;
      try {
        this.handler.drained();
      } catch (fault) {
        this.#fault(fault);
      }
    }
    if (this.closing) this.#session.left(this);
  }

  // What the owner does.

  write(bytes: Uint8Array, from: number, to: number): boolean {
    if (this.#phase === DONE || this.closing || to <= from) return true;
    let view = from === 0 && to === bytes.length ? bytes : bytes.subarray(from, to);
    let at = 0;
    if (this.#phase === HEAD) {
      if (this.#held.length > 0) {
        this.#held.add(view);
        view = this.#held.view();
      }
      at = this.#readHeads(view);
      if (at === -1) return true;
    }
    if (this.#phase === BODY) this.#readBody(view, at);
    if (this.#pendingLength === 0) return true;
    this.#owing = true;
    return false;
  }

  halfClose(): void {
    this.#leave();
  }

  close(): void {
    this.#leave();
  }

  abort(): void {
    if (this.closing && this.#pendingLength === 0) return;
    this.closing = true;
    if (this.#phase !== DONE) this.#session.reset(this, ErrorCode.internalError);
    this.drop();
    this.#session.left(this);
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    this.#release();
  }

  #release(): void {
    const count = this.#withheld;
    this.#withheld = 0;
    if (count > 0) this.#session.consumed(this, count);
  }

  /** No more comes of the owner: what it has begun ends here, well or not. */
  #leave(): void {
    if (this.closing) return;
    this.closing = true;
    this.#release();
    if (this.#phase === BODY && this.#answer.endsWithConnection) this.#sendEnd();
    else if (this.#phase !== DONE && this.#after === NOTHING) {
      if (this.#pendingLength === 0) this.#session.reset(this, ErrorCode.internalError);
      else this.#after = RESET;
    }
    if (this.#pendingLength === 0) this.#session.left(this);
  }

  /** @returns the offset behind the final head; -1: there is none yet. */
  #readHeads(view: Uint8Array): number {
    const head = this.#answerHead;
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
      const framing = this.#answerFraming;
      const asked = this.#headRequest ? headAsked : bodyAsked;
      const wrong = outcome.kind === "bad" ? outcome : framing.read(head, view, asked);
      // Too long by the lines that we added; and nobody could have asked for another protocol.
      if (outcome.kind === "bad" || wrong !== undefined || head.status === 101) {
        this.abort();
        return -1;
      }
      at = outcome.end;
      if (head.status >= 200) break;
      this.#session.sendHead(this, {
        fields: head,
        bytes: view,
        status: head.status,
        last: false,
      });
      head.begin(at);
    }
    this.#answer.begin(this.#answerFraming.bodyLength);
    this.#phase = BODY;
    const last = this.#answer.done;
    this.#session.sendHead(this, { fields: head, bytes: view, status: head.status, last });
    this.#held.clear();
    if (last) this.#finish();
    return at;
  }

  #readBody(view: Uint8Array, at: number): void {
    const answer = this.#answer;
    this.#piece = view;
    this.#rangeStart = -1;
    answer.read(view, at, this.#range);
    if (answer.bad !== undefined) {
      this.abort();
      return;
    }
    const trailer = answer.trailer;
    if (trailer !== undefined && trailer.fields.fieldCount > 0) this.#trailer = trailer;
    const last = answer.done && this.#trailer === undefined;
    if (this.#rangeStart !== -1) this.#send(this.#rangeStart, this.#rangeEnd, last);
    this.#piece = nothing;
    if (answer.done) this.#sendEnd();
  }

  /** One range late, so that the last one can carry the end. One function for all pieces: it runs for every one. */
  #range = (start: number, end: number): void => {
    if (this.#rangeStart !== -1) this.#send(this.#rangeStart, this.#rangeEnd, false);
    this.#rangeStart = start;
    this.#rangeEnd = end;
  };

  #send(from: number, to: number, last: boolean): void {
    let sent = from;
    if (this.#pendingLength === 0) {
      sent = this.#session.sendData(this, { bytes: this.#piece, from, to, last });
      if (sent === to) {
        if (last) this.#finish();
        return;
      }
    }
    this.#pending.push(this.#piece.slice(sent, to));
    this.#pendingLength += to - sent;
  }

  /** Ends the answer behind what waits. */
  #sendEnd(): void {
    if (this.#phase === DONE) return;
    if (this.#pendingLength > 0) {
      this.#after = END;
      return;
    }
    const trailer = this.#trailer;
    if (trailer !== undefined) {
      this.#session.sendHead(this, { ...trailer, status: 0, last: true });
    } else {
      this.#session.sendData(this, { bytes: nothing, from: 0, to: 0, last: true });
    }
    this.#finish();
  }

  #finish(): void {
    this.#phase = DONE;
    this.#after = NOTHING;
    this.#trailer = undefined;
    this.#session.answered(this);
  }

  #fault(fault: unknown): void {
    this.handler.failed(fault);
    this.abort();
  }
}

function writeText(out: HeadWriter, text: string): void {
  for (let i = 0; i < text.length; i++) out.byte(text.charCodeAt(i));
}

const nothing = new Uint8Array(0);

/** Owns a link before its connection does, after it is gone, and where the session itself answers. */
const silent: LinkHandler = {
  data() {},
  drained() {},
  ended() {},
  closed() {},
  failed() {},
};
