/** An argument list -> what a short command printed, within a deadline and a size; never a shell. */
import { searchPath } from "./search-path.ts";

export type CommandResult =
  | { kind: "done"; code: number; stdout: string; stderr: string }
  /** No such program. */
  | { kind: "missing" }
  /** It took too long, printed too much, was killed or could not be started. */
  | { kind: "failed"; why: string };

export type CommandOptions = {
  /** The whole environment of the command; of its PATH, what does not go by the current folder. */
  env: Record<string, string>;
  /** Milliseconds until it is killed. */
  deadline: number;
  /** Bytes of standard output, beyond which it is killed. */
  limit: number;
};

/** What stderr may hold: enough for the sentence that says what went wrong. */
const errorLimit = 16 * 1024;

/** Reads to the end, or gives up beyond `limit`. */
async function textOf(
  stream: ReadableStream<Uint8Array>,
  limit: number,
): Promise<string | undefined> {
  const decoder = new TextDecoder();
  let size = 0;
  let text = "";
  for await (const chunk of stream) {
    size += chunk.length;
    if (size > limit) return undefined;
    text += decoder.decode(chunk, { stream: true });
  }
  return text + decoder.decode();
}

export async function runCommand(
  argv: readonly [string, ...string[]],
  { env, deadline, limit }: CommandOptions,
): Promise<CommandResult> {
  let child: Bun.Subprocess<"ignore", "pipe", "pipe">;
  try {
    child = Bun.spawn([...argv], {
      // Some programs read configuration where they are started.
      cwd: "/",
      // The program itself is looked for there too.
      env: { ...env, PATH: searchPath(env.PATH) },
      stdin: "ignore",
      stdout: "pipe",
      stderr: "pipe",
    });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return { kind: "missing" };
    return { kind: "failed", why: `${argv[0]} could not be started: ${(error as Error).message}` };
  }
  const kill = () => child.kill("SIGKILL");
  const { promise: late, resolve: giveUp } = Promise.withResolvers<CommandResult>();
  // The deadline ends the wait itself too: a grandchild may hold the pipe after the kill.
  const timer = setTimeout(() => {
    kill();
    giveUp({ kind: "failed", why: `${argv[0]} took longer than ${deadline} ms` });
  }, deadline);
  const finished = (async (): Promise<CommandResult> => {
    const [stdout, stderr] = await Promise.all([
      textOf(child.stdout, limit),
      textOf(child.stderr, errorLimit),
    ]);
    if (stdout === undefined) {
      kill();
      return { kind: "failed", why: `${argv[0]} printed more than ${limit} bytes` };
    }
    await child.exited;
    if (child.exitCode === null) {
      return { kind: "failed", why: `${argv[0]} was ended by ${child.signalCode}` };
    }
    return { kind: "done", code: child.exitCode, stdout, stderr: stderr ?? "" };
  })().catch((error: Error): CommandResult => ({
    kind: "failed",
    why: `${argv[0]} could not be read: ${error.message}`,
  }));
  try {
    return await Promise.race([finished, late]);
  } finally {
    clearTimeout(timer);
  }
}
