/** Values -> TOML as a person would write it. Pure. */

export function tomlKey(key: string): string {
  return /^[A-Za-z0-9_-]+$/.test(key) ? key : basicString(key);
}

/** A literal string, in single quotes, where that avoids backslashes. */
export function tomlString(text: string): string {
  const literal = /["\\]/.test(text) && !/['\p{Cc}]/u.test(text) && text.isWellFormed();
  return literal ? `'${text}'` : basicString(text);
}

export function tomlValue(value: unknown): string {
  if (typeof value === "string") return tomlString(value);
  if (Array.isArray(value)) return `[${value.map(tomlValue).join(", ")}]`;
  if (typeof value === "object" && value !== null && !(value instanceof Date)) {
    const pairs = Object.entries(value).map(([key, its]) => `${tomlKey(key)} = ${tomlValue(its)}`);
    return pairs.length === 0 ? "{}" : `{ ${pairs.join(", ")} }`;
  }
  return String(value);
}

function basicString(text: string): string {
  // JSON allows U+007F unescaped, and TOML does not.
  return JSON.stringify(text.toWellFormed()).replaceAll("\x7f", "\\u007F");
}
