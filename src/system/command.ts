/** An argument list -> the output of a short command, within a deadline and a size limit; never through a shell. */
import { searchPath } from "./search-path.ts";

export type CommandResult =
  | { kind: "done"; code: number; stdout: string; stderr: string }
  /** The program does not exist. */
  | { kind: "missing" }
  /** The command timed out, printed too much, was killed or could not be started. */
  | { kind: "failed"; why: string };

export type CommandOptions = {
  /** The command's whole environment. Entries of PATH that depend on the current folder are removed. */
  env: Record<string, string>;
  /** Milliseconds until the command is killed. */
  deadline: number;
  /** Bytes of standard output; a command that prints more is killed. */
  limit: number;
  /** Its standard input, which ends after it. Default: none. */
  input?: string | undefined;
  /** The command's descriptor 3. */
  third?: number;
};

/** Bytes of stderr that we keep: enough for the sentence that explains an error. */
const errorLimit = 16 * 1024;

/** Reads the stream to its end. Returns undefined if it is longer than `limit`. */
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
  { env, deadline, limit, input, third }: CommandOptions,
): Promise<CommandResult> {
  let child: Bun.Subprocess<"ignore" | Uint8Array, "pipe", "pipe">;
  const stdin = input === undefined ? "ignore" : new TextEncoder().encode(input);
  const beside = third === undefined ? [] : [third];
  try {
    child = Bun.spawn([...argv], {
      // Some programs read configuration from the folder they are started in.
      cwd: "/",
      // The program itself is looked up in this PATH too.
      env: { ...env, PATH: searchPath(env.PATH) },
      // By descriptor, which the types of Bun do not include.
      stdio: [stdin, "pipe", "pipe", ...(beside as unknown as "ignore"[])],
    });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return { kind: "missing" };
    return { kind: "failed", why: `${argv[0]} could not be started: ${(error as Error).message}` };
  }
  const kill = (): void => {
    try {
      child.kill("SIGKILL");
    } catch {
      // A program that has become root's is not ours to end. Nobody waits for it any longer.
    }
  };
  const { promise: late, resolve: giveUp } = Promise.withResolvers<CommandResult>();
  // The deadline also ends the wait: a grandchild may keep the pipe open after the kill.
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
