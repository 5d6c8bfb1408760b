/** Bytes -> a size for people: `512 B`, `1.5 KiB`, `47 MiB`. Pure. */

const units = ["KiB", "MiB", "GiB", "TiB"];

export function shownSize(bytes: number): string {
  if (bytes < 1_024) return `${bytes} B`;
  let value = bytes / 1_024;
  let at = 0;
  while (value >= 1_024 && at < units.length - 1) {
    value /= 1_024;
    at++;
  }
  return `${value < 10 ? value.toFixed(1) : Math.round(value)} ${units[at]}`;
}
