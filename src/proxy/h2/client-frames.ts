/** A client's frames -> what they do to its streams and to the connection. RFC 9113 section 6. */
import {
  contentOf,
  ErrorCode,
  Flag,
  type FrameReader,
  FrameType,
  readUint31,
  writePong,
  writeReset,
  writeSettingsAck,
} from "../../wire/h2/frame.ts";
import {
  anyFrame,
  type Breach,
  breachOf,
  ofItself,
  streamError,
} from "../../wire/h2/frame-rules.ts";
import type { Problem } from "../pages/error-page.ts";
import { Gathered } from "../frames/gathered.ts";
import { type Changes, PeerSettings } from "../frames/peer-settings.ts";
import type { Sending } from "../frames/sending.ts";
import {
  connectionTooLarge,
  moreThanConnection,
  moreThanStream,
  type ReceiveWindow,
  settingTooLarge,
  streamTooLarge,
} from "../frames/windows.ts";
import type { ClientAllowances } from "./client-allowances.ts";
import { Floods, unansweredWeight } from "./floods.ts";
import { Opened } from "./opened.ts";
import { type Certified, encodedAnswer, fieldsTooLarge, OwnAnswers } from "./own-answers.ts";
import { Sections } from "./sections.ts";
import { streamLimit } from "./settings.ts";
import type { H2StreamLink } from "./stream-link.ts";
import type { Streams } from "./streams.ts";

const { protocolError, refusedStream } = ErrorCode;

/** Section 8.1.1: a request that is malformed. */
const malformed = streamError(protocolError, "the request is malformed");
const moreThanAnnounced = streamError(protocolError, "the body is longer than its Content-Length");
const lessThanAnnounced = streamError(protocolError, "the body is shorter than its Content-Length");
/** Section 5.1.2. */
const tooManyStreams = streamError(refusedStream, "there are too many streams");

/** Frames that a section counts as, where it is of a stream that is closed and had to be decoded all the same. */
const sectionWeight = 10;
/** Frames that SETTINGS count as, beside one for each setting: it is applied to all streams and answered. */
const settingsWeight = 10;
const settingLength = 6;

export type ClientFramesOptions = {
  streams: Streams;
  sending: Sending;
  /** The connection's window. */
  window: ReceiveWindow;
  certified: Certified;
  seconds(): number;
  /** The allowances of the session's client. Asked for once there is a reason. */
  allowances(): ClientAllowances;
  /** A new link; `connected`: with a Connection that reads requests from it. */
  newLink(options: { connected: boolean }): H2StreamLink;
  /** The client has opened a stream. */
  opened(): void;
};

/** Methods that take a frame return the connection error that the frame causes. Stream errors are dealt with here. */
export class ClientFrames {
  readonly sections = new Sections();

  readonly #options: ClientFramesOptions;
  readonly #streams: Streams;
  readonly #sending: Sending;
  readonly #window: ReceiveWindow;
  readonly #settings = new PeerSettings();
  readonly #gathered = new Gathered();
  readonly #opened = new Opened();
  readonly #floods: Floods;
  readonly #own: OwnAnswers;

  constructor(options: ClientFramesOptions) {
    this.#options = options;
    this.#streams = options.streams;
    this.#sending = options.sending;
    this.#window = options.window;
    this.#floods = new Floods(options.allowances);
    this.#own = new OwnAnswers(options.certified);
    this.sections.request.secured = options.certified !== undefined;
  }

  /** Passes requests and gathered DATA on, once all frames that came at once have been handled. */
  passOn(): void {
    this.#gathered.passOn();
    this.#opened.startAll();
  }

  /** Gives room back while there is no stream. */
  shrink(): void {
    this.#gathered.shrink();
    this.#opened.shrink();
  }

  handle(frame: FrameReader): Breach | undefined {
    const follows = frame.type === FrameType.data && frame.stream === this.#gathered.id;
    if (!follows) this.#gathered.passOn();
    const breach = breachOf(frame, this.sections.awaited);
    if (breach !== undefined) return this.#broken(frame.stream, breach);
    switch (frame.type) {
      case FrameType.data:
        return this.#data(frame);
      case FrameType.headers:
      case FrameType.continuation:
        return this.#headers(frame);
      case FrameType.resetStream:
        return this.#resetByClient(frame.stream);
      case FrameType.settings:
        return this.#readSettings(frame);
      case FrameType.ping:
        return this.#ping(frame);
      case FrameType.windowUpdate:
        return this.#windowUpdate(frame);
      default:
        // PRIORITY and GOAWAY ask nothing of us; unknown types are ignored.
        return this.#idleFrame(1);
    }
  }

  #data(frame: FrameReader): Breach | undefined {
    const id = frame.stream;
    const count = frame.end - frame.start;
    const stream = this.#streams.get(id);
    const breach =
      stream === undefined ? this.#streams.moveOther(id, "recv DATA") : stream.move("recv DATA");
    if (breach?.scope === "connection") return breach;
    if (!this.#window.take(count)) return moreThanConnection;
    const ends = (frame.flags & Flag.endStream) !== 0;
    if (stream === undefined) return this.#lateData(id, count, ends);
    const tooMuch = stream.receiveWindow.take(count) ? undefined : moreThanStream;
    const wrong = breach ?? tooMuch;
    if (wrong !== undefined) {
      this.#sending.credit(this.#window, count);
      return this.#refuse(stream, wrong);
    }
    const { start, end } = contentOf(frame)!;
    if (start === end && !ends) {
      const flood = this.#idleFrame(1);
      if (flood !== undefined) return flood;
    }
    if (!stream.takes(end - start)) {
      this.#sending.credit(this.#window, count);
      this.#gathered.passOn();
      return this.#refuse(stream, moreThanAnnounced);
    }
    // First, because with the last octet the answer may come to its end.
    if (ends) stream.move("recv END_STREAM");
    if (ends && stream.isShort) {
      this.#sending.credit(this.#window, count);
      this.#gathered.passOn();
      return this.#refuse(stream, lessThanAnnounced);
    }
    this.#opened.start(stream);
    this.#gathered.add(stream, frame.bytes, { from: start, to: end, count });
    if (!ends) return undefined;
    this.#gathered.passOn();
    const complete = this.#streams.get(id) !== stream || stream.end(nothing);
    return complete ? undefined : this.#refuse(stream, lessThanAnnounced);
  }

  /** DATA of a stream that no link serves any more. */
  #lateData(id: number, count: number, ends: boolean): Breach | undefined {
    const { late } = this.#streams;
    this.#sending.credit(this.#window, count);
    const isLate = late.has(id);
    if (!late.take(id, count)) {
      late.delete(id);
      this.#streams.rememberReset(id);
      writeReset(this.#sending.out, id, moreThanStream.code);
      return this.#countReset(1);
    }
    if (ends) this.#streams.moveOther(id, "recv END_STREAM");
    return isLate && count > 0 ? undefined : this.#idleFrame(1);
  }

  #headers(frame: FrameReader): Breach | undefined {
    const { sections } = this;
    if (frame.type === FrameType.continuation) {
      const flood = this.#idleFrame(1);
      if (flood !== undefined) return flood;
    }
    const breach = sections.add(frame, this.#options.seconds());
    if (breach !== undefined || sections.awaited !== anyFrame) return breach;
    const isNew = this.#streams.isNew(sections.stream);
    const wrong = sections.decode(isNew ? "request" : "trailers");
    if (wrong !== undefined) return wrong;
    return isNew ? this.#open() : this.#trailers();
  }

  #open(): Breach | undefined {
    const { sections } = this;
    const streams = this.#streams;
    // GOAWAY has said that we would not take the stream: section 6.8.
    if (streams.draining) return this.#idleFrame(sectionWeight);
    streams.last = sections.stream;
    this.#options.opened();
    if (streams.size >= streamLimit) return this.#refuseNew(tooManyStreams);
    const { request } = sections;
    request.finish({ ended: sections.ends, key: webSocketKey });
    if (sections.tooLarge) return this.#answer(fieldsTooLarge(sections.excess));
    if (request.malformed !== undefined) return this.#refuseNew(malformed);
    if (sections.ofItself) return this.#refuseNew(ofItself);
    const problem = this.#own.problemOf(request);
    if (problem !== undefined) return this.#answer(problem);
    const stream = streams.takeSpare() ?? this.#options.newLink({ connected: true });
    this.#begin(stream);
    this.#opened.add(stream, sections.head);
    return undefined;
  }

  #begin(stream: H2StreamLink): void {
    const { stream: id, request, ends } = this.sections;
    stream.begin(id, { request, ends, window: this.#settings.initialWindow });
    this.#streams.open(stream);
  }

  /** Answers in place of a Connection. */
  #answer(problem: Problem): undefined {
    const stream = this.#options.newLink({ connected: false });
    this.#begin(stream);
    const { head, request } = this.sections;
    const bytes = encodedAnswer(problem, head, { isHead: request.head });
    stream.write(bytes, 0, bytes.length);
    stream.close();
  }

  #trailers(): Breach | undefined {
    const { sections } = this;
    const { stream: id, ends } = sections;
    const stream = this.#streams.get(id);
    if (stream === undefined) {
      const breach = this.#streams.moveOther(id, "recv HEADERS");
      if (breach !== undefined) return breach;
      if (ends) this.#streams.moveOther(id, "recv END_STREAM");
      return this.#idleFrame(sectionWeight);
    }
    const breach = stream.move("recv HEADERS");
    if (breach !== undefined) return this.#refuse(stream, breach);
    if (!ends || sections.tooLarge || sections.trailers.malformed !== undefined) {
      return this.#refuse(stream, malformed);
    }
    if (sections.ofItself) return this.#refuse(stream, ofItself);
    stream.move("recv END_STREAM");
    if (stream.isShort) return this.#refuse(stream, lessThanAnnounced);
    this.#opened.start(stream);
    return stream.end(sections.head) ? undefined : this.#refuse(stream, lessThanAnnounced);
  }

  #resetByClient(id: number): Breach | undefined {
    const stream = this.#streams.get(id);
    if (stream === undefined) {
      return this.#streams.moveOther(id, "recv RST_STREAM") ?? this.#countReset(1);
    }
    const weight = weightOf(stream);
    stream.move("recv RST_STREAM");
    this.#remove(stream, "the client took its request back");
    return this.#countReset(weight);
  }

  #readSettings(frame: FrameReader): Breach | undefined {
    this.sections.awaited = anyFrame;
    if ((frame.flags & Flag.ack) !== 0) return this.#idleFrame(1);
    const weight = settingsWeight + (frame.end - frame.start) / settingLength;
    const breach = this.#idleFrame(weight) ?? this.#settings.read(frame, this.#changes);
    if (breach === undefined) writeSettingsAck(this.#sending.out);
    return breach;
  }

  readonly #changes: Changes = {
    tableSize: (size) => this.#sending.encoder.resize(size),
    windows: (change) => {
      for (const stream of this.#streams.live) {
        if (!stream.sendWindow.widen(change)) return settingTooLarge;
        this.#sending.queue(stream);
      }
      return undefined;
    },
  };

  #ping(frame: FrameReader): Breach | undefined {
    const flood = this.#idleFrame(1);
    const isAsked = (frame.flags & Flag.ack) === 0;
    if (flood === undefined && isAsked) writePong(this.#sending.out, frame.bytes, frame.start);
    return flood;
  }

  #windowUpdate(frame: FrameReader): Breach | undefined {
    const flood = this.#floods.windowUpdate(this.#sending, this.#options.seconds());
    if (flood !== undefined) return flood;
    const increment = readUint31(frame.bytes, frame.start);
    const id = frame.stream;
    if (id === 0) return this.#sending.window.widen(increment) ? undefined : connectionTooLarge;
    const stream = this.#streams.get(id);
    if (stream === undefined) return this.#streams.moveOther(id, "recv WINDOW_UPDATE");
    if (!stream.sendWindow.widen(increment)) return this.#refuse(stream, streamTooLarge);
    this.#sending.queue(stream);
    return undefined;
  }

  /** A frame breaks a rule of its type. */
  #broken(id: number, breach: Breach): Breach | undefined {
    if (breach.scope === "connection") return breach;
    const stream = this.#streams.get(id);
    if (stream !== undefined) return this.#refuse(stream, breach);
    // RST_STREAM must not name a stream that is idle: section 6.4.
    return this.#streams.stateOf(id) === "idle" ? breach : this.#idleFrame(1);
  }

  /** A stream error: section 5.4.2. */
  #refuse(stream: H2StreamLink, breach: Breach): Breach | undefined {
    // Passing on what came before may have ended the stream.
    if (this.#streams.get(stream.id) !== stream) return undefined;
    const weight = weightOf(stream);
    stream.move("stream error");
    writeReset(this.#sending.out, stream.id, breach.code);
    this.#remove(stream, "the client broke a rule of HTTP/2");
    return this.#countReset(weight);
  }

  /** The stream is closed before its answer is complete. */
  #remove(stream: H2StreamLink, why: string): void {
    this.#streams.close(stream);
    if (this.#opened.takeBack(stream)) this.#streams.keep(stream);
    else this.#streams.remove(stream, new Error(why));
  }

  /** A stream error of the frame that opens the stream. */
  #refuseNew({ code }: Breach): Breach | undefined {
    const { stream: id, ends } = this.sections;
    writeReset(this.#sending.out, id, code);
    if (!ends) this.#streams.rememberReset(id);
    // A client may open too many before it has our SETTINGS; an error is none's habit.
    return this.#countReset(code === refusedStream ? 1 : unansweredWeight);
  }

  #countReset(weight: number): Breach | undefined {
    return this.#floods.reset(weight, this.#options.seconds());
  }

  #idleFrame(weight: number): Breach | undefined {
    return this.#floods.idleFrame(weight, this.#options.seconds());
  }
}

/** RFC 6455 section 4.1: 16 octets that no two handshakes share. */
function webSocketKey(): string {
  return Buffer.from(crypto.getRandomValues(new Uint8Array(16))).toString("base64");
}

/** The weight of a reset of a stream that is open. */
function weightOf(stream: H2StreamLink): number {
  return stream.answering ? 1 : unansweredWeight;
}

const nothing = new Uint8Array(0);
