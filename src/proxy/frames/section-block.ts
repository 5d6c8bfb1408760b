/** HEADERS and CONTINUATION -> a whole header section, and its fields. RFC 9113 section 4.3. */
import { Held } from "../../link/held.ts";
import type { FieldKind, H2Field } from "../../wire/h2/field.ts";
import { contentOf, ErrorCode, Flag, FrameType } from "../../wire/h2/frame.ts";
import {
  anyFrame,
  type Breach,
  connectionError,
  type Frame,
  settingsFirst,
} from "../../wire/h2/frame-rules.ts";
import { HpackDecoder } from "../../wire/h2/hpack-decoder.ts";
import { headLimit } from "../../wire/head.ts";

/** Octets of an encoded section: its fields may take `headLimit`, and no encoding is more than twice as long. */
const blockLimit = 2 * headLimit;
/** Frames of one section. A peer that fills its frames needs eight. */
const continuationLimit = 128;

const tooLong = connectionError(ErrorCode.enhanceYourCalm, "a header section is too long");

export type FieldSink = { field(field: H2Field): void };

export class SectionBlock {
  /** The stream of the section at hand, and whether the message ends with it. */
  stream = 0;
  ends = false;
  /** The frame that has to come next, as `breachOf` takes it. */
  awaited: number = settingsFirst;
  /** When the section began that is not complete. */
  since = 0;

  readonly #decoder = new HpackDecoder();
  readonly #block = new Held();
  #continuations = 0;
  /** Where the whole section is. */
  #bytes: Uint8Array = nothing;
  #start = 0;
  #end = 0;
  /** Octets of its fields, as SETTINGS_MAX_HEADER_LIST_SIZE counts them. */
  #listSize = 0;
  /** The kind of a field that is too large by itself. */
  excess: FieldKind | undefined;
  #sink: FieldSink | undefined;

  /** The fields were more than we allow. Those above the limit were read and left out. */
  get tooLarge(): boolean {
    return this.#listSize > headLimit;
  }

  /** Takes a sound HEADERS or CONTINUATION. The section is complete when `awaited` is `anyFrame`. */
  add(frame: Frame, seconds: number): Breach | undefined {
    if (frame.type === FrameType.continuation) return this.#continue(frame);
    const { start, end } = contentOf(frame)!;
    this.stream = frame.stream;
    this.ends = (frame.flags & Flag.endStream) !== 0;
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

  /** Reads the section that is complete. */
  protected decodeInto(sink: FieldSink): Breach | undefined {
    this.#listSize = 0;
    this.excess = undefined;
    this.#sink = sink;
    const range = { from: this.#start, to: this.#end };
    const wrong = this.#decoder.decode(this.#bytes, range, this);
    // A frame's bytes are not kept for longer than they are read: see FrameReader.next.
    this.#bytes = nothing;
    return wrong === undefined ? undefined : connectionError(ErrorCode.compressionError, wrong);
  }

  /** The decoder calls. */
  field(field: H2Field): void {
    this.#listSize += field.size;
    // A section that is too large is decoded to its end all the same, or the next one could not be decoded.
    if (this.#listSize <= headLimit) this.#sink!.field(field);
    else if (field.size > headLimit) this.excess ??= field.kind;
  }
}

const nothing = new Uint8Array(0);
