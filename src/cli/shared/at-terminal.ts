/** The words of another program -> how it ended, after a talk with the person at the terminal. */

export type EndedAtTerminal =
  | { kind: "ended"; code: number }
  /** A signal has ended it: some of its work may have been done. */
  | { kind: "cut off"; by: string }
  /** Nothing was run. `why`: a sentence. */
  | { kind: "failed"; why: string };

export type AtTerminalOptions = {
  /** The folder that it works in. */
  folder?: string;
  /** All of its environment; default: ours. */
  env?: Readonly<Record<string, string>>;
};

/**
 * Without a deadline: a download, or a person with a password, takes as long as it takes. Its output goes to stderr:
 * stdout has answers only.
 */
export async function runAtTerminal(
  words: readonly [string, ...string[]],
  { folder = "/", env }: AtTerminalOptions = {},
): Promise<EndedAtTerminal> {
  try {
    const child = Bun.spawn([...words], {
      ...{ cwd: folder, stdin: "inherit", stdout: 2, stderr: "inherit" },
      ...(env === undefined ? {} : { env }),
    });
    const code = await child.exited;
    return child.signalCode === null
      ? { kind: "ended", code }
      : { kind: "cut off", by: String(child.signalCode) };
  } catch (error) {
    return { kind: "failed", why: (error as Error).message };
  }
}
