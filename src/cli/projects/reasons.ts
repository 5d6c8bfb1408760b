/** Reasons why something failed -> lines on the screen. */
import { printable } from "../../text/printable.ts";
import type { Screen } from "../shared/world.ts";

export function tellReasons(reasons: readonly string[], { write, colors }: Screen): void {
  for (const reason of reasons) {
    write(`${colors.red(`localhostess: ${printable(reason, 2_000)}`)}\n`);
  }
}
