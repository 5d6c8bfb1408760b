/** A duration as written, `90` or `1h30m` -> milliseconds, or an error; and back, rounded. Pure. */
import { shown } from "./shown.ts";

export type Duration = { kind: "milliseconds"; value: number } | { kind: "mistake"; why: string };

export type DurationOptions = {
  /** Milliseconds; `longestTimer` by default. */
  longest?: number;
};

const second = 1_000;
const minute = 60 * second;
const hour = 60 * minute;
const day = 24 * hour;

const units: Readonly<Record<string, number>> = { ms: 1, s: second, m: minute, h: hour, d: day };

/** Milliseconds: 24 days and 20 hours, the longest delay of a timer (`setTimeout` takes 31 bits). */
export const longestTimer = 2 ** 31 - 1;

/** Completes "expected ...", and ends the description of every option and key that takes a duration. */
export const durationForm = 'a duration such as "500ms", "30s" or "1h30m"';

const number = /^\d{1,12}(?:\.\d{1,6})?$/;
const parts = /(\d{1,12}(?:\.\d{1,6})?)(ms|[smhd])/g;
const whole = new RegExp(`^(?:${parts.source})+$`);

/**
 * The units are ms, s, m, h and d; a number without a unit is seconds, as text too. The same words mean the same in
 * locald.toml, in config.toml and in flags.
 */
export function readDuration(
  written: number | string,
  { longest = longestTimer }: DurationOptions = {},
): Duration {
  const value = millisecondsOf(written);
  if (value === undefined) {
    return { kind: "mistake", why: `expected ${durationForm}, got ${shown(written)}` };
  }
  if (value > longest) {
    return {
      kind: "mistake",
      why: `${shown(written)} is longer than ${Math.floor(longest / day)} days`,
    };
  }
  return { kind: "milliseconds", value: Math.round(value) };
}

function millisecondsOf(written: number | string): number | undefined {
  if (typeof written === "number") return written >= 0 ? written * second : undefined;
  if (number.test(written)) return Number(written) * second;
  if (!whole.test(written)) return undefined;
  let sum = 0;
  for (const [, count, unit] of written.matchAll(parts)) sum += Number(count) * units[unit!]!;
  return sum;
}

/** `0.4 s`, `12 s`, `3 m`, `2 h`, `5 d`: rounded, in one unit. */
export function shownDuration(milliseconds: number): string {
  const seconds = milliseconds / second;
  if (seconds < 9.95) return `${seconds.toFixed(1)} s`;
  if (seconds < 99.5) return `${Math.round(seconds)} s`;
  if (seconds < 99.5 * 60) return `${Math.round(milliseconds / minute)} m`;
  if (milliseconds < 36 * hour) return `${Math.round(milliseconds / hour)} h`;
  return `${Math.round(milliseconds / day)} d`;
}
