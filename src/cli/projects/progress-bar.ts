/** Words with a percentage -> the same with a bar in front of it, and whether others tell of the same work. Pure. */

const cells = 16;

/** `downloading X 1.2: 34 % of 22 MiB` -> `downloading X 1.2: █████░░░░░░░░░░░ 34 % of 22 MiB`. */
export function withBar(text: string): string {
  const found = /\b(\d{1,3}) ?%/.exec(text);
  const percent = Number(found?.[1]);
  if (found === null || percent > 100) return text;
  const full = Math.floor((cells * percent) / 100);
  const bar = "█".repeat(full) + "░".repeat(cells - full);
  return `${text.slice(0, found.index)}${bar} ${text.slice(found.index)}`;
}

/** True where only the work has gone on: not a line for each of them. */
export function isSameWork(before: string, after: string): boolean {
  return amount.test(after) && before.replace(amount, "") === after.replace(amount, "");
}

/** `: 34 % of 22 MiB`, or `: 7.5 MiB` where the size is not known; missing before anything has come. */
const amount = /:? *\d[\d.]* ?(?:%|[KMG]?i?B\b).*$/;
