/** A server's frames -> what they do to the requests' streams and to the connection. RFC 9113 section 6. */
import {
  contentOf,
  ErrorCode,
  Flag,
  type FrameReader,
  FrameType,
  readUint31,
  readUint32,
  writePong,
  writeSettingsAck,
} from "../../wire/h2/frame.ts";
import {
  anyFrame,
  type Breach,
  breachOf,
  connectionError,
  streamError,
} from "../../wire/h2/frame-rules.ts";
import { Gathered } from "../frames/gathered.ts";
import type { Changes } from "../frames/peer-settings.ts";
import type { Sending } from "../frames/sending.ts";
import { StreamFailure } from "../frames/stream-failure.ts";
import {
  connectionTooLarge,
  moreThanConnection,
  moreThanStream,
  type ReceiveWindow,
  settingTooLarge,
  streamTooLarge,
} from "../frames/windows.ts";
import { headLimit } from "../../wire/head.ts";
import { AnswerSections } from "./answer-sections.ts";
import type { RequestStream } from "./request-stream.ts";
import { ServerSettings } from "./server-settings.ts";

const { enhanceYourCalm, protocolError, refusedStream, http11Required } = ErrorCode;

/** Section 5.1.1: a server answers, and opens nothing. */
const ofNoRequest = connectionError(protocolError, "the frame is of no request");
const malformed = streamError(protocolError, "the answer is malformed");
const tooMany = streamError(enhanceYourCalm, "too many interim answers");

const moreThanAnnounced = "its answer is longer than its Content-Length";
const lessThanAnnounced = "its answer is shorter than its Content-Length";
const badTrailers = "its answer's trailers hold what no trailer may hold";

/** The streams of one session, and what becomes of them. */
export interface ServerStreams {
  get(id: number): RequestStream | undefined;
  readonly all: Iterable<RequestStream>;
  /** No request has had that number yet, or none may. */
  isUnused(id: number): boolean;
  /** Both sides have ended the stream, or the server has taken it back. */
  closeStream(stream: RequestStream, cause: StreamFailure | undefined): void;
  /** The server breaks a rule on the stream. */
  fail(stream: RequestStream, breach: Breach, cause: StreamFailure): void;
  /** The server takes no more streams, and has seen none above this number. */
  goAway(lastStream: number): void;
  /** SETTINGS have come. */
  settled(): void;
}

/** Methods that take a frame return the connection error that the frame causes. Stream errors are dealt with here. */
export class ServerFrames {
  readonly sections = new AnswerSections();
  readonly settings = new ServerSettings();

  readonly #streams: ServerStreams;
  readonly #sending: Sending;
  readonly #window: ReceiveWindow;
  readonly #seconds: () => number;
  readonly #gathered = new Gathered();

  constructor(
    streams: ServerStreams,
    {
      sending,
      window,
      seconds,
    }: {
      sending: Sending;
      /** The connection's window. */
      window: ReceiveWindow;
      seconds(): number;
    },
  ) {
    this.#streams = streams;
    this.#sending = sending;
    this.#window = window;
    this.#seconds = seconds;
  }

  /** Passes gathered DATA on, once all frames that came at once have been handled. */
  passOn(): void {
    this.#gathered.passOn();
  }

  /** Gives room back while there is no stream. */
  shrink(): void {
    this.#gathered.shrink();
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
        return this.#reset(frame);
      case FrameType.settings:
        return this.#readSettings(frame);
      case FrameType.ping:
        if ((frame.flags & Flag.ack) === 0) writePong(this.#sending.out, frame.bytes, frame.start);
        return undefined;
      case FrameType.goAway:
        this.#streams.goAway(readUint31(frame.bytes, frame.start));
        return undefined;
      case FrameType.windowUpdate:
        return this.#windowUpdate(frame);
      default:
        // PRIORITY asks nothing of us; unknown types are ignored.
        return undefined;
    }
  }

  #data(frame: FrameReader): Breach | undefined {
    const count = frame.end - frame.start;
    if (this.#streams.isUnused(frame.stream)) return ofNoRequest;
    if (!this.#window.take(count)) return moreThanConnection;
    const stream = this.#streams.get(frame.stream);
    if (stream === undefined) {
      // Frames of a stream that we took back may still be on their way.
      this.#sending.credit(this.#window, count);
      return undefined;
    }
    const breach =
      stream.move("recv DATA") ??
      (stream.answered ? undefined : malformed) ??
      (stream.receiveWindow.take(count) ? undefined : moreThanStream);
    if (breach !== undefined) {
      this.#sending.credit(this.#window, count);
      return this.#fail(stream, breach, "it broke a rule of HTTP/2 within its answer");
    }
    const { start, end } = contentOf(frame)!;
    if (!stream.takes(end - start)) {
      this.#sending.credit(this.#window, count);
      this.#gathered.passOn();
      return this.#fail(stream, malformed, moreThanAnnounced);
    }
    const ends = (frame.flags & Flag.endStream) !== 0;
    if (ends) stream.move("recv END_STREAM");
    this.#gathered.add(stream, frame.bytes, { from: start, to: end, count });
    if (!ends) return undefined;
    this.#gathered.passOn();
    return this.#end(stream, nothing);
  }

  /** The server's END_STREAM has come. `trailers`: field lines. */
  #end(stream: RequestStream, trailers: Uint8Array): Breach | undefined {
    // Passing on what came before may have ended the stream.
    if (this.#streams.get(stream.id) !== stream) return undefined;
    if (!stream.end(trailers)) return this.#fail(stream, malformed, lessThanAnnounced);
    if (stream.state === "closed") this.#streams.closeStream(stream, undefined);
    return undefined;
  }

  #headers(frame: FrameReader): Breach | undefined {
    const { sections } = this;
    if (this.#streams.isUnused(frame.stream)) return ofNoRequest;
    const breach = sections.add(frame, this.#seconds());
    if (breach !== undefined || sections.awaited !== anyFrame) return breach;
    const stream = this.#streams.get(sections.stream);
    const isTrailers = stream?.answered === true;
    const wrong = sections.decode(isTrailers ? "trailers" : "answer");
    if (wrong !== undefined || stream === undefined) return wrong;
    const moved = stream.move("recv HEADERS");
    if (moved !== undefined) {
      return this.#fail(stream, moved, "it went on behind the end of its answer");
    }
    return isTrailers ? this.#trailers(stream) : this.#answer(stream);
  }

  #answer(stream: RequestStream): Breach | undefined {
    const { sections } = this;
    const { answer, ends } = sections;
    const { headRequest } = stream;
    answer.finish({ ended: ends, headRequest });
    if (sections.tooLarge) {
      return this.#fail(
        stream,
        malformed,
        `the head of its answer is longer than ${headLimit} bytes`,
      );
    }
    if (answer.malformed !== undefined) return this.#fail(stream, malformed, answer.malformed);
    if (answer.status < 200 && !stream.takesInterim(sections.head.length)) {
      return this.#fail(stream, tooMany, "it sent more interim answers than its client reads");
    }
    if (ends) stream.move("recv END_STREAM");
    stream.answerHead(answer, { bytes: sections.head, ends });
    return ends ? this.#end(stream, nothing) : undefined;
  }

  #trailers(stream: RequestStream): Breach | undefined {
    const { sections } = this;
    if (!sections.ends || sections.tooLarge || sections.trailers.malformed !== undefined) {
      return this.#fail(stream, malformed, badTrailers);
    }
    stream.move("recv END_STREAM");
    return this.#end(stream, sections.head);
  }

  #reset(frame: FrameReader): Breach | undefined {
    const id = frame.stream;
    if (this.#streams.isUnused(id)) return ofNoRequest;
    const stream = this.#streams.get(id);
    if (stream === undefined) return undefined;
    const isAnswered = stream.state === "half-closed (remote)";
    stream.move("recv RST_STREAM");
    const code = readUint32(frame.bytes, frame.start);
    // A server that has answered in full may want no more of the request: section 8.1.
    this.#streams.closeStream(stream, isAnswered ? undefined : resetBy(code));
    return undefined;
  }

  #readSettings(frame: FrameReader): Breach | undefined {
    const isFirst = this.sections.awaited !== anyFrame;
    this.sections.awaited = anyFrame;
    if ((frame.flags & Flag.ack) !== 0) return undefined;
    const breach = this.settings.read(frame, this.#changes);
    if (breach !== undefined) return breach;
    writeSettingsAck(this.#sending.out);
    if (isFirst) this.#streams.settled();
    return undefined;
  }

  readonly #changes: Changes = {
    tableSize: (size) => this.#sending.encoder.resize(size),
    windows: (change) => {
      for (const stream of this.#streams.all) {
        if (!stream.sendWindow.widen(change)) return settingTooLarge;
        this.#sending.queue(stream);
      }
      return undefined;
    },
  };

  #windowUpdate(frame: FrameReader): Breach | undefined {
    const increment = readUint31(frame.bytes, frame.start);
    const id = frame.stream;
    if (id === 0) return this.#sending.window.widen(increment) ? undefined : connectionTooLarge;
    if (this.#streams.isUnused(id)) return ofNoRequest;
    const stream = this.#streams.get(id);
    if (stream === undefined) return undefined;
    if (!stream.sendWindow.widen(increment)) {
      return this.#fail(stream, streamTooLarge, "it broke a rule of HTTP/2 within its answer");
    }
    this.#sending.queue(stream);
    return undefined;
  }

  /** A frame breaks a rule of its type. */
  #broken(id: number, breach: Breach): Breach | undefined {
    if (breach.scope === "connection") return breach;
    const stream = this.#streams.get(id);
    return stream && this.#fail(stream, breach, "it broke a rule of HTTP/2 within its answer");
  }

  #fail(stream: RequestStream, breach: Breach, why: string): Breach | undefined {
    if (breach.scope === "connection") return breach;
    this.#streams.fail(stream, breach, new StreamFailure(why));
    return undefined;
  }
}

function resetBy(code: number): StreamFailure {
  if (code === refusedStream) {
    return new StreamFailure("it refused the request's stream (REFUSED_STREAM)", {
      unprocessed: true,
      code,
    });
  }
  if (code === http11Required) {
    return new StreamFailure("it wants HTTP/1.1 for this request (HTTP_1_1_REQUIRED)", { code });
  }
  return new StreamFailure(`it reset the request's stream (error ${code} of HTTP/2)`, { code });
}

const nothing = new Uint8Array(0);
