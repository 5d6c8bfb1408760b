/** Streams of HTTP/2, one after another -> a link whose peer seems to speak HTTP/1.1 with keep-alive. */
import type { Link, LinkHandler } from "../../link/link.ts";
import { ErrorCode } from "../../wire/h2/frame.ts";
import type { Breach } from "../../wire/h2/frame-rules.ts";
import type { RequestWriter } from "../../wire/h2/request.ts";
import type { HeadWriter } from "../frames/head-writer.ts";
import type { StreamHead, StreamPiece, Trailer } from "../frames/parts.ts";
import { ReceivedBody } from "../frames/received-body.ts";
import { ReceiveWindow, SendWindow, streamWindow } from "../frames/windows.ts";
import { AnswerReader, type AnswerSink } from "./answer-reader.ts";
import { maySend, type StreamEvent, type StreamState, step } from "../frames/stream-states.ts";
import { StreamTunnel } from "./stream-tunnel.ts";

/** The session, as a stream's link needs it. */
export interface StreamSession {
  readonly remoteAddress: string;
  readonly remotePort: number;
  readonly localAddress: string;
  readonly localPort: number;
  /** Writes the fields of an answer's head, or of its trailers: `status` 0. */
  sendHead(stream: H2StreamLink, head: StreamHead): void;
  /** Sends as much of bytes[from, to) as may go. @returns the offset behind it. */
  sendData(stream: H2StreamLink, piece: StreamPiece): number;
  /** The answer's END_STREAM is written. */
  answered(stream: H2StreamLink): void;
  /** Ends the stream without the end of its answer. */
  reset(stream: H2StreamLink, code: ErrorCode): void;
  /** The owner has left, and all that it wrote is on its way. The owner hears so later, not within its own call. */
  left(stream: H2StreamLink): void;
  /** Octets of a request are used up; `stream` may send as many more, if it is still the stream that sent them. */
  consumed(stream: H2StreamLink, count: number): void;
  fault(fault: unknown): void;
}

/** The owner, a Connection, sees a client that sends one request after another, each when the last was answered. */
export class H2StreamLink implements Link, AnswerSink {
  handler: LinkHandler = silent;
  /** The connection whose requests the stream brings; undefined where we answer by ourselves. */
  owner: { tick(): void } | undefined;
  readonly descriptor = -1;
  /** The stream at hand, or the last. */
  id = 0;
  /** DATA that the client lets us send. */
  readonly sendWindow = new SendWindow();
  /** DATA that we let the client send. */
  receiveWindow = new ReceiveWindow(streamWindow);
  /** The stream is in the queue of those that have something to send. */
  queued = false;
  /** The owner wants no more of it. */
  closing = false;
  /** The place of the request's head in `Opened`, until the owner has it: then `headStart` is below 0. */
  headStart = -1;
  headEnd = 0;
  /** The head of the answer has come, be it an interim one. */
  answering = false;

  readonly #session: StreamSession;
  #state: StreamState = "closed";
  readonly #answer = new AnswerReader(this);
  /** Parts of the answer that no window has let through. */
  #pending: Uint8Array[] = [];
  #pendingLength = 0;
  /** Follows behind the pending parts. */
  #after: "nothing" | "end" | "reset" = "nothing";
  #trailer: Trailer | undefined;
  /** A `write` said false: the owner waits for `drained`. */
  #owing = false;
  #paused = false;
  /** Octets of the request that came while the link was paused. */
  #withheld = 0;
  readonly #body = new ReceivedBody();
  /** Set for an extended CONNECT. */
  #tunnel: StreamTunnel | undefined;
  /** The code of RST_STREAM where the answer has no end. */
  #breakCode: ErrorCode = ErrorCode.internalError;

  constructor(session: StreamSession) {
    this.#session = session;
  }

  get party(): object {
    return this.#session;
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

  get state(): StreamState {
    return this.#state;
  }

  /** The answer is complete, or there will be none. */
  get done(): boolean {
    return !maySend(this.#state);
  }

  /** Another stream may use the link: the owner has heard all of this request and goes on. */
  get reusable(): boolean {
    return (
      !this.closing &&
      !this.#tunnel?.isOpen &&
      this.handler !== silent &&
      this.#answer.keepAlive &&
      (this.#state === "closed" || this.#body.complete)
    );
  }

  /** @returns the rule that the client breaks with this. @throws where we break one. */
  move(event: StreamEvent): Breach | undefined {
    const next = step(this.#state, event);
    if (next === undefined) throw new Error(`"${event}" on a stream that is ${this.#state}`);
    if (typeof next !== "string") return next;
    this.#state = next;
    return undefined;
  }

  /** The stream goes on without the link. @returns its window, all of which has been given back. */
  release(): ReceiveWindow {
    this.#giveBack();
    const window = this.receiveWindow;
    this.receiveWindow = new ReceiveWindow(streamWindow);
    this.#state = "closed";
    return window;
  }

  // The session calls, for the client:

  /** A request's head has come. `ends`: all of the request. `window`: octets that may be sent. */
  begin(
    id: number,
    { request, ends, window }: { request: RequestWriter; ends: boolean; window: number },
  ): void {
    this.id = id;
    this.answering = false;
    this.#breakCode = ErrorCode.internalError;
    this.#state = "idle";
    this.move("recv HEADERS");
    if (ends) this.move("recv END_STREAM");
    this.sendWindow.left = window;
    this.receiveWindow.begin(id);
    this.#withheld = 0;
    this.#paused = false;
    this.#body.begin(request.bodyLength);
    this.#after = "nothing";
    this.#trailer = undefined;
    const upgrade = request.protocol !== undefined;
    this.#tunnel = upgrade ? new StreamTunnel() : undefined;
    this.#answer.begin({ headRequest: request.head, upgrade });
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

  /** DATA of this length has come. @returns false: more than was announced. */
  takes(length: number): boolean {
    return this.#tunnel !== undefined || this.#body.take(length);
  }

  /** Less of the body has come than was announced. */
  get isShort(): boolean {
    return this.#tunnel === undefined && this.#body.isShort;
  }

  /** Passes on what has come, which stands behind `chunkLineRoom`. `count`: octets of the windows that it used. */
  receive(body: HeadWriter, count: number): void {
    const piece = this.#body.piece(body);
    const tunnel = this.#tunnel;
    if (tunnel !== undefined && !tunnel.isOpen) tunnel.hold(piece);
    else if (piece.length > 0) this.deliver(piece);
    if ((this.#paused || tunnel?.isAsked) && !this.closing) this.#withheld += count;
    else this.#session.consumed(this, count);
  }

  /** The request has ended. `trailers`: field lines. @returns false: less came than was announced. */
  end(trailers: Uint8Array): boolean {
    if (this.#tunnel !== undefined) {
      this.#endTunnel(this.#tunnel);
      // RFC 9113 section 8.5: nothing but DATA comes by a tunnel.
      return trailers.length === 0;
    }
    const rest = this.#body.end(trailers);
    if (rest !== undefined && rest.length > 0) this.deliver(rest);
    return rest !== undefined;
  }

  /** The client sends no more by its tunnel. */
  #endTunnel(tunnel: StreamTunnel): void {
    tunnel.end();
    if (tunnel.isOpen) this.#tellEnd();
  }

  #tellEnd(): void {
    if (!this.closing) {
      try {
        this.handler.ended();
      } catch (fault) {
        this.#fault(fault);
      }
    }
    if (this.#state === "closed") this.#endBoth();
  }

  /** Both sides of a tunnel have ended. */
  #endBoth(): void {
    this.#session.answered(this);
    this.#session.left(this);
  }

  /** The stream is gone, and the link with it. */
  gone(cause: Error | undefined): void {
    this.move("connection end");
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

  /** Forgets what is still to be done for a stream that is closed. */
  drop(): void {
    this.#pending.length = 0;
    this.#pendingLength = 0;
    this.#after = "nothing";
    this.#trailer = undefined;
    this.#answer.drop();
    this.#giveBack();
  }

  /** Sends a frame's worth of what is pending. */
  sendPending(most: number): void {
    const first = this.#pending[0];
    if (first !== undefined) {
      const last =
        this.#pending.length === 1 &&
        first.length <= most &&
        this.#after === "end" &&
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
    if (this.#after === "end") this.#sendEnd();
    else if (this.#after === "reset") this.#session.reset(this, this.#breakCode);
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

  // The owner calls:

  write(bytes: Uint8Array, from: number, to: number): boolean {
    if (this.done || this.closing || to <= from) return true;
    this.#answer.read(from === 0 && to === bytes.length ? bytes : bytes.subarray(from, to));
    if (this.#pendingLength === 0) return true;
    this.#owing = true;
    return false;
  }

  halfClose(): void {
    if (this.#tunnel?.isOpen) this.#sendEnd();
    else this.#leave();
  }

  close(): void {
    this.#leave();
  }

  abort(): void {
    if (this.closing && this.#pendingLength === 0) return;
    this.closing = true;
    if (this.#tunnel?.isOpen) {
      // RFC 8441 section 5: that is what a reset of the service's connection becomes.
      if (this.#state !== "closed") this.#session.reset(this, ErrorCode.cancel);
    } else if (!this.done) this.#session.reset(this, this.#breakCode);
    this.drop();
    this.#session.left(this);
  }

  /** Other codes would blame the client, or tell it that nothing of its request was processed. */
  breaksWith(code: number): void {
    const { cancel, enhanceYourCalm } = ErrorCode;
    if (code === cancel || code === enhanceYourCalm) this.#breakCode = code;
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    this.#giveBack();
  }

  /** The client may send as many octets again as were withheld. */
  #giveBack(): void {
    const count = this.#withheld;
    this.#withheld = 0;
    if (count > 0) this.#session.consumed(this, count);
  }

  /** No more comes of the owner. An answer that is not complete ends here, as it must. */
  #leave(): void {
    if (this.closing) return;
    this.closing = true;
    this.#giveBack();
    if (!this.done && this.#answer.endsWithConnection) this.#sendEnd();
    else if (this.#tunnel?.isOpen) this.#session.answered(this);
    else if (!this.done && this.#after === "nothing") {
      if (this.#pendingLength === 0) this.#session.reset(this, this.#breakCode);
      else this.#after = "reset";
    }
    if (this.#pendingLength === 0) this.#session.left(this);
  }

  // The answer reader calls:

  head(head: StreamHead): void {
    if (this.done) return;
    if (head.status >= 200 && this.#tunnel?.isAsked) {
      this.#tunnel.refuse();
      // With 2xx, the client would take the content for the other protocol's.
      if (head.status < 300) head.status = 502;
    }
    this.move("send HEADERS");
    this.answering = true;
    this.#session.sendHead(this, head);
    if (head.last) this.#finish();
  }

  switched(head: StreamHead): void {
    if (this.done) return;
    const { early, ended } = this.#tunnel!.open();
    this.move("send HEADERS");
    this.#session.sendHead(this, head);
    if (early.length > 0) this.deliver(early);
    if (!this.#paused) this.#giveBack();
    if (ended) this.#tellEnd();
  }

  content(piece: StreamPiece): void {
    if (this.done) return;
    const { bytes, from, to, last } = piece;
    const sent = this.#pendingLength === 0 ? this.#session.sendData(this, piece) : from;
    if (sent < to) {
      this.#pending.push(bytes.slice(sent, to));
      this.#pendingLength += to - sent;
      if (last) this.#after = "end";
    } else if (last) this.#finish();
  }

  bodyEnd(trailer: Trailer | undefined): void {
    this.#trailer = trailer;
    this.#sendEnd();
  }

  bad(): void {
    this.abort();
  }

  /** Ends the answer behind what is pending. */
  #sendEnd(): void {
    if (this.done) return;
    if (this.#pendingLength > 0) {
      this.#after = "end";
      return;
    }
    const trailer = this.#trailer;
    if (trailer !== undefined) {
      this.move("send HEADERS");
      this.#session.sendHead(this, { ...trailer, status: 0, last: true });
    } else {
      this.#session.sendData(this, { bytes: nothing, from: 0, to: 0, last: true });
    }
    this.#finish();
  }

  #finish(): void {
    this.move("send END_STREAM");
    this.#after = "nothing";
    this.#trailer = undefined;
    if (!this.#tunnel?.isOpen || this.closing) this.#session.answered(this);
    else if (this.#state === "closed") this.#endBoth();
  }

  #fault(fault: unknown): void {
    this.handler.failed(fault);
    this.abort();
  }
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
