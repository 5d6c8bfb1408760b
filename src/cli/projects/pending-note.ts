/** Rows of services -> a line on stderr for each project with changes that wait for `up`. */
import { printable } from "../../text/printable.ts";
import { waitingOf, waitingText } from "../../routes/pending.ts";
import type { Row } from "./asking.ts";
import type { World } from "../shared/world.ts";

export function tellPending(rows: readonly Row[], { err }: Pick<World, "err">): void {
  for (const line of pendingLines(rows)) err.write(`${err.colors.yellow(`! ${line}`)}\n`);
}

export function pendingLines(rows: readonly Row[]): string[] {
  const named = rows.map((row) => ({ ...row, directory: row.path }));
  return waitingOf(named).map((its) => printable(waitingText(its), 2000));
}
