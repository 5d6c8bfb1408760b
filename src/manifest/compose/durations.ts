/** A duration as Go writes it, `1m30s` -> as we do, with milliseconds. Pure. */
import { longestTimer } from "../../text/duration.ts";

const units: Readonly<Record<string, number>> = {
  ...{ ns: 1e-6, us: 1e-3, µs: 1e-3, μs: 1e-3, ms: 1, s: 1_000, m: 60_000, h: 3_600_000 },
};

const parts = /(\d+(?:\.\d*)?|\.\d+)(ns|us|µs|μs|ms|s|m|h)/g;
const whole = new RegExp(`^(?:${parts.source})+$`);

/** Milliseconds; undefined: not a duration, or one that no timer takes. */
export function goDuration(text: string): number | undefined {
  if (text === "0") return 0;
  if (text.length > 100 || !whole.test(text)) return undefined;
  let sum = 0;
  for (const [, count, unit] of text.matchAll(parts)) sum += Number(count) * units[unit!]!;
  return sum > longestTimer ? undefined : Math.ceil(sum);
}

/** `1m30s`, `500ms`: whole units, the largest first. */
export function durationText(milliseconds: number): string {
  if (milliseconds === 0) return "0s";
  let left = milliseconds;
  let text = "";
  for (const [unit, size] of [
    ["h", 3_600_000],
    ["m", 60_000],
    ["s", 1_000],
    ["ms", 1],
  ] as const) {
    const count = Math.floor(left / size);
    if (count > 0) text += `${count}${unit}`;
    left -= count * size;
  }
  return text;
}
