/** One stream of HTTP/2 to a server -> a link to a server that seems to speak HTTP/1.1, for one request. */
import { Held } from "../../link/held.ts";
import { type Link, type LinkHandler, nobody } from "../../link/link.ts";
import type { RequestFraming } from "../../wire/framing.ts";
import { Field } from "../../wire/field.ts";
import { isGrpc } from "../../wire/grpc.ts";
import { ErrorCode } from "../../wire/h2/frame.ts";
import type { AnswerWriter } from "../../wire/h2/answer.ts";
import type { Breach } from "../../wire/h2/frame-rules.ts";
import { FIELD_STRIDE, type RequestHead, VALUE_END, VALUE_START } from "../../wire/head.ts";
import type { Receiver } from "../frames/gathered.ts";
import { chunkLineRoom, ReceivedBody } from "../frames/received-body.ts";
import type { HeadWriter } from "../frames/head-writer.ts";
import type { StreamHead, StreamPiece, Trailer } from "../frames/parts.ts";
import type { SendingStream } from "../frames/sending.ts";
import { StreamFailure } from "../frames/stream-failure.ts";
import { maySend, type StreamEvent, type StreamState, step } from "../frames/stream-states.ts";
import { ReceiveWindow, SendWindow, streamWindow } from "../frames/windows.ts";
import { RequestReader, type RequestSink } from "./request-reader.ts";
import { acceptOf, type Bridged, bridged } from "./web-socket.ts";

/** The session, as a stream needs it. */
export interface RequestSession {
  readonly link: Link;
  readonly scheme: "http" | "https";
  /** The server takes WebSockets: RFC 8441. */
  readonly bridges: boolean;
  /** The stream holds a part of its answer, to be flushed when all frames that came at once have been handled. */
  holds(stream: RequestStream): void;
  /** Gives the stream its number. @returns false: the session has none left, or ends. */
  number(stream: RequestStream): boolean;
  sendHead(stream: RequestStream, head: StreamHead): void;
  /** Sends as much of bytes[from, to) as may go. @returns the offset behind it. */
  sendData(stream: RequestStream, piece: StreamPiece): number;
  /** Our END_STREAM is written. */
  sentEnd(stream: RequestStream): void;
  /** The owner has left, and what it has sent waits for the server. */
  lingers(stream: RequestStream): void;
  /** Ends the stream before both sides have ended it. */
  reset(stream: RequestStream, code: ErrorCode): void;
  /** The owner has left. The owner hears `closed` later, not within its own call. */
  left(stream: RequestStream): void;
  consumed(stream: RequestStream, count: number): void;
  fault(fault: unknown): void;
}

/** Parts of an answer of up to this many octets are copied together, as the exchange does with a head and a body. */
const coalesceLimit = 16_384;

/** Octets of interim heads, which no window holds back, that may come while the owner takes nothing. */
const interimLimit = 65_536;

const noWebSockets = "it speaks HTTP/2, and takes no WebSocket over it (RFC 8441)";

export class RequestStream implements Link, SendingStream, Receiver, RequestSink {
  handler: LinkHandler = nobody;
  readonly descriptor = -1;
  /** 0: no head was sent yet. */
  id = 0;
  /** DATA that the server lets us send. */
  readonly sendWindow = new SendWindow();
  /** DATA that we let the server send. */
  readonly receiveWindow = new ReceiveWindow(streamWindow);
  queued = false;
  /** The client takes trailers, and has said so. */
  trailers = false;
  /** The owner wants no more of it. */
  closing = false;
  /** The final head of the answer has come. */
  answered = false;
  /** The request is HEAD. */
  headRequest = false;

  readonly #session: RequestSession;
  readonly #reader = new RequestReader(this);
  #state: StreamState = "idle";
  /** Parts of the request that no window has let through. */
  #pending: Uint8Array[] = [];
  #pendingLength = 0;
  /** Our END_STREAM follows behind the pending parts. */
  #ends = false;
  #trailer: Trailer | undefined;
  #owing = false;
  #paused = false;
  /** Parts of the answer that came at once: one piece costs the client's connection less than three. */
  readonly #held = new Held();
  /** Octets of the answer that came while the link was paused. */
  #withheld = 0;
  /** The same of interim heads. */
  #interim = 0;
  readonly #body = new ReceivedBody();
  /** The request is a WebSocket's handshake. */
  #bridge: Bridged | undefined;
  /** The stream carries a WebSocket: content has no framing, either way. */
  #bridgeOpen = false;
  /** `closed` is still owed to the owner. */
  #owesClosed = true;

  constructor(session: RequestSession) {
    this.#session = session;
  }

  get remoteAddress(): string {
    return this.#session.link.remoteAddress;
  }

  get remotePort(): number {
    return this.#session.link.remotePort;
  }

  get localAddress(): string {
    return this.#session.link.localAddress;
  }

  get localPort(): number {
    return this.#session.link.localPort;
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

  /** Nothing more of the request may be sent. */
  get done(): boolean {
    return !maySend(this.#state);
  }

  /** @returns the rule that the server breaks with this. @throws where we break one. */
  move(event: StreamEvent): Breach | undefined {
    const next = step(this.#state, event);
    if (next === undefined) throw new Error(`"${event}" on a stream that is ${this.#state}`);
    if (typeof next !== "string") return next;
    this.#state = next;
    return undefined;
  }

  // The session calls, for the server:

  /** A head has come, and is in `answer`. `bytes`: the same in HTTP/1.1. `ends`: nothing follows. */
  answerHead(answer: AnswerWriter, { bytes, ends }: { bytes: Uint8Array; ends: boolean }): void {
    if (answer.status >= 200) {
      this.answered = true;
      if (this.#bridge !== undefined && answer.status < 300 && !ends) {
        this.#openBridge(this.#bridge, bytes);
        return;
      }
      this.#bridge = undefined;
      this.#body.begin(answer.bodyLength);
    }
    this.#deliver(bytes);
  }

  /** An interim head of this length has come. @returns false: the owner takes none, and there are too many. */
  takesInterim(length: number): boolean {
    if (this.#paused) this.#interim += length;
    return this.#interim <= interimLimit;
  }

  /** DATA of this length has come. @returns false: more than was announced. */
  takes(length: number): boolean {
    return this.#bridgeOpen || this.#body.take(length);
  }

  receive(body: HeadWriter, count: number): void {
    const piece = this.#bridgeOpen
      ? body.bytes.subarray(chunkLineRoom, body.length)
      : this.#body.piece(body);
    if (piece.length > 0) this.#deliver(piece);
    if (this.#paused && !this.closing) this.#withheld += count;
    else this.#session.consumed(this, count);
  }

  /** The reason that the owner hears with `closed`. */
  failure: StreamFailure | undefined;

  /** The answer has ended. `trailers`: field lines. @returns false: less came than was announced. */
  end(trailers: Uint8Array): boolean {
    if (this.#bridgeOpen) {
      this.flush();
      this.#tell((handler) => handler.ended());
      return true;
    }
    const rest = this.#body.end(trailers);
    if (rest !== undefined && rest.length > 0) this.#deliver(rest);
    return rest !== undefined;
  }

  /** The stream is closed, and the owner hears so unless it is done with it. */
  gone(cause: Error | undefined): void {
    this.flush();
    this.#state = "closed";
    this.drop();
    this.closing = true;
    if (!this.#owesClosed) return;
    this.#owesClosed = false;
    const handler = this.handler;
    this.handler = nobody;
    try {
      handler.closed(cause);
    } catch (fault) {
      this.#session.fault(fault);
    }
  }

  /** Forgets what is still to be sent. */
  drop(): void {
    this.#pending.length = 0;
    this.#pendingLength = 0;
    this.#ends = false;
    this.#trailer = undefined;
    this.#release();
  }

  sendPending(most: number): void {
    const first = this.#pending[0];
    if (first !== undefined) {
      const isLast = this.#pending.length === 1 && first.length <= most;
      const last = isLast && this.#ends && this.#trailer === undefined;
      const to = Math.min(first.length, most);
      const sent = this.#session.sendData(this, { bytes: first, from: 0, to, last });
      this.#pendingLength -= sent;
      if (sent < first.length) {
        this.#pending[0] = first.subarray(sent);
        return;
      }
      this.#pending.shift();
      if (last) this.#sentEnd();
    }
    if (this.#pending.length > 0) return;
    if (this.#ends) this.#sendEnd();
    if (!this.#owing) return;
    this.#owing = false;
    this.#tell((handler) => handler.drained());
  }

  /** Passes on the parts of the answer that came at once. */
  flush(): void {
    if (this.#held.length > 0) this.#hand(this.#held.take());
  }

  #deliver(bytes: Uint8Array): void {
    if (this.closing) return;
    if (this.#held.length + bytes.length <= coalesceLimit) {
      if (this.#held.length === 0) this.#session.holds(this);
      this.#held.add(bytes);
      return;
    }
    this.flush();
    this.#hand(bytes);
  }

  #hand(bytes: Uint8Array): void {
    if (this.closing) return;
    try {
      this.handler.data(bytes);
    } catch (fault) {
      this.#fault(fault);
    }
  }

  #tell(event: (handler: LinkHandler) => void): void {
    if (this.closing) return;
    try {
      event(this.handler);
    } catch (fault) {
      this.#fault(fault);
    }
  }

  #fault(fault: unknown): void {
    this.handler.failed(fault);
    this.abort();
  }

  // The owner calls:

  write(bytes: Uint8Array, from: number, to: number): boolean {
    if (this.closing || to <= from) return true;
    if (this.#bridgeOpen) this.content({ bytes, from, to, last: false });
    else this.#reader.read(from === 0 && to === bytes.length ? bytes : bytes.subarray(from, to));
    if (this.#pendingLength === 0) return true;
    this.#owing = true;
    return false;
  }

  halfClose(): void {
    if (this.#bridgeOpen && !this.closing) this.#sendEnd();
  }

  /** A stream that both sides have ended is gone; any other is taken back. */
  close(): void {
    if (this.closing) return;
    if (this.#bridgeOpen && !this.done) {
      // An orderly end, as RFC 8441 section 5 has it. The server's own end closes the stream.
      this.closing = true;
      this.#sendEnd();
      if (!this.done) this.#session.lingers(this);
      this.#release();
      return;
    }
    this.#leave();
  }

  abort(): void {
    if (!this.closing || this.#bridgeOpen) this.#leave();
  }

  #leave(): void {
    this.closing = true;
    if (this.#state === "idle") this.#state = "closed";
    // A server that has answered in full needs no reason: RFC 9113 section 8.1.
    const isDone = this.#state === "half-closed (remote)";
    if (this.#state !== "closed" && this.#state !== "closed (reset)") {
      this.#session.reset(this, isDone ? ErrorCode.noError : ErrorCode.cancel);
    }
    this.drop();
    this.#session.left(this);
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    this.#interim = 0;
    this.#release();
  }

  /** The server may send as many octets again as were withheld. */
  #release(): void {
    const count = this.#withheld;
    this.#withheld = 0;
    if (count > 0) this.#session.consumed(this, count);
  }

  // The request reader calls:

  requestHead(asked: { head: RequestHead; framing: RequestFraming; bytes: Uint8Array }): void {
    const { head, framing, bytes } = asked;
    const bridge = framing.upgrade ? bridged(head, bytes) : undefined;
    if (bridge !== undefined && !this.#session.bridges) {
      this.bad(noWebSockets);
      return;
    }
    if (!this.#session.number(this)) {
      this.#fail(new StreamFailure("its session ended", { unprocessed: true }));
      return;
    }
    this.#bridge = bridge;
    this.headRequest = framing.head;
    const last = framing.bodyLength === 0 && bridge === undefined;
    this.move("send HEADERS");
    this.#session.sendHead(this, {
      fields: bridge?.fields ?? head,
      bytes,
      status: 0,
      last,
      asked: {
        bytes,
        methodStart: head.start,
        methodEnd: head.methodEnd,
        pathStart: head.targetStart,
        pathEnd: head.targetEnd,
        authorityStart: framing.hostStart,
        authorityEnd: framing.hostEnd,
        scheme: this.#session.scheme,
        ...(bridge && { protocol: "websocket" }),
        trailers: this.trailers || wantsTrailers(head, bytes),
      },
    });
    if (last) this.#sentEnd();
  }

  content({ bytes, from, to, last }: StreamPiece): void {
    if (this.done) return;
    const sent =
      this.#pendingLength === 0 ? this.#session.sendData(this, { bytes, from, to, last }) : from;
    if (sent < to) {
      this.#pending.push(bytes.slice(sent, to));
      this.#pendingLength += to - sent;
      if (last) this.#ends = true;
    } else if (last) this.#sentEnd();
  }

  bodyEnd(trailer: Trailer | undefined): void {
    // The bytes are the reader's, which reads no more than one body.
    this.#trailer = trailer;
    this.#sendEnd();
  }

  bad(why: string): void {
    this.#fail(new StreamFailure(why));
  }

  /** Ends the request behind what is pending. */
  #sendEnd(): void {
    if (this.done) return;
    if (this.#pendingLength > 0) {
      this.#ends = true;
      return;
    }
    const trailer = this.#trailer;
    if (trailer !== undefined) {
      this.move("send HEADERS");
      this.#session.sendHead(this, { ...trailer, status: 0, last: true });
    } else this.#session.sendData(this, { bytes: nothing, from: 0, to: 0, last: true });
    this.#sentEnd();
  }

  #sentEnd(): void {
    this.move("send END_STREAM");
    this.#ends = false;
    this.#trailer = undefined;
    this.#session.sentEnd(this);
  }

  /** The stream cannot carry the request. The owner hears so later, as of every other end. */
  #fail(cause: StreamFailure): void {
    if (this.closing) return;
    this.failure = cause;
    this.#leave();
  }

  #openBridge(bridge: Bridged, head: Uint8Array): void {
    this.#bridgeOpen = true;
    this.#deliver(acceptOf(bridge, head));
  }
}

/** Whether the request is one of gRPC, whose servers want to hear that trailers are understood. */
function wantsTrailers(head: RequestHead, bytes: Uint8Array): boolean {
  const index = head.find(Field.contentType);
  if (index === -1) return false;
  const at = index * FIELD_STRIDE;
  return isGrpc(bytes, head.fields[at + VALUE_START]!, head.fields[at + VALUE_END]!);
}

const nothing = new Uint8Array(0);
