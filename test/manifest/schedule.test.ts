import { afterEach, expect, test } from "bun:test";
import { nextTime, scheduleMistake } from "../../src/manifest/schedule.ts";

const zone = process.env.TZ;
afterEach(() => {
  if (zone === undefined) delete process.env.TZ;
  else process.env.TZ = zone;
});

/** The next times, as ISO 8601 in UTC without seconds. */
function times(expression: string, { after, count = 1 }: { after: string; count?: number }) {
  const found: string[] = [];
  for (let at = Date.parse(after); found.length < count;) {
    at = nextTime(expression, at)!;
    found.push(new Date(at).toISOString().slice(0, 16));
  }
  return found;
}

test("the next time is after the given one, never that one", () => {
  process.env.TZ = "UTC";
  expect(times("*/5 * * * *", { after: "2026-05-01T12:04:59.999Z" })).toEqual(["2026-05-01T12:05"]);
  expect(times("*/5 * * * *", { after: "2026-05-01T12:05:00Z" })).toEqual(["2026-05-01T12:10"]);
  expect(times("@hourly", { after: "2026-05-01T23:00:00Z" })).toEqual(["2026-05-02T00:00"]);
  expect(times("30 6 * * mon-fri", { after: "2026-05-01T12:00:00Z" })).toEqual([
    "2026-05-04T06:30",
  ]);
  expect(times("0 0 29 2 *", { after: "2026-05-01T12:00:00Z" })).toEqual(["2028-02-29T00:00"]);
});

test("the times are those of the machine's time zone", () => {
  process.env.TZ = "Asia/Kolkata";
  expect(times("0 9 * * *", { after: "2026-05-01T12:00:00Z" })).toEqual(["2026-05-02T03:30"]);
});

test("a night in which clocks go forward has no hour without a run, and one where they go back none with two", () => {
  process.env.TZ = "Europe/Berlin";
  // 02:30 does not exist on 29 March: the first moment after the gap is 03:00, 01:00 in UTC.
  expect(times("30 2 * * *", { after: "2026-03-28T12:00:00Z", count: 2 })).toEqual([
    "2026-03-29T01:00",
    "2026-03-30T00:30",
  ]);
  // 02:30 comes twice on 25 October.
  expect(times("30 2 * * *", { after: "2026-10-24T12:00:00Z", count: 2 })).toEqual([
    "2026-10-25T00:30",
    "2026-10-26T01:30",
  ]);
  // What runs all the time goes on doing so.
  expect(times("*/30 * * * *", { after: "2026-10-24T23:45:00Z", count: 4 })).toEqual([
    "2026-10-25T00:00",
    "2026-10-25T00:30",
    "2026-10-25T01:00",
    "2026-10-25T01:30",
  ]);
});

const form =
  'expected minute, hour, day, month and weekday, such as "*/5 * * * *" or "0 3 * * MON", or "@hourly"';

test.each([
  ["*/5 * * * *", undefined],
  ["  0  3\t* * 7 ", undefined],
  ["@Daily", undefined],
  ["0 0 L * *", undefined],
  ["every 5 minutes", `${form}, got "every 5 minutes"`],
  ["* * * *", `${form}, got "* * * *"`],
  ["* * * * * *", `${form}, got "* * * * * *"`],
  ["2026-01-01T00:00:00", `${form}, got "2026-01-01T00:00:00"`],
  ["@reboot", '"@reboot" is no time; a service without a schedule is started by `up`'],
  ["0 0 30 2 *", '"0 0 30 2 *" never comes'],
  ["60 * * * *", '"60 * * * *" is not a schedule: invalid value for minute: 60'],
  ["*/0 * * * *", '"*/0 * * * *" is not a schedule: illegal stepping: 0'],
  ["a * * * *", '"a * * * *" is not a schedule: its minute (a) contains illegal characters.'],
])("%p: %p", (expression, mistake) => {
  expect(scheduleMistake(expression)).toBe(mistake);
});
