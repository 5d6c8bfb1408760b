/** RFC 9113 section 5.1, written down a second time from its text: every state, every event. */
import { describe, expect, test } from "bun:test";
import {
  events,
  mayReceive,
  maySend,
  type StreamEvent,
  type StreamState,
  states,
  step,
} from "../../../src/proxy/frames/stream-states.ts";
import { ErrorCode } from "../../../src/wire/h2/frame.ts";

const protocol = `connection ${ErrorCode.protocolError}`;
const streamClosedOfConnection = `connection ${ErrorCode.streamClosed}`;
const streamClosed = `stream ${ErrorCode.streamClosed}`;
/** We must not send that. */
const never = "never";

const expected: Record<StreamState, Record<StreamEvent, string>> = {
  // "Receiving any frame other than HEADERS or PRIORITY on a stream in this state MUST be treated as a connection
  // error (Section 5.4.1) of type PROTOCOL_ERROR." "Sending a HEADERS frame as a client, or receiving a HEADERS frame
  // as a server, causes the stream to become "open"."
  idle: {
    "recv HEADERS": "open",
    "recv DATA": protocol,
    "recv END_STREAM": protocol,
    "recv RST_STREAM": protocol,
    "recv WINDOW_UPDATE": protocol,
    "send HEADERS": "open",
    "send DATA": never,
    "send END_STREAM": never,
    "send RST_STREAM": never,
    "stream error": never,
    "connection end": "closed",
  },
  // "A stream in the "open" state may be used by both peers to send frames of any type." "Either endpoint can
  // send a RST_STREAM frame from this state, causing it to transition immediately to "closed"."
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
  // "A stream that is in the "half-closed (local)" state cannot be used for sending frames other than
  // WINDOW_UPDATE, PRIORITY, and RST_STREAM." "An endpoint can receive any type of frame in this state."
  "half-closed (local)": {
    "recv HEADERS": "half-closed (local)",
    "recv DATA": "half-closed (local)",
    "recv END_STREAM": "closed",
    "recv RST_STREAM": "closed",
    "recv WINDOW_UPDATE": "half-closed (local)",
    "send HEADERS": never,
    "send DATA": never,
    "send END_STREAM": never,
    "send RST_STREAM": "closed (reset)",
    "stream error": "closed (reset)",
    "connection end": "closed",
  },
  // "If an endpoint receives additional frames, other than WINDOW_UPDATE, PRIORITY, or RST_STREAM, for a stream
  // that is in this state, it MUST respond with a stream error (Section 5.4.2) of type STREAM_CLOSED." "A stream
  // in this state can be used by the endpoint to send frames of any type."
  "half-closed (remote)": {
    "recv HEADERS": streamClosed,
    "recv DATA": streamClosed,
    "recv END_STREAM": streamClosed,
    "recv RST_STREAM": "closed",
    "recv WINDOW_UPDATE": "half-closed (remote)",
    "send HEADERS": "half-closed (remote)",
    "send DATA": "half-closed (remote)",
    "send END_STREAM": "closed",
    "send RST_STREAM": "closed",
    // Section 5.4.2: the endpoint that sends RST_STREAM "MUST be prepared to receive any frames that were sent
    // or enqueued for sending by the remote peer".
    "stream error": "closed (reset)",
    "connection end": "closed",
  },
  // "An endpoint MUST NOT send frames other than PRIORITY on a closed stream." "An endpoint MAY treat receipt of
  // any other type of frame on a closed stream as a connection error of type STREAM_CLOSED", but "might receive a
  // WINDOW_UPDATE or RST_STREAM frame". A number that HEADERS use again is a PROTOCOL_ERROR by section 5.1.1.
  closed: {
    "recv HEADERS": protocol,
    "recv DATA": streamClosedOfConnection,
    "recv END_STREAM": streamClosedOfConnection,
    "recv RST_STREAM": "closed",
    "recv WINDOW_UPDATE": "closed",
    "send HEADERS": never,
    "send DATA": never,
    "send END_STREAM": never,
    "send RST_STREAM": never,
    "stream error": never,
    "connection end": "closed",
  },
  // "An endpoint that sends a RST_STREAM frame on a stream that is in the "open" or "half-closed (local)" state
  // could receive any type of frame." "An endpoint MUST minimally process and then discard any frames it receives
  // in this state."
  "closed (reset)": {
    "recv HEADERS": "closed (reset)",
    "recv DATA": "closed (reset)",
    "recv END_STREAM": "closed",
    "recv RST_STREAM": "closed",
    "recv WINDOW_UPDATE": "closed (reset)",
    "send HEADERS": never,
    "send DATA": never,
    "send END_STREAM": never,
    "send RST_STREAM": never,
    "stream error": never,
    "connection end": "closed",
  },
};

function outcomeOf(state: StreamState, event: StreamEvent): string {
  const next = step(state, event);
  if (next === undefined) return never;
  return typeof next === "string" ? next : `${next.scope} ${next.code}`;
}

describe.each(states.map((state) => [state] as const))("%s", (state) => {
  for (const event of events) {
    const wanted = expected[state][event];
    test(`${event} -> ${wanted}`, () => {
      expect(outcomeOf(state, event)).toBe(wanted);
    });
  }

  test("may send and may receive what the table lets through", () => {
    expect(maySend(state)).toBe(outcomeOf(state, "send DATA") === state);
    const takes = outcomeOf(state, "recv DATA") === state;
    // Frames behind our RST_STREAM are thrown away: no window is opened for them.
    expect(mayReceive(state)).toBe(takes && state !== "closed (reset)");
  });
});

test("no stream leaves the closed states, and only HEADERS leave idle", () => {
  const leaves = (state: StreamState): string[] =>
    events.filter((event) => {
      const next = outcomeOf(state, event);
      return next !== state && (states as readonly string[]).includes(next);
    });
  expect(leaves("closed")).toEqual([]);
  expect(
    leaves("closed (reset)").map((event) => outcomeOf("closed (reset)", event as StreamEvent)),
  ).toEqual(["closed", "closed", "closed"]);
  expect(leaves("idle")).toEqual(["recv HEADERS", "send HEADERS", "connection end"]);
});

test("a request and its answer go through the states in either order of their ends", () => {
  const walk = (...path: StreamEvent[]): string[] => {
    let state: StreamState = "idle";
    return path.map((event) => {
      const next = step(state, event);
      if (typeof next !== "string") throw new Error(`${event} in ${state}`);
      state = next;
      return state;
    });
  };
  expect(walk("recv HEADERS", "recv END_STREAM", "send HEADERS", "send END_STREAM")).toEqual([
    "open",
    "half-closed (remote)",
    "half-closed (remote)",
    "closed",
  ]);
  expect(walk("recv HEADERS", "send HEADERS", "send END_STREAM", "send RST_STREAM")).toEqual([
    "open",
    "open",
    "half-closed (local)",
    "closed (reset)",
  ]);
});
