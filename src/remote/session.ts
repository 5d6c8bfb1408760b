/** A host -> one process of ssh with a session of `sh` there: words in, lines out, until either side ends it. */
import { searchPath, whereIs } from "../system/search-path.ts";
import { longestAnswer } from "./answer-reader.ts";
import { sessionArguments } from "./ssh-arguments.ts";

export type SessionOptions = {
  host: string;
  /** The path of the control socket. */
  control: string;
  /** Set where ssh is from before 8.7. */
  isOld: boolean;
  /** The environment of ssh: its PATH, the person's agent, their locale. */
  env: Readonly<Record<string, string | undefined>>;
  /** Has the pid of ssh for as long as that is awaited: whoever reaps children leaves that to us. */
  pids: Set<number>;
  /** A line, without its end. */
  onLine(text: string): void;
  /** ssh has said something on its standard error. */
  onError(text: string): void;
  /** More has come than any answer has. */
  onFlood(): void;
  /** Called once, unless the session was ended by us. `code`: undefined after a signal. */
  onEnd(ending: { code: number | undefined; errors: string }): void;
};

export interface Session {
  readonly pid: number;
  say(words: string): void;
  /** Ends ssh. Nothing is reported afterwards. Twice is harmless. */
  end(): Promise<void>;
}

/** Characters of stderr that are kept: the last ones have the reason. */
const longestErrors = 4_096;
/** Milliseconds that ssh has to end by itself, which ends its ProxyCommand as well. */
const endingMilliseconds = 1_000;

/** @throws the system's error, with `code`, where there is no ssh or no process can be started. */
export function openSession(options: SessionOptions): Session {
  const { host, control, isOld, pids, onLine, onError, onFlood, onEnd } = options;
  const env = environmentOf(options.env);
  const program = whereIs("ssh", env.PATH);
  if (program === undefined) throw Object.assign(new Error("no ssh in PATH"), { code: "ENOENT" });
  const child = Bun.spawn([program, ...sessionArguments(host, { control, isOld })], {
    cwd: "/",
    env,
    stdin: "pipe",
    stdout: "pipe",
    stderr: "pipe",
    // A session of its own: no terminal that could be asked for a password, and no Ctrl-C of the daemon's terminal.
    detached: true,
  });
  pids.add(child.pid);
  // Rejects where somebody else has reaped it, which is an end as well.
  const exited = child.exited
    .then(
      () => {},
      () => {},
    )
    .finally(() => pids.delete(child.pid));
  let over = false;
  let errors = "";
  /** Characters since we have last said something. */
  let heard = 0;
  const bounded = (take: (text: string) => void) => (text: string) => {
    if (over) return;
    heard += text.length;
    if (heard > longestAnswer) onFlood();
    else take(text);
  };
  const outputs = Promise.all([
    eachText(child.stdout, bounded(linesTo((text) => over || onLine(text)))),
    eachText(
      child.stderr,
      bounded((text) => {
        errors = (errors + text).slice(-longestErrors);
        onError(text);
      }),
    ),
  ]);
  void exited.then(async () => {
    // Its last words may still be on its way, but a descendant may hold the pipes for ever.
    await Promise.race([outputs, Bun.sleep(200)]);
    if (over) return;
    over = true;
    onEnd({ code: child.exitCode ?? undefined, errors });
  });
  return {
    pid: child.pid,
    say(words) {
      if (over) return;
      heard = 0;
      // The process may have ended, which `onEnd` reports; writing then fails at once, or later, or in both calls.
      const ignored = (): void => {};
      try {
        void Promise.resolve(child.stdin.write(words)).catch(ignored);
        void Promise.resolve(child.stdin.flush()).catch(ignored);
      } catch {
        // As above.
      }
    },
    async end() {
      over = true;
      if (child.exitCode !== null || child.signalCode !== null) return;
      child.kill("SIGTERM");
      const timer = setTimeout(() => child.kill("SIGKILL"), endingMilliseconds);
      await exited;
      clearTimeout(timer);
    },
  };
}

/** ssh asks nobody, also not the ssh of a ProxyJump, which does not know of BatchMode. */
function environmentOf(env: SessionOptions["env"]): Record<string, string> {
  const its: Record<string, string> = { SSH_ASKPASS_REQUIRE: "never" };
  for (const [key, value] of Object.entries(env)) {
    if (value !== undefined && !(key in its) && key !== "SSH_ASKPASS") its[key] = value;
  }
  return { ...its, PATH: searchPath(env.PATH) };
}

async function eachText(
  stream: ReadableStream<Uint8Array>,
  take: (text: string) => void,
): Promise<void> {
  const decoder = new TextDecoder();
  try {
    for await (const chunk of stream) take(decoder.decode(chunk, { stream: true }));
  } catch {
    // The process has ended, which is reported elsewhere.
  }
}

/** Pieces of text -> whole lines, without their ends. */
function linesTo(line: (text: string) => void): (text: string) => void {
  let held: string[] = [];
  return (text) => {
    const parts = text.split("\n");
    const last = parts.pop()!;
    for (const part of parts) {
      line(held.length === 0 ? part : held.join("") + part);
      held = [];
    }
    if (last !== "") held.push(last);
  };
}
