/** Bytes -> HTTP/2 frames, and frames -> bytes. RFC 9113 sections 4 and 6. */
import type { Output } from "./output.ts";

export const FrameType = {
  data: 0,
  headers: 1,
  priority: 2,
  resetStream: 3,
  settings: 4,
  pushPromise: 5,
  ping: 6,
  goAway: 7,
  windowUpdate: 8,
  continuation: 9,
} as const;

export const Flag = {
  endStream: 1,
  ack: 1,
  endHeaders: 4,
  padded: 8,
  priority: 32,
} as const;

/** The error codes that mean something to us. RFC 9113 section 7. */
export const ErrorCode = {
  noError: 0,
  protocolError: 1,
  internalError: 2,
  flowControlError: 3,
  streamClosed: 5,
  frameSizeError: 6,
  refusedStream: 7,
  cancel: 8,
  compressionError: 9,
  enhanceYourCalm: 11,
  http11Required: 13,
} as const;

export type ErrorCode = (typeof ErrorCode)[keyof typeof ErrorCode];

export const Setting = {
  headerTableSize: 1,
  enablePush: 2,
  maxConcurrentStreams: 3,
  initialWindowSize: 4,
  maxFrameSize: 5,
  maxHeaderListSize: 6,
  /** RFC 8441 section 3. */
  enableConnectProtocol: 8,
} as const;

/** The client's connection preface, before its SETTINGS. RFC 9113 section 3.4. */
export const preface = new TextEncoder().encode("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");

/** Whether bytes from a connection's start are the preface, with whatever follows, or may still become one. */
export function prefaceIn(bytes: Uint8Array): "whole" | "more" | "none" {
  const length = Math.min(bytes.length, preface.length);
  for (let at = 0; at < length; at++) if (bytes[at] !== preface[at]) return "none";
  return length === preface.length ? "whole" : "more";
}

export const frameHeadLength = 9;

/** The default of SETTINGS_MAX_FRAME_SIZE, in octets: RFC 9113 section 6.5.2. */
export const payloadLimit = 16_384;

/** The default size of a flow-control window, in octets: RFC 9113 section 6.5.2. */
export const firstWindow = 65_535;
export const largestWindow = 2 ** 31 - 1;

/** The outcomes of `FrameReader.next`. */
export const Found = {
  /** No whole frame is left: push more. */
  more: 0,
  /** A frame, in the reader's own fields. */
  frame: 1,
  /** A frame is longer than we allow: FRAME_SIZE_ERROR. */
  bad: 2,
} as const;

export type Found = (typeof Found)[keyof typeof Found];

/** Cuts bytes, in any pieces, into frames. Only a frame that comes in pieces is copied. */
export class FrameReader {
  type = 0;
  flags = 0;
  stream = 0;
  /** The payload is bytes[start, end), until the next `next`. */
  bytes: Uint8Array = nothing;
  start = 0;
  end = 0;

  #input: Uint8Array = nothing;
  #at = 0;
  /** The beginning of a frame whose rest has not come. */
  #held: Uint8Array | undefined;
  #heldLength = 0;

  /** The type of the frame whose rest has not come; -1: nor has its type; undefined: there is no such frame. */
  get begun(): number | undefined {
    if (this.#heldLength === 0) return undefined;
    return this.#heldLength < frameHeadLength ? -1 : this.#held![3]!;
  }

  /** Call `next` until it says `more` before anything else is pushed. */
  push(bytes: Uint8Array, from: number): void {
    this.#input = bytes;
    this.#at = from;
  }

  next(): Found {
    const found = this.#heldLength > 0 ? this.#nextOfHeld() : this.#nextOfInput();
    if (found === Found.more) {
      // The garbage collector would promote bytes that are still referred to when it runs before the next push.
      this.#input = nothing;
      this.bytes = nothing;
    }
    return found;
  }

  #nextOfInput(): Found {
    const input = this.#input;
    const at = this.#at;
    const left = input.length - at;
    if (left >= frameHeadLength) {
      const length = (input[at]! << 16) | (input[at + 1]! << 8) | input[at + 2]!;
      if (length > payloadLimit) return Found.bad;
      if (left >= frameHeadLength + length) {
        this.#at = at + frameHeadLength + length;
        return this.#found(input, at, length);
      }
    }
    if (left > 0) this.#hold(left);
    return Found.more;
  }

  #nextOfHeld(): Found {
    if (!this.#fillTo(frameHeadLength)) return Found.more;
    const held = this.#held!;
    const length = (held[0]! << 16) | (held[1]! << 8) | held[2]!;
    if (length > payloadLimit) return Found.bad;
    if (!this.#fillTo(frameHeadLength + length)) return Found.more;
    this.#heldLength = 0;
    return this.#found(held, 0, length);
  }

  #fillTo(length: number): boolean {
    const missing = length - this.#heldLength;
    if (missing > 0) this.#hold(Math.min(missing, this.#input.length - this.#at));
    return this.#heldLength >= length;
  }

  #hold(count: number): void {
    this.#held ??= new Uint8Array(frameHeadLength + payloadLimit);
    this.#held.set(this.#input.subarray(this.#at, this.#at + count), this.#heldLength);
    this.#heldLength += count;
    this.#at += count;
  }

  #found(bytes: Uint8Array, at: number, length: number): Found {
    this.type = bytes[at + 3]!;
    this.flags = bytes[at + 4]!;
    // The first bit is reserved and means nothing.
    this.stream = readUint31(bytes, at + 5);
    this.bytes = bytes;
    this.start = at + frameHeadLength;
    this.end = this.start + length;
    return Found.frame;
  }
}

const nothing = new Uint8Array(0);

export function readUint32(bytes: Uint8Array, at: number): number {
  return (readUint31(bytes, at) + (bytes[at]! >= 128 ? 2 ** 31 : 0)) >>> 0;
}

/** Leaves out the first bit, which is reserved in every 31-bit number. */
export function readUint31(bytes: Uint8Array, at: number): number {
  return (
    ((bytes[at]! & 127) << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!
  );
}

export type FrameHead = { length: number; type: number; flags: number; stream: number };

export function writeFrameHead(out: Output, { length, type, flags, stream }: FrameHead): void {
  out.reserve(frameHeadLength);
  const bytes = out.bytes;
  const at = out.length;
  bytes[at] = length >> 16;
  bytes[at + 1] = length >> 8;
  bytes[at + 2] = length;
  bytes[at + 3] = type;
  bytes[at + 4] = flags;
  bytes[at + 5] = stream >> 24;
  bytes[at + 6] = stream >> 16;
  bytes[at + 7] = stream >> 8;
  bytes[at + 8] = stream;
  out.length = at + frameHeadLength;
}

function writeUint32(out: Output, value: number): void {
  out.reserve(4);
  out.bytes[out.length] = value >>> 24;
  out.bytes[out.length + 1] = value >>> 16;
  out.bytes[out.length + 2] = value >>> 8;
  out.bytes[out.length + 3] = value;
  out.length += 4;
}

export function writeReset(out: Output, stream: number, code: ErrorCode): void {
  writeFrameHead(out, { length: 4, type: FrameType.resetStream, flags: 0, stream });
  writeUint32(out, code);
}

/** `stream` 0 widens the connection's window. */
export function writeWindowUpdate(out: Output, stream: number, increment: number): void {
  writeFrameHead(out, { length: 4, type: FrameType.windowUpdate, flags: 0, stream });
  writeUint32(out, increment);
}

export function writeSettings(
  out: Output,
  settings: readonly (readonly [setting: number, value: number])[],
): void {
  const length = settings.length * 6;
  writeFrameHead(out, { length, type: FrameType.settings, flags: 0, stream: 0 });
  for (const [setting, value] of settings) {
    out.byte(0);
    out.byte(setting);
    writeUint32(out, value);
  }
}

export function writeSettingsAck(out: Output): void {
  writeFrameHead(out, { length: 0, type: FrameType.settings, flags: Flag.ack, stream: 0 });
}

/** A ping of eight zeros. */
export function writePing(out: Output): void {
  writeFrameHead(out, { length: 8, type: FrameType.ping, flags: 0, stream: 0 });
  writeUint32(out, 0);
  writeUint32(out, 0);
}

/** Answers a ping with its own eight octets, at bytes[at, at + 8). */
export function writePong(out: Output, bytes: Uint8Array, at: number): void {
  writeFrameHead(out, { length: 8, type: FrameType.ping, flags: Flag.ack, stream: 0 });
  out.copy(bytes, at, at + 8);
}

/** `why` is debug data: clients log it. */
export function writeGoAway(
  out: Output,
  { lastStream, code, why }: { lastStream: number; code: ErrorCode; why: string },
): void {
  const text = new TextEncoder().encode(why);
  const length = 8 + text.length;
  writeFrameHead(out, { length, type: FrameType.goAway, flags: 0, stream: 0 });
  writeUint32(out, lastStream);
  writeUint32(out, code);
  out.append(text);
}

/**
 * The range of a frame's content in its payload: behind the octets of PADDED and PRIORITY, before the padding.
 * @returns undefined: the payload is too short for them.
 */
export function contentOf(
  frame: Pick<FrameReader, "type" | "flags" | "bytes" | "start" | "end">,
): { start: number; end: number } | undefined {
  let { start, end } = frame;
  if ((frame.flags & Flag.padded) !== 0) {
    if (start === end) return undefined;
    end -= frame.bytes[start]!;
    start++;
  }
  if (frame.type === FrameType.headers && (frame.flags & Flag.priority) !== 0) start += 5;
  return start <= end ? { start, end } : undefined;
}
