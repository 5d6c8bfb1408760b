/** A program and its arguments -> its output, or an error with all that it said. */

export type RunOptions = {
  cwd: string;
  env?: Readonly<Record<string, string | undefined>>;
};

/** @throws unless it ends with 0. */
export async function run(
  words: readonly string[],
  { cwd, env = process.env }: RunOptions,
): Promise<string> {
  const child = Bun.spawn([...words], {
    ...{ cwd, env: { ...env }, stdin: "ignore", stdout: "pipe", stderr: "pipe" },
  });
  const [out, err, code] = await Promise.all([
    child.stdout.text(),
    child.stderr.text(),
    child.exited,
  ]);
  if (code === 0) return out;
  throw new Error(`${words.join(" ")} ended with ${code}\n${out}${err}`.trimEnd());
}
