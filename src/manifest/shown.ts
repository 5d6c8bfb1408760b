/** A value that somebody wrote -> how a message quotes it. Pure. */

/** Characters; enough to know it again. */
const longest = 80;

export function shown(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value);
  return text.length > longest ? `${text.slice(0, longest - 1)}…` : text;
}
