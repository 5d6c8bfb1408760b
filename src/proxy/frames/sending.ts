/** Heads and pieces of messages -> frames in one buffer, which the link gets once a turn. RFC 9113 section 6.9. */
import type { Link } from "../../link/link.ts";
import { Field, fieldIdCount } from "../../wire/field.ts";
import {
  Flag,
  FrameType,
  frameHeadLength,
  payloadLimit,
  writeFrameHead,
  writeWindowUpdate,
} from "../../wire/h2/frame.ts";
import { HpackEncoder } from "../../wire/h2/hpack-encoder.ts";
import { FIELD_STRIDE, NAME_END, NAME_START, VALUE_END, VALUE_START } from "../../wire/head.ts";
import { HeadWriter } from "./head-writer.ts";
import type { StreamHead, StreamPiece } from "./parts.ts";
import { writePseudoFields } from "./pseudo-fields.ts";
import { type ReceiveWindow, SendWindow } from "./windows.ts";

/** Octets that are gathered before they are written within a turn of the event loop: four TLS records. */
const flushLength = 65_536;
/** Octets that the other side does not take, after which nothing more is read from it either. */
const unreadLimit = 262_144;

/** 1 for the fields of HTTP/1.1 that speak of its connection. RFC 9113 section 8.2.2. */
const isHopField = new Uint8Array(fieldIdCount);
isHopField[Field.connection] = 1;
isHopField[Field.keepAlive] = 1;
isHopField[Field.transferEncoding] = 1;
isHopField[Field.upgrade] = 1;
isHopField[Field.proxyConnection] = 1;
isHopField[Field.http2Settings] = 1;
isHopField[Field.te] = 1;

/** The same, with the fields that a request has as pseudo-header fields. */
const isLeftOutOfRequest = isHopField.slice();
isLeftOutOfRequest[Field.host] = 1;

/** A stream, as far as sending on it needs it. */
export interface SendingStream {
  readonly id: number;
  readonly sendWindow: SendWindow;
  /** Octets that no window has let through. */
  readonly pending: number;
  /** Nothing more may be sent. */
  readonly done: boolean;
  /** The stream is in the queue of those that have something to send. */
  queued: boolean;
  sendPending(most: number): void;
}

export class Sending {
  /** Frames that are not written yet. Frames that no window holds up are written here directly. */
  readonly out = new HeadWriter(4_096);
  /** The connection's window. */
  readonly window = new SendWindow();
  readonly encoder = new HpackEncoder();

  /** DATA that was sent in all. */
  frames = 0;
  octets = 0;

  readonly #link: Link;
  readonly #writeFirst: (out: HeadWriter) => void;
  /** Streams with something to send that their own windows let through. */
  readonly #queue: SendingStream[] = [];
  readonly #places = { nameStart: 0, nameEnd: 0, valueStart: 0, valueEnd: 0 };
  #begun = false;
  /** The link has not taken all that was written. */
  #blocked = false;

  /** `writeFirst`: our side of the preface. */
  constructor(link: Link, writeFirst: (out: HeadWriter) => void) {
    this.#link = link;
    this.#writeFirst = writeFirst;
  }

  get blocked(): boolean {
    return this.#blocked;
  }

  /** The other side does not take what we write: time to read no more from it. */
  get unread(): boolean {
    return this.out.length > unreadLimit;
  }

  /** Our side of the preface, once, before anything else. */
  begin(): void {
    if (this.#begun) return;
    this.#begun = true;
    this.#writeFirst(this.out);
  }

  /** A message's head, or its trailers, with the fields of HTTP/1.1's connection left out. */
  head(stream: SendingStream, { fields, bytes, status, asked, last }: StreamHead): void {
    const out = this.out;
    const encoder = this.encoder;
    const flags = Flag.endHeaders | (last ? Flag.endStream : 0);
    const start = out.length;
    writeFrameHead(out, { length: 0, type: FrameType.headers, flags, stream: stream.id });
    encoder.begin(out);
    if (status > 0) encoder.status(out, status);
    else if (asked !== undefined) writePseudoFields(asked, encoder, out);
    const leftOut = asked === undefined ? isHopField : isLeftOutOfRequest;
    const end = fields.fieldCount * FIELD_STRIDE;
    for (let at = 0; at < end; at += FIELD_STRIDE) {
      if (leftOut[fields.fields[at]!] === 1) continue;
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
  }

  /** Cuts a section that is too long for one frame into HEADERS and CONTINUATION. */
  #splitHead(start: number, flags: number, stream: number): void {
    const out = this.out;
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

  /** As much of a piece as the windows and the link let through. @returns the offset behind it. */
  data(stream: SendingStream, { bytes, from, to, last }: StreamPiece): number {
    const out = this.out;
    const streamWindow = stream.sendWindow;
    const window = this.window;
    let at = from;
    if (from === to && last) this.#dataHead(stream.id, 0, true);
    while (at < to && !this.#blocked) {
      const length = Math.min(to - at, payloadLimit, streamWindow.left, window.left);
      if (length <= 0) break;
      this.#dataHead(stream.id, length, last && at + length === to);
      out.copy(bytes, at, at + length);
      at += length;
      streamWindow.left -= length;
      window.left -= length;
      if (out.length >= flushLength) this.flush();
    }
    if (at < to) this.queue(stream);
    return at;
  }

  #dataHead(stream: number, length: number, last: boolean): void {
    this.frames++;
    this.octets += length;
    const flags = last ? Flag.endStream : 0;
    writeFrameHead(this.out, { length, type: FrameType.data, flags, stream });
  }

  /** Octets that came are used up, which the window had let through. @returns whether a frame was written. */
  credit(window: ReceiveWindow, count: number): boolean {
    const increment = window.credit(count);
    if (increment > 0) writeWindowUpdate(this.out, window.stream, increment);
    return increment > 0;
  }

  /** The stream may have something to send. */
  queue(stream: SendingStream): void {
    if (stream.queued || stream.sendWindow.left <= 0 || stream.done) return;
    stream.queued = true;
    this.#queue.push(stream);
  }

  /** Sends what waits, a frame of each stream in turn. */
  pump(): void {
    const queue = this.#queue;
    while (queue.length > 0 && !this.#blocked && this.window.left > 0) {
      const stream = queue.shift()!;
      stream.queued = false;
      if (stream.pending === 0) continue;
      stream.sendPending(payloadLimit);
      if (stream.pending > 0) this.queue(stream);
    }
  }

  /** Writes to the link, unless the link has not taken what was written before. */
  flush(): void {
    const out = this.out;
    if (this.#blocked || out.length === 0) return;
    if (!this.#link.write(out.bytes, 0, out.length)) this.#blocked = true;
    out.clear();
    // One moment of many long heads should not cost an idle session its memory.
    if (out.bytes.length > 2 * flushLength) out.bytes = new Uint8Array(4_096);
  }

  /** The link has taken everything. Also before last words, which go out whether the link has or not. */
  unblock(): void {
    this.#blocked = false;
  }

  /** Nothing is sent any more. */
  drop(): void {
    this.out.clear();
    this.#queue.length = 0;
  }
}
