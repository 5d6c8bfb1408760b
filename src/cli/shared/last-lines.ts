/** The last lines of a service's output -> lines for a person, safe to print. */
import { printable } from "../../text/printable.ts";
import type { World } from "./world.ts";

/** `id`: `shop:api`. Nothing where there are none. */
export function tellLastLines(
  id: string,
  { lines, world: { err } }: { lines: readonly string[]; world: Pick<World, "err"> },
): void {
  if (lines.length === 0) return;
  err.write(`${err.colors.dim(`last lines of ${printable(id, 80)}:`)}\n`);
  for (const line of lines) err.write(`  ${plainLine(line)}\n`);
}

/** A line of a service's output, without its colors. */
export function plainLine(line: string): string {
  return printable(Bun.stripANSI(line));
}
