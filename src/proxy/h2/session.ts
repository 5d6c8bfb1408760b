/** A link that speaks HTTP/2 -> requests, each on a link of its own for a Connection. RFC 9113. */
import type { Asked } from "../../discovery/callers.ts";
import { lastWords } from "../../link/last-words.ts";
import type { Link, LinkHandler } from "../../link/link.ts";
import { Deadline } from "../../system/deadline.ts";
import {
  ErrorCode,
  Found,
  FrameReader,
  FrameType,
  preface,
  writeGoAway,
  writePing,
  writeReset,
} from "../../wire/h2/frame.ts";
import {
  anyFrame,
  type Breach,
  connectionError,
  settingsFirst,
  tooLong,
} from "../../wire/h2/frame-rules.ts";
import { Connection, type ConnectionShared } from "../client/connection.ts";
import { headSeconds, idleSeconds, lingerSeconds, silentSeconds } from "../client/states.ts";
import { Logins } from "../upstream/logins.ts";
import type { StreamHead, StreamPiece } from "../frames/parts.ts";
import { Sending } from "../frames/sending.ts";
import { connectionWindow, ReceiveWindow } from "../frames/windows.ts";
import { ClientAllowances } from "./client-allowances.ts";
import { ClientFrames } from "./client-frames.ts";
import { writeOurSettings } from "./settings.ts";
import { H2StreamLink, type StreamSession } from "./stream-link.ts";
import { mayReceive } from "../frames/stream-states.ts";
import { Streams } from "./streams.ts";

/** Our last words are written before: `lastWords` sees to the rest. */
const nothing = new Uint8Array(0);

/** Octets that are read behind GOAWAY of a client that broke a rule, or floods us. The rest costs us nothing. */
const mostRead = 65_536;

const { noError, protocolError, enhanceYourCalm } = ErrorCode;

const noPreface = connectionError(protocolError, "this is not HTTP/2");
const slowSection = connectionError(enhanceYourCalm, "a header section is too slow");
const slowFrame = connectionError(enhanceYourCalm, "a frame is too slow");
const idle = connectionError(noError, "the connection was idle");
const stopping = connectionError(noError, "the proxy stops");
/** The last number of all: RFC 9113 section 6.8 begins a shutdown this way, so that no stream on its way is lost. */
const anyStream = 0x7fff_ffff;

export type H2SessionOptions = {
  shared: ConnectionShared;
  /** The client's name for us in its ClientHello; undefined where it dialled an address. */
  serverName: string | undefined;
  /** The link is the inside of a TLS connection. */
  secured: boolean;
  /** All of it is inside a tunnel that CONNECT was granted. */
  tunnelled: boolean;
  /** The allowances of the client, whose process is this one if that is known. Undefined: the session's own. */
  allowances?(pid: number | undefined): ClientAllowances;
  /** The link is gone, and every stream with it. */
  gone(session: H2Session): void;
};

export class H2Session implements LinkHandler, StreamSession {
  readonly remoteAddress: string;
  readonly remotePort: number;
  readonly localAddress: string;
  readonly localPort: number;

  readonly #options: H2SessionOptions;
  /** For the streams' connections: which of them are gone is the session's own affair. */
  readonly #shared: ConnectionShared;
  readonly #reader = new FrameReader();
  readonly #streams = new Streams({
    credit: (window, count) => this.#sending.credit(window, count),
    wake: () => writePing(this.#sending.out),
    reset: (id) => writeReset(this.#sending.out, id, noError),
  });
  readonly #sending: Sending;
  readonly #window = new ReceiveWindow(connectionWindow);
  readonly #frames: ClientFrames;
  /** All streams have the one client. */
  readonly #logins: Logins;

  /** `draining`: GOAWAY is out, answers may end. `over`: our last words are out, the link is not closed yet. */
  #phase: "serving" | "draining" | "over" | "closed" = "serving";
  /** Octets of the preface that have come. */
  #prefaceRead = 0;
  /** When the client was asked to open further streams elsewhere. */
  #partedAt: number | undefined;
  /** Within `data`, which settles at its end. */
  #reading = false;
  /** `settle` is to run at the end of this turn. */
  #scheduled = false;
  /** When a stream was opened or answered last, or when our last words went out. */
  #since: number;
  /** When the frame began whose rest has not come. */
  #frameSince = 0;
  /** Seconds for which nobody could tell whether the client still exists. */
  #doubted = 0;
  #asked: Asked | undefined;
  /** Ends our last words. */
  readonly #farewell = new Deadline(() => this.#now() * 1_000);

  constructor(
    readonly link: Link,
    options: H2SessionOptions,
  ) {
    this.#options = options;
    const { callers } = options.shared;
    this.#shared = {
      ...options.shared,
      gone() {},
      // Objects that have served this client's streams know its process.
      spare: [],
      // All streams have the one client.
      callers: callers && {
        ask: () => (this.#asked ??= callers.ask(link)),
        forget() {},
        stop() {},
      },
    };
    this.#logins = new Logins({
      ...options.shared.loginFacts,
      parallel: true,
      lost: () => this.drain(),
    });
    this.remoteAddress = link.remoteAddress;
    this.remotePort = link.remotePort;
    this.localAddress = link.localAddress;
    this.localPort = link.localPort;
    this.#since = this.#now();
    this.#sending = new Sending(link, writeOurSettings);
    this.#frames = new ClientFrames({
      streams: this.#streams,
      sending: this.#sending,
      window: this.#window,
      certified: options.secured ? { name: options.serverName } : undefined,
      seconds: options.shared.seconds,
      allowances: () => this.#allowances(),
      newLink: ({ connected }) => this.#newLink(connected),
      opened: () => {
        this.#since = this.#now();
      },
    });
    link.handler = this;
  }

  /** Requests that are being answered. */
  get streams(): number {
    return this.#streams.size;
  }

  /**
   * Whether it is time to ask if the client still exists: the link of a client that reads nothing is paused, and hides
   * that it has left. See `Connection.mayBeGone`.
   */
  get mayBeGone(): boolean {
    if (this.#isOver || !this.link.paused) {
      this.#doubted = 0;
      return false;
    }
    this.#doubted++;
    return (this.#doubted & (this.#doubted - 1)) === 0;
  }

  /** Since when there has been no stream; undefined: there is one, or a request has begun. */
  get idleSince(): number | undefined {
    const isIdle = this.#phase === "serving" && this.#streams.size === 0 && !this.#waitsForFrame;
    return isIdle && this.#frames.sections.awaited <= anyFrame ? this.#since : undefined;
  }

  /** Another connection takes the place of this one, which is idle. */
  makeRoom(): void {
    this.#goAway(idle);
    this.#sending.flush();
    this.link.close();
    this.#end(undefined);
  }

  get #isOver(): boolean {
    return this.#phase === "over" || this.#phase === "closed";
  }

  #now(): number {
    return this.#options.shared.seconds();
  }

  #allowances(): ClientAllowances {
    const pid = this.#shared.callers?.ask(this.link).caller?.pid;
    return this.#options.allowances?.(pid) ?? new ClientAllowances();
  }

  #newLink(connected: boolean): H2StreamLink {
    const stream = new H2StreamLink(this);
    this.#streams.addLink(stream);
    // The session has settled whether the server name covers a stream's authority: `OwnAnswers`.
    const { secured, tunnelled } = this.#options;
    if (connected) {
      const inside = { secured, serverName: undefined, tunnelled, logins: this.#logins };
      stream.owner = new Connection(stream, this.#shared, inside);
    }
    return stream;
  }

  // The client's link calls:

  data(bytes: Uint8Array): void {
    if (this.#isOver) return;
    this.#reading = true;
    const from = this.#prefaceRead < preface.length ? this.#readPreface(bytes) : 0;
    if (from < bytes.length && !this.#isOver) this.#readFrames(bytes, from);
    this.#reading = false;
    this.#settle();
  }

  /** @returns the offset behind what belongs to the preface. */
  #readPreface(bytes: Uint8Array): number {
    let at = 0;
    if (this.#prefaceRead === 0) this.#since = this.#now();
    while (at < bytes.length && this.#prefaceRead < preface.length) {
      if (bytes[at++] === preface[this.#prefaceRead++]) continue;
      this.#fail(noPreface);
      return at;
    }
    if (this.#prefaceRead === preface.length) this.#sending.begin();
    return at;
  }

  #readFrames(bytes: Uint8Array, from: number): void {
    const reader = this.#reader;
    const begun = reader.begun;
    reader.push(bytes, from);
    let whole = false;
    for (let found = reader.next(); found !== Found.more; found = reader.next()) {
      const breach = found === Found.bad ? tooLong : this.#frames.handle(reader);
      if (breach !== undefined) this.#fail(breach);
      if (this.#isOver) break;
      whole = true;
    }
    if (whole || begun === undefined) this.#frameSince = this.#now();
    this.#frames.passOn();
  }

  drained(): void {
    this.#sending.unblock();
    this.#settle();
    if (!this.#sending.blocked) this.link.resume();
  }

  ended(): void {
    // Nobody half-closes a connection of HTTP/2: a client that sends no more has left.
    this.link.close();
    this.#end(undefined);
  }

  closed(cause: Error | undefined): void {
    this.#end(cause);
    if (this.#phase === "closed") return;
    this.#phase = "closed";
    this.#logins.close();
    if (this.#asked !== undefined) this.#options.shared.callers?.forget(this.#asked);
    this.#options.gone(this);
  }

  failed(fault: unknown): void {
    this.fault(fault);
  }

  /** Twice a second: ends what has taken too long. */
  tick(): void {
    const now = this.#now();
    const age = now - this.#since;
    if (this.#isOver) {
      this.#farewell.tick();
      return;
    }
    for (const { owner } of this.#streams.links) owner?.tick();
    this.#streams.late.tick(now);
    this.#schedule();
    const { sections } = this.#frames;
    if (sections.awaited > anyFrame && now - sections.since >= headSeconds) {
      this.#fail(slowSection);
    } else if (this.#waitsForFrame && now - this.#frameSince >= headSeconds) {
      this.#fail(slowFrame);
    } else if (this.#streams.size === 0) {
      this.#frames.shrink();
      if (age >= this.#idleLimit) this.#fail(idle);
    }
  }

  /** Seconds without a stream. The preface, with its SETTINGS, may take as long as a head. */
  get #idleLimit(): number {
    if (this.#streams.last > 0) return idleSeconds;
    const isGreeting = this.#prefaceRead > 0 && this.#frames.sections.awaited === settingsFirst;
    return isGreeting ? headSeconds : silentSeconds;
  }

  /** A frame is cut off that must not take long. A body may: the service waits for it, and decides for how long. */
  get #waitsForFrame(): boolean {
    const type = this.#reader.begun;
    if (type === undefined) return false;
    return this.#streams.size === 0 || (type !== -1 && type !== FrameType.data);
  }

  /**
   * Another proxy accepts in place of this one: the client is asked to open further streams there, and `seconds` later
   * the session takes no new one. A client that has not asked anything yet is about to. Called now and then.
   */
  part(seconds: number): void {
    if (this.#phase !== "serving") return;
    const now = this.#now();
    if (this.#partedAt !== undefined) {
      if (now - this.#partedAt >= seconds) this.drain();
    } else if (this.#streams.last > 0 || now - this.#since >= seconds) {
      this.#partedAt = now;
      this.#goAway(stopping, anyStream);
      this.#schedule();
    }
  }

  /** The proxy stops: the session takes no new stream, and ends with the last answer. */
  drain(): void {
    if (this.#phase !== "serving") return;
    this.#phase = "draining";
    this.#streams.draining = true;
    this.#goAway(stopping);
    this.#schedule();
  }

  // The streams' links call:

  sendHead(stream: H2StreamLink, head: StreamHead): void {
    this.#sending.head(stream, head);
    this.#schedule();
  }

  sendData(stream: H2StreamLink, piece: StreamPiece): number {
    const at = this.#sending.data(stream, piece);
    this.#schedule();
    return at;
  }

  answered(stream: H2StreamLink): void {
    if (stream.state === "half-closed (local)") this.#streams.answeredEarly(stream, this.#now());
    else this.#streams.close(stream);
    this.#streams.spare(stream);
    this.#since = this.#now();
    if (this.#phase === "draining") this.#schedule();
  }

  reset(stream: H2StreamLink, code: ErrorCode): void {
    stream.move("send RST_STREAM");
    this.#streams.close(stream);
    stream.drop();
    if (this.#isOver) return;
    writeReset(this.#sending.out, stream.id, code);
    this.#schedule();
  }

  left(stream: H2StreamLink): void {
    this.#streams.leave(stream);
    this.#schedule();
  }

  consumed(stream: H2StreamLink, count: number): void {
    if (this.#isOver) return;
    const sending = this.#sending;
    let says = sending.credit(this.#window, count);
    if (mayReceive(stream.state)) says = sending.credit(stream.receiveWindow, count) || says;
    else this.#streams.late.credit(stream.id, count);
    if (says) this.#schedule();
  }

  fault(fault: unknown): void {
    this.#shared.fault(fault);
  }

  // The end of a turn.

  /** Sends what can go, and tells the connections that have left. */
  #settle(): void {
    this.#sending.pump();
    this.#streams.removeLeaving();
    if (this.#phase === "draining" && this.#streams.size === 0) this.#sayLastWords(undefined);
    this.#sending.flush();
    if (this.#sending.unread) this.link.pause();
  }

  #schedule(): void {
    if (this.#reading || this.#scheduled) return;
    this.#scheduled = true;
    queueMicrotask(this.#scheduledSettle);
  }

  readonly #scheduledSettle = (): void => {
    this.#scheduled = false;
    if (this.#phase === "closed") return;
    try {
      this.#settle();
    } catch (fault) {
      // Not within an event of the link, so that nobody else would catch it.
      this.failed(fault);
      this.link.abort();
    }
  };

  // The end of the session.

  /** A connection error: RFC 9113 section 5.4.1. */
  #fail(breach: Breach): void {
    if (!this.#isOver) this.#sayLastWords(breach);
  }

  /** Sends GOAWAY, unless it is out already, and all that waits. The client may read it before the link closes. */
  #sayLastWords(breach: Breach | undefined): void {
    if (breach !== undefined) this.#goAway(breach);
    this.#sending.unblock();
    this.#sending.flush();
    this.#phase = "over";
    const isBroken = breach !== undefined && breach.code !== noError;
    lastWords(this.link, nothing, {
      timer: this.#farewell,
      linger: lingerSeconds * 1_000,
      ...(isBroken ? { flush: lingerSeconds * 1_000, most: mostRead } : {}),
      gone: (cause) => this.closed(cause),
      failed: (fault) => this.fault(fault),
    });
    this.#end(new Error("the session ended"));
  }

  #goAway({ code, why }: Breach, lastStream = this.#streams.last): void {
    this.#sending.begin();
    writeGoAway(this.#sending.out, { lastStream, code, why });
  }

  /** Ends every stream. */
  #end(cause: Error | undefined): void {
    if (this.#phase !== "closed") this.#phase = "over";
    this.#streams.removeAll(cause);
    this.#sending.drop();
  }
}
