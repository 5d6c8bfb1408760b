/** What went wrong -> sentences and commands for a person. */
import type { CommandResult } from "../../system/command.ts";

export function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Undefined where the command did what it was asked for. */
export function failureOf(program: string, result: CommandResult): string | undefined {
  if (result.kind === "missing") return `there is no ${program}`;
  if (result.kind === "failed") return result.why;
  if (result.code === 0) return undefined;
  // The last line is the one that says why; what comes before is often what it was doing.
  const said = (result.stderr.trim() || result.stdout.trim()).split("\n").at(-1)?.trim();
  return `${program} failed with ${result.code}${said ? `: ${said}` : ""}`;
}
