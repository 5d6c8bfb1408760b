/** Words that begin with sudo, or with root's own shell -> how they ended, at the person's terminal. */

export type EndedAsRoot =
  | { kind: "ended"; code: number }
  /** A signal has ended it: some of the commands may have been run. */
  | { kind: "cut off"; by: string }
  /** Nothing was run. `why`: a sentence. */
  | { kind: "failed"; why: string };

/** Output of the commands goes to stderr: stdout has answers only. */
export async function runAsRoot(words: readonly [string, ...string[]]): Promise<EndedAsRoot> {
  try {
    const child = Bun.spawn([...words], {
      cwd: "/",
      stdin: "inherit",
      stdout: 2,
      stderr: "inherit",
    });
    const code = await child.exited;
    return child.signalCode === null
      ? { kind: "ended", code }
      : { kind: "cut off", by: String(child.signalCode) };
  } catch (error) {
    return { kind: "failed", why: (error as Error).message };
  }
}
