/** Bytes -> a size for people: `512 B`, `1.5 KiB`, `47 MiB`; and a size as written, `512M` -> bytes. Pure. */

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

/** Completes "expected ...". */
export const sizeForm = 'a size such as "512M" or "1.5G"';

const written = /^(\d{1,12}(?:\.\d{1,6})?) ?(?:([KMGT])(?:i?B)?|B)?$/i;

/** Bytes. The units are powers of 1024, as in systemd, Docker and `ulimit`. Undefined: not a size. */
export function readSize(size: number | string): number | undefined {
  if (typeof size === "number") return size >= 0 ? Math.round(size) : undefined;
  const found = written.exec(size.trim());
  if (found === null) return undefined;
  const [, count, unit] = found;
  const power = unit === undefined ? 0 : "KMGT".indexOf(unit.toUpperCase()) + 1;
  return Math.round(Number(count) * 1_024 ** power);
}
