import { describe, expect, test } from "bun:test";
import type { Size } from "../../src/supervisor/logs/log-lines.ts";
import type { LogStore } from "../../src/supervisor/logs/log-store.ts";
import { Attachments } from "../../src/supervisor/project/attachments.ts";
import { terminalSize } from "../../src/supervisor/service/child.ts";
import { FakeClock } from "../support/fake-clock.ts";

function scene({ hasTerminal = true } = {}) {
  const clock = new FakeClock();
  const sizes: Size[] = [];
  const logged: (Size | undefined)[] = [];
  const typed: string[] = [];
  let runs = true;
  const input = {
    write: (bytes: Uint8Array) => void typed.push(Buffer.from(bytes).toString()),
    untaken: 7,
    resize: (size: Size) => void sizes.push(size),
  };
  const logs = {
    of: () => ({ resize: (size: Size | undefined) => void logged.push(size) }),
  } as unknown as LogStore;
  const all = new Attachments({
    clock,
    logs,
    inputOf: () => (runs ? input : undefined),
    hasTerminal: () => hasTerminal,
  });
  const end = (): void => {
    runs = false;
  };
  return { all, clock, sizes, logged, typed, end };
}

describe("the size of a terminal", () => {
  test("is the smallest of those attached, and the usual one without anybody", () => {
    const { all, sizes, logged } = scene();
    const one = all.attach("shop:api", { cols: 200, rows: 20 });
    expect(sizes.at(-1)).toEqual({ cols: 200, rows: 20 });
    const two = all.attach("shop:api", { cols: 80, rows: 50 });
    expect(sizes.at(-1)).toEqual({ cols: 80, rows: 20 });
    expect(logged.at(-1)).toEqual({ cols: 80, rows: 20 });
    const none = all.attach("shop:api", undefined);
    expect(sizes.at(-1)).toEqual({ cols: 80, rows: 20 });
    one.leave();
    expect(sizes.at(-1)).toEqual({ cols: 80, rows: 50 });
    one.resize({ cols: 1, rows: 1 });
    one.leave();
    expect(sizes.at(-1)).toEqual({ cols: 80, rows: 50 });
    two.leave();
    expect(sizes.at(-1)).toEqual(terminalSize);
    none.leave();
    expect(sizes.at(-1)).toEqual(terminalSize);
  });

  test("of one service is none of another's, and pipes have none", () => {
    const { all, sizes } = scene();
    all.attach("shop:db", { cols: 20, rows: 5 });
    all.attach("shop:api", { cols: 100, rows: 30 });
    expect(sizes.at(-1)).toEqual({ cols: 100, rows: 30 });
    const pipes = scene({ hasTerminal: false });
    pipes.all.attach("shop:api", { cols: 100, rows: 30 });
    expect([pipes.sizes, pipes.logged]).toEqual([[], []]);
  });

  test("is another for a moment where a full-screen program is to draw itself again", () => {
    const { all, clock, sizes } = scene();
    const one = all.attach("shop:api", { cols: 100, rows: 30 });
    one.redraw();
    expect(sizes.at(-1)).toEqual({ cols: 100, rows: 29 });
    clock.advance(100);
    expect(sizes.at(-1)).toEqual({ cols: 100, rows: 30 });
    const small = all.attach("shop:db", { cols: 10, rows: 1 });
    small.redraw();
    expect(sizes.at(-1)).toEqual({ cols: 10, rows: 2 });
  });
});

test("keys reach the process that runs, and nobody who has left types", () => {
  const { all, typed, end } = scene();
  const one = all.attach("shop:api", undefined);
  one.type(Buffer.from("a"));
  expect(one.untaken).toBe(7);
  one.leave();
  one.type(Buffer.from("b"));
  const two = all.attach("shop:api", undefined);
  end();
  two.type(Buffer.from("c"));
  expect(two.untaken).toBe(0);
  expect(typed).toEqual(["a"]);
});
