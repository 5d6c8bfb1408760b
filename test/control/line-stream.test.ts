/** Streams of lines by HTTP: an error at their end has the form of every error. */
import { expect, test } from "bun:test";
import { lineStream } from "../../src/control/http/sse.ts";
import { FakeClock } from "../support/fake-clock.ts";

function linesOf(values: readonly unknown[]): unknown[] {
  const lines: string[] = [];
  const { stream } = lineStream(
    ({ next }) => {
      for (const value of values) next(value);
      return () => {};
    },
    { clock: new FakeClock(), headers: {} },
  );
  stream({
    write: (text: string) => void lines.push(text),
    end() {},
    cut() {},
    pending: 0,
  } as Parameters<typeof stream>[0]);
  return lines.map((line) => JSON.parse(line) as unknown);
}

test("a start that has failed ends with an error, and every other line is as it was sent", () => {
  const step = { type: "StepFinished", data: { id: "shop:api", result: { Err: "no port" } } };
  const line = { time: "2026-01-01T00:00:00.000Z", service: "a", message: '{"Error":"x"}' };
  expect(linesOf([step, line, "Ok"])).toEqual([step, line, "Ok"]);
  expect(linesOf([{ Error: "api is not ready; see: localhostess logs shop:api" }])).toEqual([
    {
      error: {
        code: "not_ready",
        message: "api is not ready; see: localhostess logs shop:api",
        hint: "localhostess logs shop:api",
      },
    },
  ]);
});
