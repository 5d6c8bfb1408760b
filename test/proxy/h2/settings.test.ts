/** A client's SETTINGS without a session. */
import { expect, test } from "bun:test";
import { type Changes, PeerSettings } from "../../../src/proxy/frames/peer-settings.ts";
import { writeOurSettings } from "../../../src/proxy/h2/settings.ts";
import { HeadWriter } from "../../../src/proxy/frames/head-writer.ts";
import {
  ErrorCode,
  Found,
  FrameReader,
  FrameType,
  readUint32,
  Setting,
} from "../../../src/wire/h2/frame.ts";
import { connectionError, type Frame } from "../../../src/wire/h2/frame-rules.ts";

function frameOf(...settings: readonly (readonly [setting: number, value: number])[]): Frame {
  const bytes = Buffer.alloc(settings.length * 6);
  settings.forEach(([setting, value], index) => {
    bytes.writeUInt16BE(setting, index * 6);
    bytes.writeUInt32BE(value, index * 6 + 2);
  });
  return { type: FrameType.settings, flags: 0, stream: 0, bytes, start: 0, end: bytes.length };
}

function recorded(): { changes: Changes; told: string[] } {
  const told: string[] = [];
  const changes: Changes = {
    tableSize: (size) => void told.push(`table ${size}`),
    windows(change) {
      told.push(`windows ${change}`);
      return undefined;
    },
  };
  return { changes, told };
}

test("settings are applied in their order, and windows change by the difference", () => {
  const settings = new PeerSettings();
  const { changes, told } = recorded();
  const frame = frameOf(
    [Setting.initialWindowSize, 100_000],
    [Setting.headerTableSize, 0],
    [Setting.maxHeaderListSize, 1],
    [0xff, 1],
    [Setting.initialWindowSize, 1_000],
  );
  expect(settings.read(frame, changes)).toBeUndefined();
  expect(told).toEqual(["windows 34465", "table 0", "windows -99000"]);
  expect(settings.initialWindow).toBe(1_000);
});

test("nothing behind a setting that breaks a rule is applied", () => {
  const settings = new PeerSettings();
  const { changes, told } = recorded();
  const frame = frameOf([Setting.enablePush, 2], [Setting.headerTableSize, 0]);
  expect(settings.read(frame, changes)?.code).toBe(ErrorCode.protocolError);
  expect(told).toEqual([]);
});

test("a window that the change makes too large ends the connection", () => {
  const breach = connectionError(ErrorCode.flowControlError, "too large");
  const changes: Changes = { tableSize() {}, windows: () => breach };
  expect(new PeerSettings().read(frameOf([Setting.initialWindowSize, 1]), changes)).toBe(breach);
});

test("our side of the preface is SETTINGS with our limits, then the connection's window", () => {
  const out = new HeadWriter(64);
  writeOurSettings(out);
  const reader = new FrameReader();
  reader.push(out.bytes.slice(0, out.length), 0);
  expect([reader.next(), reader.type, reader.end - reader.start]).toEqual([
    Found.frame,
    FrameType.settings,
    5 * 6,
  ]);
  expect([reader.next(), reader.type, reader.stream]).toEqual([
    Found.frame,
    FrameType.windowUpdate,
    0,
  ]);
  expect(readUint32(reader.bytes, reader.start)).toBe(32 * 262_144 - 65_535);
  expect(reader.next()).toBe(Found.more);
});
