/** One thing that was checked -> how it stands, and what to do about it; a line or two for a person. */
import { printable } from "../../text/printable.ts";
import type { World } from "../shared/world.ts";

export type Finding = {
  check: string;
  /** `warning`: it works, but not for everyone, or not for long. */
  level: "ok" | "warning" | "broken";
  detail: string;
  /** The remedy; null where nothing needs to be done. */
  fix: string | null;
};

export function tellFinding({ check, level, detail, fix }: Finding, { out }: World): void {
  const color = { ok: out.colors.green, warning: out.colors.yellow, broken: out.colors.red }[level];
  out.write(`${color(level.padEnd(7))}  ${check}: ${printable(detail, 2000)}\n`);
  if (fix !== null)
    out.write(`${" ".repeat(9)}${out.colors.yellow(`-> ${printable(fix, 2000)}`)}\n`);
}
