/** A link inside of TLS that speaks HTTP/2 into requests, each on a link of its own for the one path of all requests. RFC 9113. */
import type { Asked } from "../../discovery/callers.ts";
import type { Link, LinkHandler } from "../../link/link.ts";
import { classifyHost } from "../../routes/host.ts";
import { readAuthority } from "../../wire/authority.ts";
import { Field } from "../../wire/field.ts";
import type { H2Field } from "../../wire/h2/field.ts";
import {
  contentOf,
  ErrorCode,
  FrameReader,
  FrameType,
  firstWindow,
  Flag,
  Found,
  frameHeadLength,
  largestWindow,
  payloadLimit,
  preface,
  readUint31,
  readUint32,
  Setting,
  writeFrameHead,
  writeGoAway,
  writePong,
  writeReset,
  writeSettings,
  writeSettingsAck,
  writeWindowUpdate,
} from "../../wire/h2/frame.ts";
import { HpackDecoder } from "../../wire/h2/hpack-decoder.ts";
import { HpackEncoder } from "../../wire/h2/hpack-encoder.ts";
import { RequestWriter, TrailerWriter } from "../../wire/h2/request.ts";
import {
  FIELD_STRIDE,
  headLimit,
  NAME_END,
  NAME_START,
  RequestHead,
  VALUE_END,
  VALUE_START,
} from "../../wire/head.ts";
import { Connection, type ConnectionShared } from "../client/connection.ts";
import { headSeconds, idleSeconds } from "../client/states.ts";
import { covers } from "../client/covers.ts";
import { errorPage, type Problem } from "../pages/error-page.ts";
import { HeadWriter } from "../upstream/head-writer.ts";
import { Held } from "../../link/held.ts";
import { wantsOf } from "../pages/negotiate.ts";
import { encodeReply } from "../pages/reply.ts";
import { Allowance } from "./allowance.ts";
import {
  chunkLineRoom,
  H2StreamLink,
  type StreamHead,
  type StreamPiece,
  type StreamSession,
} from "./stream-link.ts";

/** Twice what browsers open at once, which is 100 where they are not told. */
const streamLimit = 256;

/** Octets of a request's body that may be on their way to a service that does not read. Loopback needs no more to run at full speed. */
const streamWindow = 262_144;
/** The same of all streams together: so many have to stand still before others are held up. */
const sessionWindow = 32 * streamWindow;

/** Octets of a header section as it comes: its fields may take `headLimit` plain, and nobody's code is longer than twice that. */
const blockLimit = 2 * headLimit;
/** Frames that one section may come in. A client that fills its frames needs eight. */
const continuationLimit = 128;

/** Streams a client takes back: a page that is reloaded resets hundreds at once. Node's 1,000 tripped on that (portless had to raise it). */
const resetBurst = 4_000;
const resetsPerSecond = 100;
/** Frames that cost us something and bring a request no further: pings, settings, empty DATA. gRPC sends a ping for a few DATA. */
const idleFrameBurst = 10_000;
const idleFramesPerSecond = 1_000;

/** Streams that ended here before their clients had sent all; of older ones nobody remembers whether they did. */
const cutShortLimit = 1_024;

/** Octets gathered before they are written within one turn of the event loop: four TLS records. */
const flushLength = 65_536;
/** Octets of answers that a client does not take; past it nothing more is read from the client either. */
const unreadLimit = 262_144;

/** Links without a stream that are kept for the next one. More are in use only while a page loads. */
const spareLimit = 64;

/** Seconds that a client has for our last words. */
const lingerSeconds = 2;

const firstSettings = [
  [Setting.headerTableSize, 4_096],
  [Setting.maxConcurrentStreams, streamLimit],
  [Setting.initialWindowSize, streamWindow],
  [Setting.maxHeaderListSize, headLimit],
] as const;

/** What HTTP/1.1 says of a connection has no place in HTTP/2: RFC 9113 section 8.2.2. */
const hopFields = new Set<number>([
  Field.connection,
  Field.keepAlive,
  Field.transferEncoding,
  Field.upgrade,
  Field.proxyConnection,
  Field.http2Settings,
  Field.te,
]);

export type H2SessionOptions = {
  shared: ConnectionShared;
  /** What the client called us in its ClientHello; undefined where it dialled an address. */
  serverName: string | undefined;
  /** The TLS is inside a tunnel that CONNECT was granted. */
  tunnelled: boolean;
  /** The link is gone, and every stream with it. */
  gone(session: H2Session): void;
};

export class H2Session implements LinkHandler, StreamSession {
  readonly remoteAddress: string;
  readonly remotePort: number;
  readonly localAddress: string;
  readonly localPort: number;

  readonly #options: H2SessionOptions;
  /** For the connections of the streams: who is gone there is our own affair. */
  readonly #shared: ConnectionShared;
  readonly #out = new HeadWriter(4_096);
  readonly #frame = new FrameReader();
  readonly #decoder = new HpackDecoder();
  readonly #encoder = new HpackEncoder();
  readonly #requestHead = new HeadWriter(1_024);
  readonly #request = new RequestWriter(this.#requestHead);
  readonly #trailer = new TrailerWriter(this.#requestHead);

  /** Streams that are not over, by their numbers. */
  readonly #streams = new Map<number, H2StreamLink>();
  /** Streams that are over and of which more may come, from a client that had not heard of it. */
  readonly #cutShort = new Set<number>();
  /** Up to here nobody remembers any more. */
  #forgotten = 0;
  /** Every link with an owner, with a stream or without. */
  readonly #links = new Set<H2StreamLink>();
  /** Those without. */
  #spare: H2StreamLink[] = [];
  /** Links whose owners have left. */
  #leaving: H2StreamLink[] = [];
  /** Streams with something to send that their own windows let through. */
  #sending: H2StreamLink[] = [];

  #prefaceRead = 0;
  #settingsRead = false;
  #lastStream = 0;
  #sendWindow = firstWindow;
  #receiveWindow = sessionWindow;
  #uncredited = 0;
  /** The other side's SETTINGS_INITIAL_WINDOW_SIZE. */
  #firstSendWindow = firstWindow;

  /** The stream whose header section is not complete; 0: none. */
  #continued = 0;
  #continuedEnds = false;
  #continuations = 0;
  /** When that section began. */
  #sectionSince = 0;
  /** When the frame began whose rest has not come. */
  #frameSince = 0;
  #block = new Held();
  /** Whose DATA is in `#body`. Nobody's, outside of `data`. */
  #gathering: H2StreamLink | undefined;
  /** The windows' octets that it took, padding included. */
  #gathered = 0;
  readonly #body = new HeadWriter(0);
  /** Octets of the section at hand, as SETTINGS_MAX_HEADER_LIST_SIZE counts them. */
  #listSize = 0;

  /** The link has not taken all that was written. */
  #blocked = false;
  /** We are within `data`, which flushes at its end. */
  #reading = false;
  #scheduled = false;
  #draining = false;
  /** Our last words are out. */
  #over = false;
  #closed = false;
  #since: number;
  readonly #resets = new Allowance(resetBurst, resetsPerSecond);
  #begun = false;
  readonly #places = { nameStart: 0, nameEnd: 0, valueStart: 0, valueEnd: 0 };
  /** Seconds for which it could not be told whether the client still exists. */
  #doubted = 0;
  readonly #idleFrames = new Allowance(idleFrameBurst, idleFramesPerSecond);
  /** An authority that the certificate covers. */
  #covered: H2Field | undefined;
  #asked: Asked | undefined;

  constructor(
    readonly link: Link,
    options: H2SessionOptions,
  ) {
    this.#options = options;
    const { callers } = options.shared;
    this.#shared = {
      ...options.shared,
      gone() {},
      // All streams have the one client.
      callers: callers && {
        ask: () => (this.#asked ??= callers.ask(link)),
        forget() {},
        stop() {},
      },
    };
    this.remoteAddress = link.remoteAddress;
    this.remotePort = link.remotePort;
    this.localAddress = link.localAddress;
    this.localPort = link.localPort;
    this.#since = options.shared.seconds();
    link.handler = this;
  }

  /** Requests that are being answered. */
  get streams(): number {
    return this.#streams.size;
  }

  /**
   * Whether it is time to ask if the client still exists: while it takes nothing its link is paused, which hides that it has
   * left. As a `Connection` has it.
   */
  get mayBeGone(): boolean {
    if (this.#over || !this.link.paused) {
      this.#doubted = 0;
      return false;
    }
    this.#doubted++;
    return (this.#doubted & (this.#doubted - 1)) === 0;
  }

  // Events of the client's link.

  data(bytes: Uint8Array): void {
    if (this.#over) return;
    this.#reading = true;
    const from = this.#prefaceRead < preface.length ? this.#readPreface(bytes) : 0;
    if (from < bytes.length && !this.#over) {
      const frame = this.#frame;
      const begun = frame.begun;
      frame.push(bytes, from);
      let whole = false;
      for (let found = frame.next(); found !== Found.more; found = frame.next()) {
        if (found === Found.bad) {
          this.#fail(ErrorCode.frameSizeError, "a frame is longer than was allowed");
        } else this.#handle(frame);
        if (this.#over) break;
        whole = true;
      }
      if (whole || begun === undefined) this.#frameSince = this.#shared.seconds();
      this.#passOn();
    }
    this.#reading = false;
    this.#settle();
  }

  drained(): void {
    this.#blocked = false;
    this.#settle();
    if (!this.#blocked) this.link.resume();
  }

  ended(): void {
    // Nobody half-closes a connection of HTTP/2: who sends no more has left.
    this.link.close();
    this.#end(undefined);
  }

  closed(cause: Error | undefined): void {
    this.#end(cause);
    if (this.#closed) return;
    this.#closed = true;
    if (this.#asked !== undefined) this.#options.shared.callers?.forget(this.#asked);
    this.#options.gone(this);
  }

  failed(fault: unknown): void {
    this.#shared.fault(fault);
  }

  /** Twice a second: what has stood for too long. */
  tick(): void {
    const now = this.#shared.seconds();
    const age = now - this.#since;
    if (this.#over) {
      if (age >= lingerSeconds) this.link.close();
      return;
    }
    for (const { handler } of this.#links) if (handler instanceof Connection) handler.tick();
    this.#schedule();
    if (this.#continued !== 0 && now - this.#sectionSince >= headSeconds) {
      this.#fail(ErrorCode.enhanceYourCalm, "a header section is too slow");
    } else if (this.#waitsForFrame && now - this.#frameSince >= headSeconds) {
      this.#fail(ErrorCode.enhanceYourCalm, "a frame is too slow");
    } else if (this.#streams.size === 0) {
      this.#body.bytes = nothing;
      const allowed = this.#lastStream === 0 ? headSeconds : idleSeconds;
      if (age >= allowed) this.#fail(ErrorCode.noError, "the connection was idle");
    }
  }

  /** A frame is cut off that nobody may take long for. A body may: its service waits, and says for how long. */
  get #waitsForFrame(): boolean {
    const type = this.#frame.begun;
    if (type === undefined) return false;
    return this.#streams.size === 0 || (type !== -1 && type !== FrameType.data);
  }

  /** The proxy stops: takes no new stream, and ends with the last answer. */
  drain(): void {
    if (this.#draining || this.#over) return;
    this.#draining = true;
    this.#begin();
    writeGoAway(this.#out, {
      lastStream: this.#lastStream,
      code: ErrorCode.noError,
      why: "the proxy stops",
    });
    this.#schedule();
  }

  // Frames of the client.

  /** @returns the offset behind what belongs to it. */
  #readPreface(bytes: Uint8Array): number {
    let at = 0;
    while (at < bytes.length && this.#prefaceRead < preface.length) {
      if (bytes[at++] === preface[this.#prefaceRead++]) continue;
      this.#fail(ErrorCode.protocolError, "this is not HTTP/2");
      return at;
    }
    if (this.#prefaceRead === preface.length) this.#begin();
    return at;
  }

  /** Our side of the preface: SETTINGS, once. */
  #begin(): void {
    if (this.#begun) return;
    this.#begun = true;
    writeSettings(this.#out, firstSettings);
    writeWindowUpdate(this.#out, 0, sessionWindow - firstWindow);
  }

  #handle(frame: FrameReader): void {
    const follows = frame.type === FrameType.data && frame.stream === this.#gathering?.id;
    if (!follows) this.#passOn();
    if (!this.#settingsRead && frame.type !== FrameType.settings) {
      this.#fail(ErrorCode.protocolError, "the first frame is not SETTINGS");
      return;
    }
    if (this.#continued !== 0 && frame.type !== FrameType.continuation) {
      this.#fail(ErrorCode.protocolError, "a header section is interrupted");
      return;
    }
    switch (frame.type) {
      case FrameType.data:
        this.#data(frame);
        break;
      case FrameType.headers:
        this.#headers(frame);
        break;
      case FrameType.continuation:
        this.#continuation(frame);
        break;
      case FrameType.resetStream:
        this.#resetByClient(frame);
        break;
      case FrameType.settings:
        this.#settings(frame);
        break;
      case FrameType.ping:
        this.#ping(frame);
        break;
      case FrameType.windowUpdate:
        this.#windowUpdate(frame);
        break;
      case FrameType.pushPromise:
        this.#fail(ErrorCode.protocolError, "a client does not push");
        break;
      case FrameType.priority:
        if (frame.stream === 0) this.#fail(ErrorCode.protocolError, "PRIORITY names no stream");
        else if (frame.end - frame.start !== 5) {
          this.#fail(ErrorCode.frameSizeError, "PRIORITY is five octets long");
        }
        this.#idleFrame(1);
        break;
      case FrameType.goAway:
        if (frame.stream !== 0) this.#fail(ErrorCode.protocolError, "GOAWAY is of no stream");
        this.#idleFrame(1);
        break;
      default:
        // RFC 9113 section 5.5: what is not known is not there.
        this.#idleFrame(1);
        break;
    }
  }

  #data(frame: FrameReader): void {
    const id = frame.stream;
    const count = frame.end - frame.start;
    if (this.#isIdle(id)) {
      this.#fail(ErrorCode.protocolError, "DATA is of no stream");
      return;
    }
    const content = contentOf(frame);
    if (content === undefined) {
      this.#fail(ErrorCode.protocolError, "there is only padding");
      return;
    }
    this.#receiveWindow -= count;
    if (this.#receiveWindow < 0) {
      this.#fail(ErrorCode.flowControlError, "more came than the connection's window");
      return;
    }
    const ends = (frame.flags & Flag.endStream) !== 0;
    const stream = this.#streams.get(id);
    if (stream === undefined) {
      this.#credit(count);
      if (this.#mayGoOn(id)) {
        this.#idleFrame(1);
        if (ends) this.#cutShort.delete(id);
      } else this.#fail(ErrorCode.streamClosed, "DATA is of a stream that is closed");
      return;
    }
    if (stream.remoteEnded) {
      this.#credit(count);
      this.#refuse(stream, ErrorCode.streamClosed);
      return;
    }
    stream.receiveWindow -= count;
    if (stream.receiveWindow < 0) {
      this.#credit(count);
      this.#refuse(stream, ErrorCode.flowControlError);
      return;
    }
    if (content.start === content.end && !ends) this.#idleFrame(1);
    if (!stream.takes(content.end - content.start)) {
      this.#credit(count);
      this.#passOn();
      this.#refuse(stream, ErrorCode.protocolError);
      return;
    }
    // First, because with the last octet the answer may come to its end.
    stream.remoteEnded = ends;
    this.#gather(stream, frame.bytes, { from: content.start, to: content.end, count });
    if (!ends) return;
    this.#passOn();
    if (this.#streams.get(id) === stream && !stream.end(nothing)) {
      this.#refuse(stream, ErrorCode.protocolError);
    }
  }

  /** DATA of one stream that comes at once goes on in one piece: a write for each frame would cost more than the copy. */
  #gather(
    stream: H2StreamLink,
    bytes: Uint8Array,
    { from, to, count }: { from: number; to: number; count: number },
  ): void {
    if (this.#gathering === undefined) {
      this.#gathering = stream;
      this.#gathered = 0;
      this.#body.clear();
      this.#body.reserve(chunkLineRoom);
      this.#body.length = chunkLineRoom;
    }
    this.#body.copy(bytes, from, to);
    this.#gathered += count;
  }

  #passOn(): void {
    const stream = this.#gathering;
    if (stream === undefined) return;
    this.#gathering = undefined;
    stream.receive(this.#body, this.#gathered);
  }

  #headers(frame: FrameReader): void {
    const id = frame.stream;
    if ((id & 1) === 0) {
      this.#fail(ErrorCode.protocolError, "a client's streams are odd");
      return;
    }
    const content = contentOf(frame);
    if (content === undefined) {
      this.#fail(ErrorCode.protocolError, "there is only padding");
      return;
    }
    const ends = (frame.flags & Flag.endStream) !== 0;
    if ((frame.flags & Flag.endHeaders) !== 0) {
      this.#section(frame.bytes, { from: content.start, to: content.end, id, ends });
      return;
    }
    this.#continued = id;
    this.#continuedEnds = ends;
    this.#continuations = 0;
    this.#sectionSince = this.#shared.seconds();
    this.#block.clear();
    this.#block.add(frame.bytes, content.start, content.end);
  }

  #continuation(frame: FrameReader): void {
    const id = this.#continued;
    if (id === 0 || frame.stream !== id) {
      this.#fail(ErrorCode.protocolError, "CONTINUATION continues nothing");
      return;
    }
    this.#block.add(frame.bytes, frame.start, frame.end);
    if (++this.#continuations > continuationLimit || this.#block.length > blockLimit) {
      this.#fail(ErrorCode.enhanceYourCalm, "a header section is too long");
      return;
    }
    if ((frame.flags & Flag.endHeaders) === 0) return;
    const bytes = this.#block.take();
    this.#continued = 0;
    this.#section(bytes, { from: 0, to: bytes.length, id, ends: this.#continuedEnds });
  }

  /** A whole header section: a request, or the trailers of one. */
  #section(
    bytes: Uint8Array,
    { from, to, id, ends }: { from: number; to: number; id: number; ends: boolean },
  ): void {
    this.#listSize = 0;
    const isNew = id > this.#lastStream;
    if (isNew) this.#request.begin();
    else this.#trailer.begin();
    const wrong = this.#decoder.decode(
      bytes,
      { from, to },
      isNew ? this.#requestSink : this.#trailerSink,
    );
    if (wrong !== undefined) {
      this.#fail(ErrorCode.compressionError, wrong);
      return;
    }
    if (isNew) this.#open(id, ends);
    else this.#trailers(id, ends);
  }

  readonly #requestSink = {
    field: (field: H2Field): void => {
      this.#listSize += field.size;
      // What is longer has to be read to its end all the same, or the next section could not be.
      if (this.#listSize <= headLimit) this.#request.field(field);
    },
  };

  readonly #trailerSink = {
    field: (field: H2Field): void => {
      this.#listSize += field.size;
      if (this.#listSize <= headLimit) this.#trailer.field(field);
    },
  };

  #open(id: number, ends: boolean): void {
    // A stream that we said we would not take: RFC 9113 section 6.8.
    if (this.#draining) return;
    this.#lastStream = id;
    this.#since = this.#shared.seconds();
    if (this.#streams.size >= streamLimit) {
      this.#refuseNew(id, ends, ErrorCode.refusedStream);
      return;
    }
    const request = this.#request;
    request.finish({ ended: ends });
    if (this.#listSize > headLimit) {
      this.#reply(id, ends, { status: 431, limit: headLimit });
      return;
    }
    if (request.malformed !== undefined) {
      this.#refuseNew(id, ends, ErrorCode.protocolError);
      return;
    }
    if (request.connect) {
      this.#reply(id, ends, { status: 405, allow: "GET, HEAD, POST" });
      return;
    }
    const misdirected = this.#misdirected(request.authority);
    if (misdirected !== undefined) {
      this.#reply(id, ends, misdirected);
      return;
    }
    let stream = this.#spare.pop();
    if (stream === undefined) {
      const { tunnelled } = this.#options;
      stream = new H2StreamLink(this);
      this.#links.add(stream);
      // Whether the server name covers what a stream asks for is settled here, for all of them.
      new Connection(stream, this.#shared, { serverName: undefined, tunnelled });
    }
    this.#beginStream(stream, id, ends);
    stream.deliver(this.#requestHead.bytes.subarray(0, this.#requestHead.length));
  }

  #beginStream(stream: H2StreamLink, id: number, ends: boolean): void {
    this.#streams.set(id, stream);
    stream.remoteEnded = ends;
    stream.begin(id, this.#request, { send: this.#firstSendWindow, receive: streamWindow });
  }

  /** An answer of the session itself, which knows what no request line could say. */
  #reply(id: number, ends: boolean, problem: Problem): void {
    const stream = new H2StreamLink(this);
    this.#links.add(stream);
    this.#beginStream(stream, id, ends);
    const head = new RequestHead();
    const asked = this.#requestHead.bytes.subarray(0, this.#requestHead.length);
    // Whole or not: what there is of it says in which form it wants to hear this.
    head.read(asked);
    const bytes = encodeReply(errorPage(problem, wantsOf(head, asked)), {
      head: this.#request.head,
      close: true,
    });
    stream.write(bytes, 0, bytes.length);
    stream.close();
  }

  /** What is wrong where the certificate is not one for the host that was asked for. */
  #misdirected(authority: H2Field | undefined): Problem | undefined {
    if (authority === undefined || authority === this.#covered) return undefined;
    const { line, valueStart, valueEnd } = authority;
    const asked = readAuthority(line, valueStart, valueEnd);
    // What is none is refused with the reason by who reads it next.
    if (asked === undefined) return undefined;
    const { host } = asked;
    const { serverName } = this.#options;
    if (covers(serverName, host)) {
      this.#covered = authority;
      return undefined;
    }
    if (classifyHost(host).kind === "foreign") return { status: 421, host };
    return { status: 421, host, certificate: serverName ?? "localhost" };
  }

  #trailers(id: number, ends: boolean): void {
    const stream = this.#streams.get(id);
    if (stream === undefined) {
      if (this.#mayGoOn(id)) {
        this.#idleFrame(10);
        if (ends) this.#cutShort.delete(id);
      } else this.#fail(ErrorCode.protocolError, "HEADERS is of a stream that is closed");
      return;
    }
    if (stream.remoteEnded) {
      this.#refuse(stream, ErrorCode.streamClosed);
      return;
    }
    const long = this.#listSize > headLimit;
    if (!ends || long || this.#trailer.malformed !== undefined) {
      this.#refuse(stream, ErrorCode.protocolError);
      return;
    }
    const lines = this.#requestHead.bytes.subarray(0, this.#requestHead.length);
    if (!stream.end(lines)) this.#refuse(stream, ErrorCode.protocolError);
  }

  #resetByClient(frame: FrameReader): void {
    if (frame.end - frame.start !== 4) {
      this.#fail(ErrorCode.frameSizeError, "RST_STREAM is four octets long");
      return;
    }
    if (this.#isIdle(frame.stream)) {
      this.#fail(ErrorCode.protocolError, "RST_STREAM is of no stream");
      return;
    }
    this.#countReset();
    this.#cutShort.delete(frame.stream);
    const stream = this.#streams.get(frame.stream);
    if (stream === undefined || this.#over) return;
    this.#streams.delete(frame.stream);
    this.#remove(stream, new Error("the client took its request back"));
  }

  #settings(frame: FrameReader): void {
    const length = frame.end - frame.start;
    if (frame.stream !== 0) {
      this.#fail(ErrorCode.protocolError, "SETTINGS is of no stream");
      return;
    }
    this.#settingsRead = true;
    if ((frame.flags & Flag.ack) !== 0) {
      if (length !== 0)
        this.#fail(ErrorCode.frameSizeError, "an acknowledgement says nothing more");
      this.#idleFrame(1);
      return;
    }
    if (length % 6 !== 0) {
      this.#fail(ErrorCode.frameSizeError, "a setting is cut off");
      return;
    }
    this.#idleFrame(10);
    for (let at = frame.start; at < frame.end && !this.#over; at += 6) {
      const setting = (frame.bytes[at]! << 8) | frame.bytes[at + 1]!;
      this.#setting(setting, readUint32(frame.bytes, at + 2));
    }
    if (!this.#over) writeSettingsAck(this.#out);
  }

  #setting(setting: number, value: number): void {
    if (setting === Setting.headerTableSize) this.#encoder.resize(value);
    else if (setting === Setting.enablePush) {
      if (value > 1) this.#fail(ErrorCode.protocolError, "ENABLE_PUSH is neither 0 nor 1");
    } else if (setting === Setting.maxFrameSize) {
      // We never send longer frames than everybody has to take.
      const right = value >= payloadLimit && value < 2 ** 24;
      if (!right) this.#fail(ErrorCode.protocolError, "MAX_FRAME_SIZE is out of range");
    } else if (setting === Setting.initialWindowSize) {
      if (value > largestWindow) {
        this.#fail(ErrorCode.flowControlError, "INITIAL_WINDOW_SIZE is out of range");
        return;
      }
      const change = value - this.#firstSendWindow;
      this.#firstSendWindow = value;
      for (const stream of this.#streams.values()) {
        if (stream.sendWindow + change > largestWindow) {
          // RFC 9113 section 6.9.2: of the connection, because the setting is.
          this.#fail(ErrorCode.flowControlError, "INITIAL_WINDOW_SIZE makes a window too large");
          return;
        }
        this.#widen(stream, change);
      }
    }
  }

  #ping(frame: FrameReader): void {
    if (frame.stream !== 0) {
      this.#fail(ErrorCode.protocolError, "PING is of no stream");
      return;
    }
    if (frame.end - frame.start !== 8) {
      this.#fail(ErrorCode.frameSizeError, "PING is eight octets long");
      return;
    }
    this.#idleFrame(1);
    if ((frame.flags & Flag.ack) === 0 && !this.#over) {
      writePong(this.#out, frame.bytes, frame.start);
    }
  }

  #windowUpdate(frame: FrameReader): void {
    if (frame.end - frame.start !== 4) {
      this.#fail(ErrorCode.frameSizeError, "WINDOW_UPDATE is four octets long");
      return;
    }
    const increment = readUint31(frame.bytes, frame.start);
    const id = frame.stream;
    if (id === 0) {
      if (increment === 0) {
        this.#fail(ErrorCode.protocolError, "WINDOW_UPDATE opens nothing");
        return;
      }
      this.#sendWindow += increment;
      if (this.#sendWindow > largestWindow) {
        this.#fail(ErrorCode.flowControlError, "the connection's window is too large");
      }
      return;
    }
    if (this.#isIdle(id)) {
      this.#fail(ErrorCode.protocolError, "WINDOW_UPDATE is of no stream");
      return;
    }
    const stream = this.#streams.get(id);
    if (stream === undefined) return;
    if (increment === 0) this.#refuse(stream, ErrorCode.protocolError);
    else this.#widen(stream, increment);
  }

  /** Nobody has begun it. What a draining session does not take counts as begun. */
  #isIdle(id: number): boolean {
    return id === 0 || (id > this.#lastStream && !this.#draining);
  }

  #widen(stream: H2StreamLink, change: number): void {
    stream.sendWindow += change;
    if (stream.sendWindow > largestWindow) this.#refuse(stream, ErrorCode.flowControlError);
    else this.#queue(stream);
  }

  /** Whether what comes of a stream that is over was on its way when it ended. */
  #mayGoOn(id: number): boolean {
    // What a draining session does not take is not told each time.
    return this.#cutShort.has(id) || id <= this.#forgotten || this.#draining;
  }

  #cutOff(id: number): void {
    this.#cutShort.add(id);
    if (this.#cutShort.size <= cutShortLimit) return;
    const [oldest] = this.#cutShort;
    this.#cutShort.delete(oldest!);
    this.#forgotten = Math.max(this.#forgotten, oldest!);
  }

  #refuseNew(id: number, ends: boolean, code: ErrorCode): void {
    this.#resetId(id, code);
    if (!ends) this.#cutOff(id);
    this.#countReset();
  }

  #idleFrame(count: number): void {
    if (this.#over || this.#idleFrames.take(count, this.#shared.seconds())) return;
    this.#fail(ErrorCode.enhanceYourCalm, "too many frames that say nothing");
  }

  #countReset(): void {
    if (this.#over || this.#resets.take(1, this.#shared.seconds())) return;
    this.#fail(ErrorCode.enhanceYourCalm, "too many streams are reset");
  }

  // What the streams' links do.

  sendHead(stream: H2StreamLink, { fields, bytes, status, last }: StreamHead): void {
    const out = this.#out;
    const encoder = this.#encoder;
    const flags = Flag.endHeaders | (last ? Flag.endStream : 0);
    const start = out.length;
    writeFrameHead(out, { length: 0, type: FrameType.headers, flags, stream: stream.id });
    encoder.begin(out);
    if (status > 0) encoder.status(out, status);
    const end = fields.fieldCount * FIELD_STRIDE;
    for (let at = 0; at < end; at += FIELD_STRIDE) {
      if (hopFields.has(fields.fields[at]!)) continue;
      const places = this.#places;
      places.nameStart = fields.fields[at + NAME_START]!;
      places.nameEnd = fields.fields[at + NAME_END]!;
      places.valueStart = fields.fields[at + VALUE_START]!;
      places.valueEnd = fields.fields[at + VALUE_END]!;
      encoder.field(out, bytes, places);
    }
    const length = out.length - start - frameHeadLength;
    if (length > payloadLimit) this.#splitHead(start, flags, stream.id);
    else {
      out.bytes[start] = length >> 16;
      out.bytes[start + 1] = length >> 8;
      out.bytes[start + 2] = length;
    }
    this.#schedule();
  }

  /** A section that is too long for one frame. */
  #splitHead(start: number, flags: number, stream: number): void {
    const out = this.#out;
    const block = out.bytes.slice(start + frameHeadLength, out.length);
    out.length = start;
    for (let at = 0; at < block.length; at += payloadLimit) {
      const length = Math.min(payloadLimit, block.length - at);
      const first = at === 0;
      const last = at + length === block.length;
      writeFrameHead(out, {
        length,
        type: first ? FrameType.headers : FrameType.continuation,
        flags: (first ? flags & ~Flag.endHeaders : 0) | (last ? Flag.endHeaders : 0),
        stream,
      });
      out.copy(block, at, at + length);
    }
  }

  sendData(stream: H2StreamLink, { bytes, from, to, last }: StreamPiece): number {
    const out = this.#out;
    let at = from;
    if (from === to && last) this.#writeDataHead(stream.id, 0, true);
    while (at < to && !this.#blocked) {
      const length = Math.min(to - at, payloadLimit, stream.sendWindow, this.#sendWindow);
      if (length <= 0) break;
      this.#writeDataHead(stream.id, length, last && at + length === to);
      out.copy(bytes, at, at + length);
      at += length;
      stream.sendWindow -= length;
      this.#sendWindow -= length;
      if (out.length >= flushLength) this.#flush();
    }
    if (at < to) this.#queue(stream);
    this.#schedule();
    return at;
  }

  #writeDataHead(stream: number, length: number, last: boolean): void {
    const flags = last ? Flag.endStream : 0;
    writeFrameHead(this.#out, { length, type: FrameType.data, flags, stream });
  }

  answered(stream: H2StreamLink): void {
    // RFC 9113 section 8.1: nobody needs the rest of the request.
    if (!stream.remoteEnded) {
      writeReset(this.#out, stream.id, ErrorCode.noError);
      this.#cutOff(stream.id);
    }
    this.#streams.delete(stream.id);
    this.#since = this.#shared.seconds();
    if (stream.reusable && !this.#draining && this.#spare.length < spareLimit) {
      this.#spare.push(stream);
    } else if (this.#draining) this.#schedule();
  }

  reset(stream: H2StreamLink, code: ErrorCode): void {
    this.#resetId(stream.id, code);
    if (!stream.remoteEnded) this.#cutOff(stream.id);
    this.#streams.delete(stream.id);
    stream.drop();
  }

  left(stream: H2StreamLink): void {
    const at = this.#spare.indexOf(stream);
    if (at !== -1) this.#spare.splice(at, 1);
    this.#leaving.push(stream);
    this.#schedule();
  }

  consumed(stream: H2StreamLink, count: number): void {
    this.#credit(count);
    if (stream.remoteEnded || this.#streams.get(stream.id) !== stream) return;
    stream.uncredited += count;
    if (stream.uncredited < streamWindow / 2) return;
    writeWindowUpdate(this.#out, stream.id, stream.uncredited);
    stream.receiveWindow += stream.uncredited;
    stream.uncredited = 0;
    this.#schedule();
  }

  fault(fault: unknown): void {
    this.#shared.fault(fault);
  }

  // The session's own.

  #credit(count: number): void {
    this.#uncredited += count;
    if (this.#uncredited < sessionWindow / 2 || this.#over) return;
    writeWindowUpdate(this.#out, 0, this.#uncredited);
    this.#receiveWindow += this.#uncredited;
    this.#uncredited = 0;
    this.#schedule();
  }

  /** The client broke a rule on this stream: it counts like a reset of its own, since it costs us the same. */
  #refuse(stream: H2StreamLink, code: ErrorCode): void {
    this.#resetId(stream.id, code);
    // It may send what it likes of it, since it was told: DATA behind an end may be followed by more.
    this.#cutOff(stream.id);
    this.#streams.delete(stream.id);
    this.#remove(stream, new Error("the client broke a rule of HTTP/2"));
    this.#countReset();
  }

  #resetId(id: number, code: ErrorCode): void {
    if (this.#over) return;
    writeReset(this.#out, id, code);
    this.#schedule();
  }

  /** Ends a link and tells its owner. */
  #remove(stream: H2StreamLink, cause: Error | undefined): void {
    this.#links.delete(stream);
    stream.gone(cause);
  }

  #queue(stream: H2StreamLink): void {
    if (stream.queued || stream.sendWindow <= 0 || stream.done) return;
    stream.queued = true;
    this.#sending.push(stream);
  }

  /** Sends what waits, a frame of each stream in turn. */
  #pump(): void {
    const sending = this.#sending;
    while (sending.length > 0 && !this.#blocked && this.#sendWindow > 0) {
      const stream = sending.shift()!;
      stream.queued = false;
      if (stream.pending === 0) continue;
      stream.sendPending(payloadLimit);
      if (stream.pending > 0) this.#queue(stream);
    }
  }

  /** At the end of a turn: what can go goes, and who has left is told. */
  #settle(): void {
    this.#pump();
    while (this.#leaving.length > 0) {
      const leaving = this.#leaving;
      this.#leaving = [];
      for (const stream of leaving) if (this.#links.has(stream)) this.#remove(stream, undefined);
    }
    if (this.#draining && this.#streams.size === 0 && !this.#over) {
      this.#flush();
      this.#leave();
    }
    this.#flush();
    if (this.#out.length > unreadLimit) this.link.pause();
  }

  #schedule(): void {
    if (this.#reading || this.#scheduled) return;
    this.#scheduled = true;
    queueMicrotask(this.#scheduledSettle);
  }

  readonly #scheduledSettle = (): void => {
    this.#scheduled = false;
    if (!this.#closed) this.#settle();
  };

  #flush(): void {
    const out = this.#out;
    if (this.#blocked || out.length === 0) return;
    if (!this.link.write(out.bytes, 0, out.length)) this.#blocked = true;
    out.clear();
    // A moment of many long heads should not be paid for by an idle session.
    if (out.bytes.length > 2 * flushLength) out.bytes = new Uint8Array(4_096);
  }

  /** GOAWAY, and no more. */
  #fail(code: ErrorCode, why: string): void {
    if (this.#over) return;
    this.#begin();
    writeGoAway(this.#out, { lastStream: this.#lastStream, code, why });
    this.#leave();
  }

  #leave(): void {
    this.#blocked = false;
    this.#flush();
    this.#over = true;
    this.#since = this.#shared.seconds();
    this.link.halfClose();
    this.link.resume();
    this.#end(new Error("the session ended"));
  }

  /** Every stream is over. */
  #end(cause: Error | undefined): void {
    this.#over = true;
    this.#streams.clear();
    this.#spare.length = 0;
    for (const stream of [...this.#links]) this.#remove(stream, cause);
    this.#out.clear();
  }
}

const nothing = new Uint8Array(0);
