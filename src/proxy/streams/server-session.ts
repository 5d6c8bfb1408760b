/** A link to a server that may speak HTTP/2 -> streams for requests, each a link of its own. RFC 9113. */
import type { Link, LinkHandler } from "../../link/link.ts";
import { beginsWithFrame } from "../../wire/h2/begins-with-frame.ts";
import {
  ErrorCode,
  Found,
  FrameReader,
  largestWindow,
  writeGoAway,
  writeReset,
} from "../../wire/h2/frame.ts";
import { anyFrame, type Breach, tooLong } from "../../wire/h2/frame-rules.ts";
import type { StreamHead, StreamPiece } from "../frames/parts.ts";
import { Sending } from "../frames/sending.ts";
import { StreamFailure } from "../frames/stream-failure.ts";
import { mayReceive } from "../frames/stream-states.ts";
import { connectionWindow, ReceiveWindow } from "../frames/windows.ts";
import { RequestStream, type RequestSession } from "./request-stream.ts";
import { ServerFrames, type ServerStreams } from "./server-frames.ts";
import { writePreface } from "./server-settings.ts";

/** Milliseconds that a WebSocket's stream may stay half-closed after its client is gone, until it is taken back. */
const lingerMilliseconds = 2_000;
/** The same where the server has not opened the window for all that the client sent. */
const unreadMilliseconds = 60_000;

/**
 * Resets of ours that one session should bear: Netty ends a session, and every stream on it, after 200 within 30 s;
 * Node takes no more requests on one after 1,000.
 */
const resetLimit = 200;

/** Milliseconds within which a header section has to be complete. */
const sectionMilliseconds = 15_000;

/** Octets that clients have not read, after which the session takes no requests of others, who would wait for them. */
const withheldLimit = connectionWindow / 2;

export type ServerSessionOptions = {
  scheme: "http" | "https";
  /** Milliseconds, monotonic. */
  now(): number;
  /** The server speaks HTTP/2: the session takes requests. */
  ready(session: ServerSession): void;
  /** The server does not, by its first bytes or by its silence. */
  declined(session: ServerSession, first: Uint8Array | undefined): void;
  /** A place for a request may be free, or the session takes none any more. */
  changed(session: ServerSession): void;
  /** The link is gone, and every stream with it. */
  gone(session: ServerSession): void;
  fault(fault: unknown): void;
};

export class ServerSession implements LinkHandler, RequestSession, ServerStreams {
  /** Requests that were answered. */
  served = 0;
  /** When the last stream was closed, in the milliseconds of `now`. */
  idleSince: number;

  /** `draining`: answers may end, and no request begins. */
  #phase: "starting" | "open" | "draining" | "closed" = "starting";
  #lastId = -1;
  readonly #options: ServerSessionOptions;
  readonly #reader = new FrameReader();
  readonly #sending: Sending;
  readonly #window = new ReceiveWindow(connectionWindow);
  readonly #frames: ServerFrames;
  /** Streams with a number that are not closed. */
  readonly #live = new Map<number, RequestStream>();
  /** Every stream that takes a place, with a number or without. */
  readonly #all = new Set<RequestStream>();
  #leaving: RequestStream[] = [];
  /** Streams that hold a part of their answers. */
  #holding: RequestStream[] = [];
  /** Streams whose owners have left and whose servers have not ended them, or not read them, and since when. */
  readonly #lingering = new Map<RequestStream, number>();
  #reading = false;
  #scheduled = false;
  /** Streams that we have reset. */
  #resets = 0;
  /** Our GOAWAY is written. */
  #left = false;

  constructor(
    readonly link: Link,
    options: ServerSessionOptions,
  ) {
    this.#options = options;
    this.idleSince = options.now();
    this.#sending = new Sending(link, writePreface);
    this.#frames = new ServerFrames(this, {
      sending: this.#sending,
      window: this.#window,
      seconds: () => options.now() / 1_000,
    });
    link.handler = this;
    this.#sending.begin();
    this.#sending.flush();
  }

  get scheme(): "http" | "https" {
    return this.#options.scheme;
  }

  get bridges(): boolean {
    return this.#frames.settings.bridges;
  }

  /** Requests that may begin now. */
  get room(): number {
    if (this.#phase !== "open" || this.#window.withheld > withheldLimit) return 0;
    return Math.max(0, this.#frames.settings.streams - this.#all.size);
  }

  /** Another connection is better: a server may end this one for what its streams have done or may do. */
  get isWorn(): boolean {
    // All streams that are open may be taken back at once.
    return this.#isOld || this.#resets + this.#all.size >= resetLimit;
  }

  /** No request will be better off here again. */
  get isSpent(): boolean {
    return this.#isOld && this.#all.size === 0;
  }

  get #isOld(): boolean {
    return this.#resets >= resetLimit / 2;
  }

  /** The session takes requests, or will again when some have ended. */
  get isOpen(): boolean {
    return this.#phase === "open";
  }

  get isIdle(): boolean {
    return this.#all.size === 0;
  }

  /** A link for one request, which takes one place until it is closed. Call only while there is room. */
  open(): RequestStream {
    const stream = new RequestStream(this);
    this.#all.add(stream);
    return stream;
  }

  /** Ends an idle session. */
  close(): void {
    if (this.#phase === "closed" || this.#left) return;
    // A request that came now would find the link closed.
    this.#phase = "draining";
    this.#goAway(ErrorCode.noError, "");
    this.#hangUp();
    this.#options.changed(this);
  }

  /** Ends the session and every request on it. */
  abort(): void {
    this.link.abort();
    this.#end(undefined);
  }

  /** Twice a second. */
  tick(): void {
    const now = this.#options.now();
    for (const [stream, since] of this.#lingering) {
      if (now - since < (stream.pending > 0 ? unreadMilliseconds : lingerMilliseconds)) continue;
      this.#lingering.delete(stream);
      stream.abort();
    }
    if (this.#all.size === 0) this.#frames.shrink();
    const { sections } = this.#frames;
    const isCut = this.#phase !== "starting" && sections.awaited !== anyFrame;
    if (isCut && now - sections.since * 1_000 >= sectionMilliseconds) {
      this.#break(ErrorCode.enhanceYourCalm, "the head of its answer is too slow");
    }
  }

  // The server's link calls:

  data(bytes: Uint8Array): void {
    if (this.#phase === "closed") return;
    if (this.#phase === "starting" && this.#reader.begun === undefined) {
      if (!beginsWithFrame(bytes)) {
        this.#options.declined(this, bytes);
        return;
      }
    }
    this.#reading = true;
    const reader = this.#reader;
    reader.push(bytes, 0);
    for (let found = reader.next(); found !== Found.more; found = reader.next()) {
      const breach = found === Found.bad ? tooLong : this.#frames.handle(reader);
      if (breach !== undefined) this.#fail(breach);
      if (this.#isClosed) break;
    }
    if (!this.#isClosed) this.#frames.passOn();
    for (const stream of this.#holding) stream.flush();
    this.#holding.length = 0;
    this.#reading = false;
    this.#settle();
  }

  get #isClosed(): boolean {
    return this.#phase === "closed";
  }

  drained(): void {
    this.#sending.unblock();
    this.#settle();
    if (!this.#sending.blocked) this.link.resume();
  }

  ended(): void {
    // A server that sends no more answers no more.
    this.link.close();
    this.#end(undefined);
  }

  closed(cause: Error | undefined): void {
    this.#end(cause);
  }

  failed(fault: unknown): void {
    this.#options.fault(fault);
  }

  // The server's frames call:

  get(id: number): RequestStream | undefined {
    return this.#live.get(id);
  }

  get all(): Iterable<RequestStream> {
    return this.#live.values();
  }

  isUnused(id: number): boolean {
    return id > this.#lastId;
  }

  closeStream(stream: RequestStream, cause: StreamFailure | undefined): void {
    stream.failure ??= cause;
    this.#forget(stream);
    this.#leaving.push(stream);
    this.#schedule();
  }

  fail(stream: RequestStream, breach: Breach, cause: StreamFailure): void {
    // The end of an answer that is no answer may have closed the stream, and then there is nothing to reset.
    if (stream.state !== "closed") {
      stream.move("stream error");
      this.#writeReset(stream.id, breach.code);
    }
    this.closeStream(stream, cause);
  }

  goAway(lastStream: number): void {
    if (this.#phase === "open" || this.#phase === "starting") this.#phase = "draining";
    const unseen = new StreamFailure("it closed its connection (GOAWAY)", { unprocessed: true });
    for (const stream of this.#live.values()) {
      if (stream.id > lastStream) this.closeStream(stream, unseen);
    }
    this.#options.changed(this);
  }

  settled(): void {
    if (this.#phase !== "starting") return;
    this.#phase = "open";
    this.#options.ready(this);
  }

  // The streams call:

  holds(stream: RequestStream): void {
    this.#holding.push(stream);
  }

  number(stream: RequestStream): boolean {
    if (this.#phase !== "open") return false;
    this.#lastId += 2;
    stream.id = this.#lastId;
    stream.sendWindow.left = this.#frames.settings.initialWindow;
    stream.receiveWindow.begin(stream.id);
    this.#live.set(stream.id, stream);
    // The last number of all.
    if (this.#lastId >= largestWindow) this.#phase = "draining";
    return true;
  }

  sendHead(stream: RequestStream, head: StreamHead): void {
    this.#sending.head(stream, head);
    this.#schedule();
  }

  sendData(stream: RequestStream, piece: StreamPiece): number {
    const at = this.#sending.data(stream, piece);
    this.#schedule();
    return at;
  }

  sentEnd(stream: RequestStream): void {
    if (stream.state === "closed") this.closeStream(stream, undefined);
    else if (stream.closing) this.lingers(stream);
  }

  lingers(stream: RequestStream): void {
    this.#lingering.set(stream, this.#options.now());
  }

  reset(stream: RequestStream, code: ErrorCode): void {
    stream.move("send RST_STREAM");
    if (this.#phase === "closed") return;
    this.#writeReset(stream.id, code);
    this.#schedule();
  }

  #writeReset(id: number, code: ErrorCode): void {
    this.#resets++;
    writeReset(this.#sending.out, id, code);
  }

  left(stream: RequestStream): void {
    this.#forget(stream);
    this.#leaving.push(stream);
    this.#schedule();
  }

  consumed(stream: RequestStream, count: number): void {
    if (this.#phase === "closed") return;
    const sending = this.#sending;
    let says = sending.credit(this.#window, count);
    if (mayReceive(stream.state)) says = sending.credit(stream.receiveWindow, count) || says;
    if (says) this.#schedule();
  }

  fault(fault: unknown): void {
    this.#options.fault(fault);
  }

  // The end of a turn.

  /** Sends what can go, and tells the owners of streams that are closed. */
  #settle(): void {
    this.#sending.pump();
    const freed = this.#leaving.length > 0;
    while (this.#leaving.length > 0) {
      const leaving = this.#leaving;
      this.#leaving = [];
      for (const stream of leaving) stream.gone(stream.failure);
    }
    if (this.#phase === "closed") return;
    if (freed) {
      this.idleSince = this.#options.now();
      this.#options.changed(this);
    }
    this.#sending.flush();
    if (this.#sending.unread) this.link.pause();
    if (this.#phase === "draining" && this.#all.size === 0) this.close();
  }

  #schedule(): void {
    if (this.#reading || this.#scheduled) return;
    this.#scheduled = true;
    queueMicrotask(this.#scheduledSettle);
  }

  readonly #scheduledSettle = (): void => {
    this.#scheduled = false;
    try {
      this.#settle();
    } catch (fault) {
      // Not within an event of the link, so that nobody else would catch it.
      this.failed(fault);
      this.abort();
    }
  };

  #forget(stream: RequestStream): void {
    if (this.#all.delete(stream) && stream.answered) this.served++;
    if (this.#live.get(stream.id) === stream) this.#live.delete(stream.id);
    this.#lingering.delete(stream);
  }

  // The end of the session.

  /** A connection error of the server's: RFC 9113 section 5.4.1. */
  #fail({ code, why }: Breach): void {
    this.#break(code, `it broke a rule of HTTP/2: ${why}`);
  }

  #break(code: ErrorCode, why: string): void {
    if (this.#phase === "closed") return;
    const isNew = this.#phase === "starting";
    this.#goAway(code, why);
    if (isNew) this.#options.declined(this, undefined);
    this.#end(new StreamFailure(why));
    this.#hangUp();
  }

  /** Last words. */
  #goAway(code: ErrorCode, why: string): void {
    this.#left = true;
    writeGoAway(this.#sending.out, { lastStream: 0, code, why });
    this.#sending.unblock();
    this.#sending.flush();
  }

  /** A server that reads nothing does not get to read our last words either. */
  #hangUp(): void {
    if (this.link.pending > 0) this.link.abort();
    else this.link.close();
  }

  /** Ends every stream. */
  #end(cause: Error | undefined): void {
    if (this.#phase === "closed") return;
    this.#phase = "closed";
    this.#sending.drop();
    this.#live.clear();
    for (const stream of [...this.#all]) {
      // A request of which nothing was sent may go by another connection.
      const untouched = new StreamFailure("its connection ended", { unprocessed: true });
      this.#all.delete(stream);
      stream.gone(stream.failure ?? (stream.id === 0 ? untouched : cause));
    }
    for (const stream of this.#leaving) stream.gone(stream.failure);
    this.#leaving = [];
    this.#options.gone(this);
  }
}
