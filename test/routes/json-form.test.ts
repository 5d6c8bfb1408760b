/** The form of our values in JSON, for other programs. */
import { expect, test } from "bun:test";
import fc from "fast-check";
import { isoTime, jsonForm, ofJsonForm } from "../../src/routes/json-form.ts";

test("keys are in snake_case, at every depth, and times are ISO 8601 in UTC with milliseconds", () => {
  const value = {
    routeName: "api",
    startedAt: 1_700_000_000_000,
    lastExit: { time: 0, lastLines: ["a startedAt: 5"] },
    all: [{ nextRun: 1_700_000_000_123 }],
  };
  expect(jsonForm(value)).toEqual({
    route_name: "api",
    started_at: "2023-11-14T22:13:20.000Z",
    last_exit: { time: "1970-01-01T00:00:00.000Z", last_lines: ["a startedAt: 5"] },
    all: [{ next_run: "2023-11-14T22:13:20.123Z" }],
  });
});

test("a value that has its form already stays as it is", () => {
  const form = jsonForm({ startedAt: 5, medianMilliseconds: 7, perSecond: [1, 2] });
  expect(jsonForm(form) as unknown).toEqual(form);
});

test("a time that is none is null, whatever number it is", () => {
  for (const time of [undefined, Number.NaN, Number.POSITIVE_INFINITY, 8.64e15 + 1, -8.64e15 - 1]) {
    expect(isoTime(time)).toBeNull();
  }
  expect(jsonForm({ readyAt: Number.NaN })).toEqual({ ready_at: null as never });
});

test("what was sent is what is read, and what is undefined stays so", () => {
  const process = fc.record({
    pid: fc.nat(),
    startedAt: fc.integer({ min: 0, max: 8.64e15 }),
    lastExit: fc.option(fc.record({ time: fc.nat(), lastLines: fc.array(fc.string()) }), {
      nil: undefined,
    }),
    isHeld: fc.boolean(),
  });
  fc.assert(
    fc.property(fc.array(process), (value) => {
      const sent = JSON.parse(JSON.stringify(jsonForm(value)));
      expect(ofJsonForm<typeof value>(sent)).toEqual(value);
    }),
  );
});
