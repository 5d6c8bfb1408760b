/** Two texts -> the lines in which they differ, those that only one has marked with - and +. Pure. */

/** Lines that are shown. */
const most = 20;

export function lineDifference(before: string, after: string): string[] {
  const [old, now] = [before.trimEnd().split("\n"), after.trimEnd().split("\n")];
  const has = new Set(now);
  const had = new Set(old);
  const all = [
    ...old.filter((line) => !has.has(line)).map((line) => `- ${line}`),
    ...now.filter((line) => !had.has(line)).map((line) => `+ ${line}`),
  ];
  return all.length <= most ? all : [...all.slice(0, most), `… and ${all.length - most} more`];
}
