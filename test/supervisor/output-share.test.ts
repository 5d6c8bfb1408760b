import { expect, test } from "bun:test";
import { outputShare } from "../../src/supervisor/logs/output-share.ts";
import { FakeClock } from "../support/fake-clock.ts";

function made(count: number) {
  const clock = new FakeClock();
  const share = outputShare(clock);
  const printers = Array.from({ length: count }, () => ({
    held: false,
    setShare(held: boolean) {
      this.held = held;
    },
  }));
  return { clock, share, printers };
}

const much = 64 * 1024;

test("who prints little never waits, however long and beside whom", () => {
  const { clock, share, printers } = made(2);
  const [slow, flood] = printers;
  for (let at = 0; at < 1000; at++) {
    share.printed(slow!, 1000);
    share.printed(flood!, much);
    expect(slow!.held).toBe(false);
    clock.advance(1);
  }
});

test("those who print much go on one at a time, each in its turn", () => {
  const { clock, share, printers } = made(10);
  for (const printer of printers) share.printed(printer, much);
  expect(printers.every(({ held }) => held)).toBe(true);
  for (let round = 0; round < 3; round++) {
    for (const printer of printers) {
      clock.advance(4);
      expect(printers.filter(({ held }) => !held)).toEqual([printer]);
      share.printed(printer, much);
    }
  }
});

test("what comes of one that waits changes nothing, and nothing is left when all have gone on", () => {
  const { clock, share, printers } = made(1);
  share.printed(printers[0]!, much);
  share.printed(printers[0]!, much);
  clock.advance(4);
  expect(printers[0]!.held).toBe(false);
  clock.advance(100);
  expect(clock.waiting).toBe(0);
});

test("stopped, it holds nobody and leaves no timer", () => {
  const { clock, share, printers } = made(3);
  for (const printer of printers) share.printed(printer, much);
  share.stop();
  expect(printers.some(({ held }) => held)).toBe(false);
  expect(clock.waiting).toBe(0);
});
