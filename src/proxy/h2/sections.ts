/** HEADERS and CONTINUATION -> header sections, and a section -> a request or its trailers. RFC 9113 section 4.3. */
import { Held } from "../../link/held.ts";
import type { H2Field } from "../../wire/h2/field.ts";
import { contentOf, ErrorCode, Flag, FrameType } from "../../wire/h2/frame.ts";
import {
  anyFrame,
  type Breach,
  connectionError,
  dependsOnItself,
  type Frame,
  settingsFirst,
} from "../../wire/h2/frame-rules.ts";
import { HpackDecoder } from "../../wire/h2/hpack-decoder.ts";
import { RequestWriter, TrailerWriter } from "../../wire/h2/request.ts";
import { headLimit } from "../../wire/head.ts";
import { HeadWriter } from "../upstream/head-writer.ts";

/** Octets of an encoded section: its fields may take `headLimit`, and no encoding is more than twice as long. */
const blockLimit = 2 * headLimit;
/** Frames of one section. A client that fills its frames needs eight. */
const continuationLimit = 128;

const tooLong = connectionError(ErrorCode.enhanceYourCalm, "a header section is too long");

export class Sections {
  /** The stream of the section at hand, and whether the request ends with it. */
  stream = 0;
  ends = false;
  /** Its priority is below itself. */
  ofItself = false;
  /** The frame that has to come next, as `breachOf` takes it. */
  awaited: number = settingsFirst;
  /** When the section began that is not complete. */
  since = 0;

  readonly #head = new HeadWriter(1_024);
  readonly request = new RequestWriter(this.#head);
  readonly trailers = new TrailerWriter(this.#head);

  readonly #decoder = new HpackDecoder();
  readonly #block = new Held();
  #continuations = 0;
  /** Where the whole section is. */
  #bytes: Uint8Array = nothing;
  #start = 0;
  #end = 0;
  /** Octets of its fields, as SETTINGS_MAX_HEADER_LIST_SIZE counts them. */
  #listSize = 0;

  /** The fields were more than we allow. Those above the limit were read and left out. */
  get tooLarge(): boolean {
    return this.#listSize > headLimit;
  }

  /** The decoded section: a request's head or lines of trailers, as HTTP/1.1 has them. */
  get head(): Uint8Array {
    return this.#head.bytes.subarray(0, this.#head.length);
  }

  /** Takes a sound HEADERS or CONTINUATION. The section is complete when `awaited` is `anyFrame`. */
  add(frame: Frame, seconds: number): Breach | undefined {
    if (frame.type === FrameType.continuation) return this.#continue(frame);
    const { start, end } = contentOf(frame)!;
    this.stream = frame.stream;
    this.ends = (frame.flags & Flag.endStream) !== 0;
    this.ofItself = dependsOnItself(frame);
    if ((frame.flags & Flag.endHeaders) !== 0) {
      this.#bytes = frame.bytes;
      this.#start = start;
      this.#end = end;
      return undefined;
    }
    this.awaited = frame.stream;
    this.since = seconds;
    this.#continuations = 0;
    this.#block.clear();
    this.#block.add(frame.bytes, start, end);
    return undefined;
  }

  #continue(frame: Frame): Breach | undefined {
    this.#block.add(frame.bytes, frame.start, frame.end);
    if (++this.#continuations > continuationLimit || this.#block.length > blockLimit) {
      return tooLong;
    }
    if ((frame.flags & Flag.endHeaders) === 0) return undefined;
    this.awaited = anyFrame;
    this.#bytes = this.#block.take();
    this.#start = 0;
    this.#end = this.#bytes.length;
    return undefined;
  }

  /** Reads the section that is complete into `request` or `trailers`. */
  decode(into: "request" | "trailers"): Breach | undefined {
    const isRequest = into === "request";
    this.#listSize = 0;
    if (isRequest) this.request.begin();
    else this.trailers.begin();
    const range = { from: this.#start, to: this.#end };
    const sink = isRequest ? this.#requestSink : this.#trailerSink;
    const wrong = this.#decoder.decode(this.#bytes, range, sink);
    // A frame's bytes are not kept for longer than they are read: see FrameReader.next.
    this.#bytes = nothing;
    return wrong === undefined ? undefined : connectionError(ErrorCode.compressionError, wrong);
  }

  readonly #requestSink = {
    field: (field: H2Field): void => {
      this.#listSize += field.size;
      // A section that is too large is decoded to its end all the same, or the next one could not be decoded.
      if (this.#listSize <= headLimit) this.request.field(field);
    },
  };

  readonly #trailerSink = {
    field: (field: H2Field): void => {
      this.#listSize += field.size;
      if (this.#listSize <= headLimit) this.trailers.field(field);
    },
  };
}

const nothing = new Uint8Array(0);
