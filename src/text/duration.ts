/** Seconds, or a text such as "500ms" or "1m30s" -> milliseconds, or why not. Pure. */

export type Duration = { kind: "milliseconds"; value: number } | { kind: "mistake"; why: string };

const units: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

/** Milliseconds; what a timer can count, 24 days. */
const longest = 2 ** 31 - 1;

const form = 'seconds, or a text such as "500ms", "5s" or "2m"';

export function readDuration(written: number | string): Duration {
  const value = typeof written === "number" ? written * 1000 : millisecondsOf(written);
  if (value === undefined) {
    const meant = /^\d+(?:\.\d+)?$/.test(written as string) ? `; did you mean ${written}?` : "";
    return {
      kind: "mistake",
      why: `${form}, is expected, not ${JSON.stringify(written)}${meant}`,
    };
  }
  if (!(value >= 0)) return { kind: "mistake", why: `${written} is no length of time` };
  if (value > longest) return { kind: "mistake", why: `${written} is longer than 24 days` };
  return { kind: "milliseconds", value: Math.round(value) };
}

/** The shortest way to write it: `500` -> `500ms`, `90000` -> `1m30s`. */
export function durationText(milliseconds: number): string {
  let left = milliseconds;
  let text = "";
  for (const unit of ["h", "m", "s", "ms"]) {
    const count = Math.floor(left / units[unit]!);
    left -= count * units[unit]!;
    if (count > 0) text += `${count}${unit}`;
  }
  return text === "" ? "0s" : text;
}

function millisecondsOf(text: string): number | undefined {
  if (!/^(?:\d{1,12}(?:\.\d{1,6})?(?:ms|h|m|s))+$/.test(text)) return undefined;
  let sum = 0;
  for (const [, count, unit] of text.matchAll(/([\d.]+)(ms|h|m|s)/g)) {
    sum += Number(count) * units[unit!]!;
  }
  return sum;
}
