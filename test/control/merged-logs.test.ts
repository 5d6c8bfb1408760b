import { expect, test } from "bun:test";
import { merged } from "../../src/control/commands/merged-logs.ts";

const line = (text: string, time: number) => ({ text, time });
const texts = (lines: readonly { text: string }[]) => lines.map(({ text }) => text).join("");

test("lines of several logs stand in the order of their time, those of one moment as they came", () => {
  const api = [line("a", 1), line("c", 3), line("e", 3)];
  const web = [line("b", 2), line("f", 3)];
  expect(texts(merged([api, web]))).toBe("abcef");
  expect(merged([])).toEqual([]);
});

test("a clock that is set back by an hour does not turn a log round, and hides nothing that is new", () => {
  const hour = 3_600_000;
  const api = [line("a", hour), line("b", hour + 1), line("c", 5), line("d", 6)];
  const web = [line("x", hour), line("y", 4), line("z", 7)];
  expect(texts(merged([api]))).toBe("abcd");
  expect(texts(merged([api], hour))).toBe("abcd");
  expect(texts(merged([api, web]))).toBe("axyzbcd");
});

test("since leaves out what is older", () => {
  const api = [line("a", 1), line("b", 2), line("c", 3)];
  expect(texts(merged([api], 2))).toBe("bc");
});
