/** A command into processes that run and have said that they are ready, to be ended as a group. */

export type Running = {
  pid: number;
  /** What `ready` found. */
  said: RegExpExecArray;
  /** What it has printed of late, on both streams. */
  output(): string;
  /**
   * Asks it to end, and waits. @returns the exit code, or the signal that ended it. @throws where it does not end in
   * time.
   */
  stop(): Promise<number | string>;
  /** Ends every process of the group at once. Twice is harmless. */
  end(): Promise<void>;
};

export type RunningOptions = {
  /** On top of this process's environment; undefined takes a variable away. */
  env: Record<string, string | undefined>;
  cwd?: string;
  /** Matches the output once it is ready. */
  ready: RegExp;
};

/** Milliseconds; far more than anything here takes on a busy machine, and less than a hook may take. */
const patience = 25_000;
/** Characters of output that a failure shows. */
const remembered = 4_000;

/** @throws with what it printed, where it ends or says nothing of the kind in time. */
export async function running(
  command: readonly string[],
  { env, cwd, ready }: RunningOptions,
): Promise<Running> {
  // What the test runner sets is none of a server's business.
  const { NAME: _name, NODE_ENV: _mode, ...inherited } = process.env;
  const child = Bun.spawn([...command], {
    env: { ...inherited, NO_COLOR: "1", ...env },
    cwd: cwd ?? process.cwd(),
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
    // A group of its own: ended as one, and left alone by the test runner.
    detached: true,
  });

  const end = async (): Promise<void> => {
    try {
      process.kill(-child.pid, "SIGKILL");
    } catch (error) {
      // Nobody of the group is left.
      if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
    }
    await child.exited;
  };

  let output = "";
  const { promise: isReady, resolve, reject } = Promise.withResolvers<RegExpExecArray>();
  const shown = (what: string): Error =>
    new Error(`${command.join(" ")} ${what}; it printed:\n${output}`);

  // Read to the end: a server whose pipe is full stands still.
  const listen = async (stream: ReadableStream<Uint8Array>): Promise<void> => {
    const decoder = new TextDecoder();
    for await (const bytes of stream) {
      const all = output + decoder.decode(bytes, { stream: true });
      // A daemon may tell of very many servers at once, behind the line that is waited for.
      const said = ready.exec(all);
      output = all.slice(-remembered);
      if (said !== null) resolve(said);
    }
  };
  void Promise.all([listen(child.stdout), listen(child.stderr)]).then(
    () => reject(shown("ended before it was ready")),
    reject,
  );
  const timer = setTimeout(() => reject(shown(`was not ready in ${patience} ms`)), patience);

  let said: RegExpExecArray;
  try {
    said = await isReady;
  } catch (error) {
    await end();
    throw error;
  } finally {
    clearTimeout(timer);
  }

  return {
    pid: child.pid,
    said,
    output: () => output,
    async stop() {
      child.kill("SIGTERM");
      const { promise: late, reject: giveUp } = Promise.withResolvers<never>();
      const timer = setTimeout(() => giveUp(shown("did not stop")), patience);
      try {
        await Promise.race([child.exited, late]);
        return child.signalCode ?? child.exitCode!;
      } finally {
        clearTimeout(timer);
        await end();
      }
    },
    end,
  };
}
