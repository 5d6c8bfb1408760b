/** RFC 9113's rules of frames, written down a second time, and every frame that could break one of them. */
import { describe, expect, test } from "bun:test";
import { ErrorCode, Flag, FrameType, Setting } from "../../../src/wire/h2/frame.ts";
import {
  anyFrame,
  type Breach,
  breachOf,
  dependsOnItself,
  type Frame,
  settingBreach,
  settingsFirst,
  tooLong,
} from "../../../src/wire/h2/frame-rules.ts";

const codeNames = new Map<number, string>(
  Object.entries(ErrorCode).map(([name, code]) => [code, name]),
);

/** As `connection protocolError`. */
function told(breach: Breach | undefined): string {
  return breach === undefined ? "none" : `${breach.scope} ${codeNames.get(breach.code)}`;
}

/** A payload of `length` octets, none of which is 0 or more than it may be, unless it is given. */
function frameOf(
  type: number,
  {
    stream = 1,
    flags = 0,
    payload = [],
  }: { stream?: number; flags?: number; payload?: readonly number[] },
): Frame {
  return {
    type,
    stream,
    flags,
    // The reader's frames seldom begin at 0.
    bytes: Uint8Array.from([9, 9, 9, ...payload, 9]),
    start: 3,
    end: 3 + payload.length,
  };
}

const ones = (length: number): number[] => Array.from({ length }, () => 1);

const { data, headers, priority, resetStream, settings, pushPromise, ping, goAway } = FrameType;
const { windowUpdate, continuation } = FrameType;

const lengths = [...Array.from({ length: 20 }, (_, length) => length), 16_383, 16_384];
/** The connection, streams that a client may open, streams that it may not. */
const streams = [0, 1, 2, 3, 2 ** 31 - 2, 2 ** 31 - 1];

type Expected = {
  section: string;
  /** The streams of `streams` that a frame of the type may name. */
  names: (stream: number) => boolean;
  wrongStream: string;
  fits: (length: number) => boolean;
  wrongLength: string;
};

const every = (): boolean => true;
const never = (): boolean => false;
const isStream = (stream: number): boolean => stream !== 0;
const isConnection = (stream: number): boolean => stream === 0;
const isOdd = (stream: number): boolean => stream % 2 === 1;
const no = "none";
const protocol = "connection protocolError";
const size = "connection frameSizeError";

const expected: Record<string, Expected & { type: number }> = {
  DATA: {
    type: data,
    section: "6.1",
    names: isStream,
    wrongStream: protocol,
    fits: every,
    wrongLength: no,
  },
  HEADERS: {
    type: headers,
    section: "6.2, 5.1.1",
    names: isOdd,
    wrongStream: protocol,
    fits: every,
    wrongLength: no,
  },
  PRIORITY: {
    type: priority,
    section: "6.3",
    names: isStream,
    wrongStream: protocol,
    fits: (length) => length === 5,
    wrongLength: "stream frameSizeError",
  },
  RST_STREAM: {
    type: resetStream,
    section: "6.4",
    names: isStream,
    wrongStream: protocol,
    fits: (length) => length === 4,
    wrongLength: size,
  },
  SETTINGS: {
    type: settings,
    section: "6.5",
    names: isConnection,
    wrongStream: protocol,
    fits: (length) => length % 6 === 0,
    wrongLength: size,
  },
  PUSH_PROMISE: {
    type: pushPromise,
    section: "8.4",
    names: never,
    wrongStream: protocol,
    fits: every,
    wrongLength: no,
  },
  PING: {
    type: ping,
    section: "6.7",
    names: isConnection,
    wrongStream: protocol,
    fits: (length) => length === 8,
    wrongLength: size,
  },
  GOAWAY: {
    type: goAway,
    section: "6.8, 4.2",
    names: isConnection,
    wrongStream: protocol,
    fits: (length) => length >= 8,
    wrongLength: size,
  },
  WINDOW_UPDATE: {
    type: windowUpdate,
    section: "6.9",
    names: every,
    wrongStream: no,
    fits: (length) => length === 4,
    wrongLength: size,
  },
  CONTINUATION: {
    type: continuation,
    section: "6.10",
    names: never,
    wrongStream: protocol,
    fits: every,
    wrongLength: no,
  },
  ...Object.fromEntries(
    [10, 0x16, 255].map((type) => [
      `type ${type}`,
      { type, section: "5.5", names: every, wrongStream: no, fits: every, wrongLength: no },
    ]),
  ),
};

describe.each(Object.entries(expected))("%s", (_, row) => {
  const { type, section, names, fits, wrongStream, wrongLength } = row;

  test(`${section}: on each stream, of each length`, () => {
    for (const stream of streams) {
      for (const length of lengths) {
        const found = told(breachOf(frameOf(type, { stream, payload: ones(length) }), anyFrame));
        const right = fits(length) ? no : wrongLength;
        expect([stream, length, found]).toEqual([
          stream,
          length,
          names(stream) ? right : wrongStream,
        ]);
      }
    }
  });

  test("3.4: comes first only if it is SETTINGS", () => {
    const frame = frameOf(type, { stream: type === settings ? 0 : 1 });
    expect(told(breachOf(frame, settingsFirst))).toBe(type === settings ? no : protocol);
  });

  test("4.3 and 6.10: comes within a section only if it is the stream's CONTINUATION", () => {
    for (const stream of [0, 1, 3, 5]) {
      const found = told(breachOf(frameOf(type, { stream }), 3));
      const continues = type === continuation && stream === 3;
      expect([stream, found]).toEqual([stream, continues ? no : protocol]);
    }
  });
});

const { padded, ack } = Flag;
const prioritized = Flag.priority;
const zeros = (length: number): number[] => Array.from({ length }, () => 0);

test.each([
  ["6.1", "DATA with all its padding", data, padded, [2, 0, 0], no],
  ["6.1", "DATA with more padding than payload", data, padded, [3, 0, 0], protocol],
  ["6.1", "DATA without an octet for the padding's length", data, padded, [], protocol],
  ["6.1", "DATA without PADDED is not read for padding", data, 0, [200], no],
  ["6.2", "HEADERS with more padding than payload", headers, padded, [1], protocol],
  ["6.2", "HEADERS with room for a priority", headers, prioritized, zeros(5), no],
  ["6.2", "HEADERS without room for a priority", headers, prioritized, zeros(4), protocol],
  ["6.2", "HEADERS with both", headers, prioritized | padded, [1, ...zeros(6)], no],
  ["6.2", "HEADERS with padding in its priority", headers, 40, [1, ...zeros(5)], protocol],
] as const)("%s %s", (_section, _name, type, flags, payload, outcome) => {
  expect(told(breachOf(frameOf(type, { flags, payload }), anyFrame))).toBe(outcome);
});

const itself = "stream protocolError";

test.each([
  ["a priority below another stream", priority, 0, [0, 0, 0, 3, 15], no, false],
  ["a priority below itself", priority, 0, [0, 0, 0, 1, 15], itself, true],
  ["an exclusive one", priority, 0, [128, 0, 0, 1, 15], itself, true],
  // The section has to be decoded before the stream ends.
  ["HEADERS below themselves", headers, prioritized, [0, 0, 0, 1, 15], no, true],
  ["padded ones", headers, prioritized | padded, [1, 0, 0, 0, 1, 15, 0], no, true],
  ["HEADERS whose padding is as long", headers, prioritized | padded, [1, ...zeros(6)], no, false],
  ["HEADERS without a priority", headers, 0, [0, 0, 0, 1, 15], no, false],
] as const)("RFC 7540 5.3.1: %s", (_name, type, flags, payload, outcome, onItself) => {
  const frame = frameOf(type, { flags, payload });
  expect(told(breachOf(frame, anyFrame))).toBe(outcome);
  expect(dependsOnItself(frame)).toBe(onItself);
});

test.each([
  ["6.5", "an acknowledgement of SETTINGS", settings, 0, ack, [], no],
  ["6.5", "an acknowledgement with a payload", settings, 0, ack, ones(6), size],
  ["6.7", "an acknowledgement of PING has a payload", ping, 0, ack, ones(8), no],
  ["6.9", "0 octets for a stream", windowUpdate, 1, 0, zeros(4), "stream protocolError"],
  ["6.9", "0 octets for the connection", windowUpdate, 0, 0, zeros(4), protocol],
  ["6.9", "the reserved bit is no octet", windowUpdate, 0, 0, [128, 0, 0, 0], protocol],
  ["6.9", "one octet", windowUpdate, 1, 0, [0, 0, 0, 1], no],
] as const)("%s %s", (_section, _name, type, stream, flags, payload, outcome) => {
  expect(told(breachOf(frameOf(type, { stream, flags, payload }), anyFrame))).toBe(outcome);
});

test("4.2: a frame that is too long ends the connection", () => {
  expect(told(tooLong)).toBe(size);
});

test.each([
  ["HEADER_TABLE_SIZE", Setting.headerTableSize, [0, 2 ** 32 - 1], [], ""],
  ["ENABLE_PUSH", Setting.enablePush, [0, 1], [2, 2 ** 32 - 1], protocol],
  ["MAX_CONCURRENT_STREAMS", Setting.maxConcurrentStreams, [0, 2 ** 32 - 1], [], ""],
  [
    "INITIAL_WINDOW_SIZE",
    Setting.initialWindowSize,
    [0, 2 ** 31 - 1],
    [2 ** 31, 2 ** 32 - 1],
    "connection flowControlError",
  ],
  [
    "MAX_FRAME_SIZE",
    Setting.maxFrameSize,
    [2 ** 14, 2 ** 24 - 1],
    [0, 2 ** 14 - 1, 2 ** 24, 2 ** 32 - 1],
    protocol,
  ],
  ["MAX_HEADER_LIST_SIZE", Setting.maxHeaderListSize, [0, 2 ** 32 - 1], [], ""],
  ["a parameter that nobody knows", 0xff, [0, 2 ** 32 - 1], [], ""],
] as const)("6.5.2 %s", (_name, setting, right, wrong, outcome) => {
  for (const value of right) expect(told(settingBreach(setting, value))).toBe(no);
  for (const value of wrong) expect(told(settingBreach(setting, value))).toBe(outcome);
});
