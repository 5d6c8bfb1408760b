/** A command into what it printed and how it ended. */

export type Ended = { code: number; out: string; err: string };

export type EndedOptions = {
  /** All of its environment. */
  env: Record<string, string | undefined>;
  cwd: string;
};

/** Runs to its end, with nothing on its standard input. */
export async function ended(
  command: readonly string[],
  { env, cwd }: EndedOptions,
): Promise<Ended> {
  // Detached: the test runner ends children that it takes for left over.
  const child = Bun.spawn([...command], {
    env,
    cwd,
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
    detached: true,
  });
  const [out, err, code] = await Promise.all([
    child.stdout.text(),
    child.stderr.text(),
    child.exited,
  ]);
  return { code, out, err };
}
