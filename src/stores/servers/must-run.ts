/** A command that has to succeed -> its end, or a sentence with its last words. */
import { runCommand } from "../../system/command.ts";

export type MustRunOptions = {
  /** Completes `<what> could not be made`. */
  what: string;
  env: Readonly<Record<string, string>>;
  /** Milliseconds. */
  deadline: number;
};

/** Bytes that it may print. */
const limit = 1024 * 1024;

/** @throws an Error with a sentence. */
export async function mustRun(
  words: readonly [string, ...string[]],
  { what, env, deadline }: MustRunOptions,
): Promise<void> {
  const said = await runCommand(words, { env: { ...env }, deadline, limit });
  if (said.kind === "done" && said.code === 0) return;
  const failed = `${what} could not be made`;
  if (said.kind === "missing") throw new Error(`${failed}: there is no ${words[0]}`);
  if (said.kind === "failed") throw new Error(`${failed}: ${said.why}`);
  const last = lastWords(said.stderr) ?? lastWords(said.stdout) ?? `exit code ${said.code}`;
  throw new Error(`${failed}: ${last}`);
}

/** The last line that tells of an error, or else the last one. */
function lastWords(text: string): string | undefined {
  const lines = text.split("\n").filter((line) => line.trim() !== "");
  return (
    lines.findLast((line) => /error|fatal|cannot|can't|denied/i.test(line)) ?? lines.at(-1)
  )?.trim();
}
