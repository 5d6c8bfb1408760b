/** A value -> JSON for a person: on one line what fits there, and otherwise an entry a line. Pure. */

export type JsonLinesOptions = {
  /** Columns. A text that is longer has a line of its own. */
  width?: number;
  /** Before each line but the first. */
  indent?: string;
  /** Columns that are taken before the first line. */
  taken?: number;
};

export function jsonLines(
  value: unknown,
  { width = 100, indent = "", taken = 0 }: JsonLinesOptions = {},
): string {
  const flat = onOneLine(value);
  // A comma may follow.
  if (taken + flat.length < width || !isLarge(value)) return flat;
  const within = `${indent}  `;
  const below = (its: unknown, key = ""): string => {
    const before = `${within}${key}`;
    return `${before}${jsonLines(its, { width, indent: within, taken: before.length })}`;
  };
  const lines = Array.isArray(value)
    ? value.map((its) => below(its))
    : entriesOf(value).map(([key, its]) => below(its, `${JSON.stringify(key)}: `));
  const [open, close] = Array.isArray(value) ? "[]" : "{}";
  return `${open}\n${lines.join(",\n")}\n${indent}${close}`;
}

function isLarge(value: unknown): value is object {
  return typeof value === "object" && value !== null && Object.keys(value).length > 0;
}

function onOneLine(value: unknown): string {
  if (typeof value !== "object" || value === null) return JSON.stringify(value) ?? "null";
  if (Array.isArray(value)) return `[${value.map(onOneLine).join(", ")}]`;
  const entries = entriesOf(value).map(([key, its]) => `${JSON.stringify(key)}: ${onOneLine(its)}`);
  return entries.length === 0 ? "{}" : `{ ${entries.join(", ")} }`;
}

/** As JSON.stringify has them. */
function entriesOf(value: object): [string, unknown][] {
  return Object.entries(value).filter(([, its]) => its !== undefined);
}
