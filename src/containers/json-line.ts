/** A line of an engine's answer -> the table that it is, empty where it is none: half a line says nothing. Pure. */

export function tableInLine(line: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(line);
    return isTable(value) ? value : {};
  } catch {
    // Half a line, or no JSON.
    return {};
  }
}

export function isTable(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
