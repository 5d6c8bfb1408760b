import { expect, test } from "bun:test";
import { EventLines, isNewsLine } from "../../src/containers/event-lines.ts";

const start = '{"status":"start","id":"4f","Type":"container","Action":"start"}\n';
const health = '{"status":"health_status: healthy","Action":"health_status: healthy"}\n';

test.each([
  ["start", true],
  ["die", true],
  ["died", true],
  ["rename", true],
  ["destroy", true],
  ["remove", true],
  ["pause", true],
  ["unpause", true],
  ["exec_create: sh", false],
  ["exec_die", false],
  ["health_status", false],
  ["top", false],
  ["attach", false],
  ["cleanup", false],
])("action %s is news: %p", (action, expected) => {
  expect(isNewsLine(JSON.stringify({ Action: action }))).toBe(expected);
  expect(isNewsLine(JSON.stringify({ status: action }))).toBe(expected);
});

test("lines are read in whatever pieces they come", () => {
  for (let size = 1; size < start.length; size++) {
    const lines = new EventLines();
    const bytes = Buffer.from(health + start);
    let news = 0;
    for (let at = 0; at < bytes.length; at += size) {
      if (lines.take(bytes.subarray(at, at + size))) news++;
    }
    expect([size, news]).toEqual([size, 1]);
  }
});

test("the half line of a piece is a copy: the bytes are only lent", () => {
  const lines = new EventLines();
  const bytes = Buffer.from(health.slice(0, 20));
  lines.take(bytes);
  bytes.fill(0);
  expect(lines.take(Buffer.from(health.slice(20)))).toBe(false);
});

test("garbage is news, an empty line is none, and a line without an end is not kept", () => {
  const lines = new EventLines();
  expect(lines.take(Buffer.from("\0\x01 what\n"))).toBe(true);
  expect(lines.take(Buffer.from("null\n"))).toBe(true);
  expect(lines.take(Buffer.from("\r\n\n"))).toBe(false);
  for (let count = 0; count < 1000; count++) {
    expect(lines.take(Buffer.alloc(1024, "a"))).toBe(false);
  }
  expect(lines.take(Buffer.from("\n"))).toBe(true);
  expect(lines.take(Buffer.from(health))).toBe(false);
  // Byte by byte.
  for (const byte of health) expect(lines.take(Buffer.from(byte))).toBe(false);
});
