/** A frame, and what has to come next -> the rule of RFC 9113 that the frame breaks. Pure. */
import {
  contentOf,
  ErrorCode,
  Flag,
  FrameType,
  largestWindow,
  payloadLimit,
  readUint31,
  Setting,
} from "./frame.ts";

/** A broken rule. Breaches are constants: finding one allocates nothing. */
export type Breach = {
  /** `connection`: GOAWAY ends everything, section 5.4.1. `stream`: RST_STREAM ends one stream, section 5.4.2. */
  readonly scope: "connection" | "stream";
  readonly code: ErrorCode;
  /** A connection error's reason goes to the client with GOAWAY. */
  readonly why: string;
};

export function connectionError(code: ErrorCode, why: string): Breach {
  return { scope: "connection", code, why };
}

export function streamError(code: ErrorCode, why: string): Breach {
  return { scope: "stream", code, why };
}

/** The part of a `FrameReader` that the rules look at. */
export type Frame = {
  readonly type: number;
  readonly flags: number;
  readonly stream: number;
  readonly bytes: Uint8Array;
  readonly start: number;
  readonly end: number;
};

/** As `awaited`: any frame but CONTINUATION may come. A larger number is the stream whose header section continues. */
export const anyFrame = 0;
/** As `awaited`: the preface is not complete without SETTINGS. */
export const settingsFirst = -1;

type Rule = {
  /** Which stream a frame of the type names: `none` is stream 0, `odd` one that a client may open. */
  stream: "none" | "some" | "odd" | "any" | "never";
  wrongStream?: Breach;
  /** Octets of the payload: at least, at most, and a multiple of `unit`. */
  shortest: number;
  longest: number;
  unit: number;
  wrongLength?: Breach;
  /** Rules that the type shares with few others. */
  further?(frame: Frame): Breach | undefined;
};

const { protocolError, frameSizeError, flowControlError } = ErrorCode;

const anyLength = { shortest: 0, longest: payloadLimit, unit: 1 };

function exactly(octets: number): { shortest: number; longest: number; unit: number } {
  return { shortest: octets, longest: octets, unit: 1 };
}

/** Section 4.2. The frame is not read, so that the connection cannot go on, whatever the frame's type is. */
export const tooLong = connectionError(frameSizeError, "a frame is longer than was allowed");

/** Section 3.4. */
const notSettings = connectionError(protocolError, "the first frame is not SETTINGS");
/** Sections 4.3 and 6.10. */
const interrupted = connectionError(protocolError, "a header section is interrupted");
/** Section 6.10. */
const continuesNothing = connectionError(protocolError, "CONTINUATION continues nothing");
/** Sections 6.1 and 6.2. */
const onlyPadding = connectionError(protocolError, "there is only padding");
/** Section 6.5. */
const longAck = connectionError(frameSizeError, "an acknowledgement says nothing more");
/** Section 6.9. */
const opensNoConnection = connectionError(protocolError, "WINDOW_UPDATE opens nothing");
const opensNoStream = streamError(protocolError, "WINDOW_UPDATE opens nothing");

/** RFC 7540 section 5.3.1. RFC 9113 takes priorities back, and keeps no stream from breaking this rule. */
export const ofItself = streamError(protocolError, "the stream depends on itself");

/** Whether a sound frame gives its stream a priority below the stream itself. */
export function dependsOnItself({ type, flags, stream, bytes, start }: Frame): boolean {
  if (type === FrameType.priority) return readUint31(bytes, start) === stream;
  if ((flags & Flag.priority) === 0) return false;
  return readUint31(bytes, (flags & Flag.padded) === 0 ? start : start + 1) === stream;
}

function paddingOf(frame: Frame): Breach | undefined {
  const inset = frame.flags & (Flag.padded | Flag.priority);
  return inset !== 0 && contentOf(frame) === undefined ? onlyPadding : undefined;
}

/** One row a type. A type without a row is ignored: section 5.5. */
const rules: { readonly [type: number]: Rule | undefined } = {
  // Section 6.1.
  [FrameType.data]: {
    stream: "some",
    wrongStream: connectionError(protocolError, "DATA names no stream"),
    ...anyLength,
    further: paddingOf,
  },
  // Section 6.2, and section 5.1.1 on the numbers of streams.
  [FrameType.headers]: {
    stream: "odd",
    wrongStream: connectionError(protocolError, "a client's streams are odd"),
    ...anyLength,
    further: paddingOf,
  },
  // Section 6.3.
  [FrameType.priority]: {
    stream: "some",
    wrongStream: connectionError(protocolError, "PRIORITY names no stream"),
    ...exactly(5),
    wrongLength: streamError(frameSizeError, "PRIORITY is five octets long"),
    further: (frame) => (dependsOnItself(frame) ? ofItself : undefined),
  },
  // Section 6.4.
  [FrameType.resetStream]: {
    stream: "some",
    wrongStream: connectionError(protocolError, "RST_STREAM names no stream"),
    ...exactly(4),
    wrongLength: connectionError(frameSizeError, "RST_STREAM is four octets long"),
  },
  // Section 6.5.
  [FrameType.settings]: {
    stream: "none",
    wrongStream: connectionError(protocolError, "SETTINGS names a stream"),
    ...anyLength,
    unit: 6,
    wrongLength: connectionError(frameSizeError, "a setting is cut off"),
    further: ({ flags, start, end }) =>
      (flags & Flag.ack) !== 0 && end > start ? longAck : undefined,
  },
  // Section 8.4.
  [FrameType.pushPromise]: {
    stream: "never",
    wrongStream: connectionError(protocolError, "a client does not push"),
    ...anyLength,
  },
  // Section 6.7.
  [FrameType.ping]: {
    stream: "none",
    wrongStream: connectionError(protocolError, "PING names a stream"),
    ...exactly(8),
    wrongLength: connectionError(frameSizeError, "PING is eight octets long"),
  },
  // Section 6.8, and section 4.2 on a payload without room for the mandatory fields.
  [FrameType.goAway]: {
    stream: "none",
    wrongStream: connectionError(protocolError, "GOAWAY names a stream"),
    ...anyLength,
    shortest: 8,
    wrongLength: connectionError(frameSizeError, "GOAWAY is at least eight octets long"),
  },
  // Section 6.9.
  [FrameType.windowUpdate]: {
    stream: "any",
    ...exactly(4),
    wrongLength: connectionError(frameSizeError, "WINDOW_UPDATE is four octets long"),
    further({ stream, bytes, start }) {
      if (readUint31(bytes, start) !== 0) return undefined;
      return stream === 0 ? opensNoConnection : opensNoStream;
    },
  },
  // Section 6.10. Its stream is the one that is awaited.
  [FrameType.continuation]: { stream: "any", ...anyLength },
};

function names(stream: number, allowed: Rule["stream"]): boolean {
  switch (allowed) {
    case "none":
      return stream === 0;
    case "some":
      return stream !== 0;
    case "odd":
      return (stream & 1) === 1;
    case "any":
      return true;
    case "never":
      return false;
  }
}

/** `awaited`: `anyFrame`, `settingsFirst`, or the stream whose header section continues. */
export function breachOf(frame: Frame, awaited: number): Breach | undefined {
  const { type, stream } = frame;
  if (type === FrameType.continuation) {
    if (awaited === settingsFirst) return notSettings;
    if (awaited === anyFrame || stream !== awaited) return continuesNothing;
  } else if (awaited !== anyFrame) {
    if (awaited !== settingsFirst) return interrupted;
    if (type !== FrameType.settings) return notSettings;
  }
  const rule = rules[type];
  if (rule === undefined) return undefined;
  if (!names(stream, rule.stream)) return rule.wrongStream;
  const length = frame.end - frame.start;
  const fits = length >= rule.shortest && length <= rule.longest && length % rule.unit === 0;
  if (!fits) return rule.wrongLength;
  return rule.further?.(frame);
}

/** Section 6.5.2: the values that a parameter of SETTINGS may have. Parameters that are not here may have any. */
const settingRules: {
  readonly [setting: number]: { least: number; most: number; breach: Breach } | undefined;
} = {
  [Setting.enablePush]: {
    least: 0,
    most: 1,
    breach: connectionError(protocolError, "ENABLE_PUSH is neither 0 nor 1"),
  },
  [Setting.initialWindowSize]: {
    least: 0,
    most: largestWindow,
    breach: connectionError(flowControlError, "INITIAL_WINDOW_SIZE is out of range"),
  },
  [Setting.maxFrameSize]: {
    least: payloadLimit,
    most: 2 ** 24 - 1,
    breach: connectionError(protocolError, "MAX_FRAME_SIZE is out of range"),
  },
  // RFC 8441 section 3.
  [Setting.enableConnectProtocol]: {
    least: 0,
    most: 1,
    breach: connectionError(protocolError, "ENABLE_CONNECT_PROTOCOL is neither 0 nor 1"),
  },
};

export function settingBreach(setting: number, value: number): Breach | undefined {
  const rule = settingRules[setting];
  if (rule === undefined) return undefined;
  return value >= rule.least && value <= rule.most ? undefined : rule.breach;
}
