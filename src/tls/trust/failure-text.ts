/** An error or a failed command -> sentences and commands for a person. */
import type { CommandResult } from "../../system/command.ts";

export function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Undefined if the command succeeded. */
export function failureOf(program: string, result: CommandResult): string | undefined {
  if (result.kind === "missing") return `${program} is not installed`;
  if (result.kind === "failed") return result.why;
  if (result.code === 0) return undefined;
  // The last line says why; lines before it often say what the program was doing.
  const said = (result.stderr.trim() || result.stdout.trim()).split("\n").at(-1)?.trim();
  return `${program} failed with ${result.code}${said ? `: ${said}` : ""}`;
}
