/** A stream's state and an event -> its next state, or the rule that the event breaks. RFC 9113 section 5.1. Pure. */
import { ErrorCode } from "../../wire/h2/frame.ts";
import { type Breach, connectionError, streamError } from "../../wire/h2/frame-rules.ts";

/**
 * RFC 9113's names. The reserved states are missing, because nobody pushes here. Closed is two states: in `closed
 * (reset)` we sent RST_STREAM before the other side's END_STREAM, and frames on their way still come.
 */
export const states = [
  "idle",
  "open",
  "half-closed (local)",
  "half-closed (remote)",
  "closed",
  "closed (reset)",
] as const;

export type StreamState = (typeof states)[number];

/**
 * `recv` is the other side's frame, `send` ours. END_STREAM is an event of its own, which follows its frame's event.
 * PRIORITY and frames of unknown types are missing: they may come in every state and change none.
 */
export const events = [
  "recv HEADERS",
  "recv DATA",
  "recv END_STREAM",
  "recv RST_STREAM",
  "recv WINDOW_UPDATE",
  "send HEADERS",
  "send DATA",
  "send END_STREAM",
  "send RST_STREAM",
  /** The other side broke a rule on the stream, and RST_STREAM says so. Section 5.4.2. */
  "stream error",
  /** The connection ended, and every stream with it. */
  "connection end",
] as const;

export type StreamEvent = (typeof events)[number];

const { protocolError, streamClosed } = ErrorCode;

/** Only HEADERS and PRIORITY may name a stream that is idle. */
const dataOnIdle = connectionError(protocolError, "DATA is of no stream");
const endOnIdle = connectionError(protocolError, "END_STREAM is of no stream");
const resetOnIdle = connectionError(protocolError, "RST_STREAM is of no stream");
const windowOnIdle = connectionError(protocolError, "WINDOW_UPDATE is of no stream");
/** Nothing but WINDOW_UPDATE, PRIORITY and RST_STREAM may follow END_STREAM. */
const behindEnd = streamError(streamClosed, "the stream has ended");
const dataOnClosed = connectionError(streamClosed, "DATA is of a stream that is closed");
/** A number that was used before: section 5.1.1 has an error code of its own for it. */
const headersOnClosed = connectionError(protocolError, "HEADERS is of a stream that is closed");
const endOnClosed = connectionError(streamClosed, "END_STREAM is of a stream that is closed");

type Row = Partial<Record<StreamEvent, StreamState | Breach>>;

const table: Record<StreamState, Row> = {
  // The side that asks opens the stream: the client towards us, we towards a server. Of a server, no frame on a stream
  // that is idle comes this far.
  idle: {
    "recv HEADERS": "open",
    "send HEADERS": "open",
    "recv DATA": dataOnIdle,
    "recv END_STREAM": endOnIdle,
    "recv RST_STREAM": resetOnIdle,
    "recv WINDOW_UPDATE": windowOnIdle,
    "connection end": "closed",
  },
  open: {
    "recv HEADERS": "open",
    "recv DATA": "open",
    "recv END_STREAM": "half-closed (remote)",
    "recv RST_STREAM": "closed",
    "recv WINDOW_UPDATE": "open",
    "send HEADERS": "open",
    "send DATA": "open",
    "send END_STREAM": "half-closed (local)",
    "send RST_STREAM": "closed (reset)",
    "stream error": "closed (reset)",
    "connection end": "closed",
  },
  "half-closed (local)": {
    "recv HEADERS": "half-closed (local)",
    "recv DATA": "half-closed (local)",
    "recv END_STREAM": "closed",
    "recv RST_STREAM": "closed",
    "recv WINDOW_UPDATE": "half-closed (local)",
    "send RST_STREAM": "closed (reset)",
    "stream error": "closed (reset)",
    "connection end": "closed",
  },
  "half-closed (remote)": {
    "recv HEADERS": behindEnd,
    "recv DATA": behindEnd,
    "recv END_STREAM": behindEnd,
    "recv RST_STREAM": "closed",
    "recv WINDOW_UPDATE": "half-closed (remote)",
    "send HEADERS": "half-closed (remote)",
    "send DATA": "half-closed (remote)",
    "send END_STREAM": "closed",
    "send RST_STREAM": "closed",
    // A peer that sends on behind its own end may have sent more than we have seen.
    "stream error": "closed (reset)",
    "connection end": "closed",
  },
  closed: {
    "recv HEADERS": headersOnClosed,
    "recv DATA": dataOnClosed,
    "recv END_STREAM": endOnClosed,
    // Both may have been on their way when our END_STREAM or RST_STREAM closed the stream.
    "recv RST_STREAM": "closed",
    "recv WINDOW_UPDATE": "closed",
    "connection end": "closed",
  },
  "closed (reset)": {
    "recv HEADERS": "closed (reset)",
    "recv DATA": "closed (reset)",
    "recv END_STREAM": "closed",
    "recv RST_STREAM": "closed",
    "recv WINDOW_UPDATE": "closed (reset)",
    "connection end": "closed",
  },
};

/** @returns undefined for what we must not send in that state: to do so is our own fault. */
export function step(state: StreamState, event: StreamEvent): StreamState | Breach | undefined {
  return table[state][event];
}

/** Whether our message may go on. */
export function maySend(state: StreamState): boolean {
  return state === "open" || state === "half-closed (remote)";
}

/** Whether more of the other side's message may come, for which windows are needed. */
export function mayReceive(state: StreamState): boolean {
  return state === "open" || state === "half-closed (local)";
}
