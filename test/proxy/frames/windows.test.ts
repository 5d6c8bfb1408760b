/** Flow control without a session: what comes, what is used up, and when a WINDOW_UPDATE is due. */
import { expect, test } from "bun:test";
import { ReceiveWindow, SendWindow } from "../../../src/proxy/frames/windows.ts";

test("a window takes what it holds, and not an octet more", () => {
  const window = new ReceiveWindow(100);
  expect(window.take(100)).toBe(true);
  expect(window.take(0)).toBe(true);
  expect(window.take(1)).toBe(false);
});

test("used octets are given back half a window at a time, and none is lost or given twice", () => {
  const window = new ReceiveWindow(100);
  expect(window.take(100)).toBe(true);
  expect([window.credit(30), window.left]).toEqual([0, 0]);
  expect([window.credit(19), window.left]).toEqual([0, 0]);
  expect([window.credit(1), window.left]).toEqual([50, 50]);
  expect([window.credit(50), window.left]).toEqual([50, 100]);
  expect(window.credit(0)).toBe(0);
});

test("the next stream begins with a whole window, whatever the last one used", () => {
  const window = new ReceiveWindow(100);
  window.take(100);
  window.credit(49);
  window.begin(3);
  expect([window.stream, window.left]).toEqual([3, 100]);
  // The last stream's 49 octets are not the next one's.
  expect(window.credit(49)).toBe(0);
});

test("a send window grows up to 2^31 - 1, and may fall below zero", () => {
  const window = new SendWindow();
  expect(window.left).toBe(65_535);
  expect(window.widen(-70_000)).toBe(true);
  expect(window.left).toBe(-4_465);
  expect(window.widen(2 ** 31 - 1 + 4_465)).toBe(true);
  expect(window.widen(1)).toBe(false);
});
