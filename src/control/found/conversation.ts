/** The daemon's socket and a request -> values both ways, a line of JSON each, until either end has enough. */

export type Conversing = {
  say(value: unknown): void;
  /** Nothing more is read until `resume`. */
  pause(): void;
  resume(): void;
  /** Nothing more will be said; the daemon may still speak. */
  finish(): void;
  /** Closes at once. Twice is harmless. */
  end(): void;
};

export type ConverseOptions = {
  hear(value: unknown): void;
  /** Called once, unless we have ended it. `why` is a sentence; undefined: the daemon has closed. */
  ended(why: string | undefined): void;
};

export function converse(socket: string, request: unknown, options: ConverseOptions): Conversing {
  const decoder = new TextDecoder();
  let rest = "";
  const unsent: Uint8Array[] = [Buffer.from(`${JSON.stringify(request)}\n`)];
  let opened: Bun.Socket | undefined;
  let isFinished = false;
  let isPaused = false;
  let isOver = false;

  const flush = (): void => {
    while (opened !== undefined && unsent.length > 0) {
      const first = unsent[0]!;
      const taken = Math.max(0, opened.write(first));
      if (taken < first.length) {
        unsent[0] = first.subarray(taken);
        return;
      }
      unsent.shift();
    }
    if (isFinished) opened?.shutdown();
  };
  const end = (why?: string): void => {
    if (isOver) return;
    isOver = true;
    options.ended(why);
  };
  const data = (bytes: Uint8Array): void => {
    const lines = (rest + decoder.decode(bytes, { stream: true })).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) if (!isOver) options.hear(JSON.parse(line));
  };
  Bun.connect({
    unix: socket,
    socket: {
      open(its) {
        opened = its as unknown as Bun.Socket;
        if (isOver) opened.terminate();
        else flush();
        if (isPaused) opened.pause();
      },
      drain: flush,
      data: (_, bytes) => data(bytes),
      end: () => end(),
      close: () => end(),
      error: (_, error) => end(error.message),
    },
  }).catch((error: Error) => end(error.message));
  return {
    say(value) {
      if (isOver || isFinished) return;
      unsent.push(Buffer.from(`${JSON.stringify(value)}\n`));
      if (unsent.length === 1) flush();
    },
    pause() {
      isPaused = true;
      opened?.pause();
    },
    resume() {
      isPaused = false;
      opened?.resume();
    },
    finish() {
      isFinished = true;
      flush();
    },
    end() {
      isOver = true;
      opened?.terminate();
    },
  };
}
