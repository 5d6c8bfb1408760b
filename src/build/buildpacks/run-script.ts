/** An executable of a buildpack -> its lines and how it ended; nothing that it has started is left then. */
import { closeSync, constants } from "node:fs";
import { access, stat } from "node:fs/promises";
import { buildVariables } from "../../manifest/order.ts";
import { byteExact } from "../../system/byte-text.ts";
import { type OutputReader, pipes } from "../../system/pipes.ts";
import { processNow } from "../../system/process-now.ts";
import { type Leader, startedSince } from "../../system/started-since.ts";
import { readText } from "../../system/read-text.ts";
import { printablePath } from "../../text/printable.ts";

export type Script = {
  /** Absolute. */
  path: string;
  args: readonly string[];
  /** Absolute. */
  cwd: string;
  /** All of its environment. */
  env: Readonly<Record<string, string>>;
  /** Milliseconds; undefined: as long as it takes. */
  limit: number | undefined;
  /** An open descriptor, which becomes the script's descriptor 3. */
  third?: number;
  /** Milliseconds from SIGTERM to SIGKILL where it is aborted; undefined: SIGKILL at once. */
  grace?: number;
};

export type ScriptEffects = {
  /** A line of standard output or standard error, without its end. */
  line(text: string): void;
  signal: AbortSignal;
};

export type ScriptEnd =
  | { kind: "ended"; code: number }
  /** A signal that was not ours has ended it. */
  | { kind: "killed"; signal: string }
  | { kind: "late" }
  | { kind: "aborted" }
  /** `why`: a sentence for a person. */
  | { kind: "unstartable"; why: string };

/** Every process of the script has it, also one that has left the session. */
const markVariable = buildVariables.script;

/** Characters of a line; the rest of a longer one is left out. */
const longestLine = 10_000;

/** Bytes; a compiled program is larger, and has no lines. */
const longestScript = 256 * 1024;

/** Milliseconds for output that is on its way when nothing writes any longer. */
const drain = 1000;

/** Milliseconds between tries: a file that was just written may be open in a process that is only now started. */
const pauses = [20, 50, 100, 200, 400];

/** In a session of its own. Never rejects. */
export async function runScript(script: Script, effects: ScriptEffects): Promise<ScriptEnd> {
  const { path, limit } = script;
  const { signal } = effects;
  if (signal.aborted) return { kind: "aborted" };
  const refused = await whyNot(path);
  if (refused !== undefined) return { kind: "unstartable", why: refused };
  const mark = crypto.randomUUID();
  const its = await started(script, mark);
  if (typeof its === "string") return { kind: "unstartable", why: its };
  const { child, output } = its;
  const startTicks = processNow(child.pid)?.startTicks ?? 0;
  const killAll = () => killed({ pid: child.pid, startTicks, mark: `${markVariable}=${mark}` });
  let cut: "late" | "aborted" | undefined;
  const cutOff = (why: "late" | "aborted"): void => {
    cut ??= why;
    killAll();
  };
  let hurry: Timer | undefined;
  const onAbort = (): void => {
    cut ??= "aborted";
    if (script.grace === undefined) {
      killAll();
      return;
    }
    signalled(-child.pid, "SIGTERM");
    hurry = setTimeout(killAll, script.grace);
  };
  signal.addEventListener("abort", onAbort);
  if (signal.aborted) onAbort();
  const timer = limit === undefined ? undefined : setTimeout(() => cutOff("late"), limit);
  const reading = output.map((reader) => readLines(reader, effects.line));
  try {
    await child.exited;
    clearTimeout(timer);
    clearTimeout(hurry);
    // A server that it has left in the background would hold the output open, and outlive the build.
    killAll();
    await within(drain, Promise.all(reading.map(({ done }) => done)));
  } finally {
    clearTimeout(timer);
    clearTimeout(hurry);
    signal.removeEventListener("abort", onAbort);
    for (const { stop } of reading) stop();
  }
  if (cut !== undefined) return { kind: cut };
  if (child.exitCode !== null) return { kind: "ended", code: child.exitCode };
  return { kind: "killed", signal: String(child.signalCode) };
}

/** Milliseconds, or sooner. */
async function within(most: number, over: Promise<unknown>): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, most);
  await Promise.race([over, promise]);
  clearTimeout(timer);
}

async function whyNot(path: string): Promise<string | undefined> {
  const shown = printablePath(path);
  const its = await stat(path).catch((error: NodeJS.ErrnoException) => error);
  if (its instanceof Error) {
    if (its.code === "ENOENT") return `there is no ${shown}, which every buildpack has`;
    if (its.code === "ELOOP") return `the symbolic links of ${shown} form a loop`;
    return `${shown} cannot be run: ${its.message}`;
  }
  if (!its.isFile()) return `${shown} is no file`;
  const isExecutable = await access(path, constants.X_OK).then(
    () => true,
    () => false,
  );
  return isExecutable ? undefined : `${shown} is not executable; to fix that: chmod +x ${shown}`;
}

/** `output`: standard output and standard error, in the order in which they were written where that can be. */
type Started = { child: Bun.Subprocess; output: readonly OutputReader[] };

async function started(script: Script, mark: string): Promise<Started | string> {
  for (let tries = 0; ; tries++) {
    try {
      return spawned(script, mark);
    } catch (error) {
      const pause = pauses[tries];
      const { code, message } = error as NodeJS.ErrnoException;
      if (code !== "ETXTBSY" || pause === undefined) {
        const isOfWindows = code === "ENOENT" && (await endsLinesAsWindows(script.path));
        const why = isOfWindows ? ofWindows : (whyNotStarted[code ?? ""] ?? message);
        return `${printablePath(script.path)} cannot be run: ${why}`;
      }
      await Bun.sleep(pause);
    }
  }
}

/** The return at the end of its first line is a part of the name of the program there. */
async function endsLinesAsWindows(path: string): Promise<boolean> {
  const read = await readText(path, { longest: longestScript });
  return read.kind === "text" && /^#![^\n]*\r\n/.test(read.text);
}

const ofWindows = "its lines end as those of Windows do; save it with the line ends LF";

/** The file itself is there, so that the system speaks of the program in its first line. */
const whyNotStarted: Readonly<Record<string, string>> = {
  ENOEXEC: "its first line is not such as #!/bin/sh",
  ENOENT: "the program in its first line is missing",
};

function spawned({ path, args, cwd, env, third }: Script, mark: string): Started {
  const exact = byteExact({ argv: [path, ...args], env: { ...env, [markVariable]: mark } });
  // setsid(2): one signal reaches all of it.
  const shared = { cwd, env: exact.env, detached: true };
  // By descriptor, which the types of Bun do not include.
  const beside = (third === undefined ? [] : [third]) as unknown as "ignore"[];
  const pipe = pipes(process.platform)?.fromProcess();
  if (pipe === undefined) {
    const child = Bun.spawn(exact.argv, {
      ...shared,
      stdio: ["ignore", "pipe", "pipe", ...beside],
    });
    return { child, output: [child.stdout.getReader(), child.stderr.getReader()] };
  }
  const { theirs, reader } = pipe;
  try {
    const child = Bun.spawn(exact.argv, {
      ...shared,
      stdio: ["ignore", theirs, theirs, ...beside],
    });
    return { child, output: [reader] };
  } catch (error) {
    void reader.cancel();
    throw error;
  } finally {
    closeSync(theirs);
  }
}

function killed(leader: Leader): void {
  // Each look may find children of those that the last one has ended; a fork bomb is left after some.
  for (let looks = 0; looks < 20; looks++) {
    signalled(-leader.pid);
    const others = startedSince(leader);
    if (others.length === 0) return;
    for (const other of others) signalled(other);
  }
}

function signalled(pid: number, signal: "SIGTERM" | "SIGKILL" = "SIGKILL"): void {
  try {
    process.kill(pid, signal);
  } catch {
    // ESRCH: it has ended. EPERM: it has become another user's, and is not ours to end.
  }
}

function readLines(
  reader: OutputReader,
  line: (text: string) => void,
): { done: Promise<void>; stop(): void } {
  const decoder = new TextDecoder();
  let rest = "";
  let isStopped = false;
  const take = (text: string): void => {
    const lines = (rest + text).split("\n");
    rest = lines.pop()!.slice(0, longestLine);
    for (const its of lines) line(its.replace(/\r$/, "").slice(0, longestLine));
  };
  const read = async (): Promise<void> => {
    for (;;) {
      const { done, value } = await reader.read();
      if (isStopped) return;
      if (done) break;
      take(decoder.decode(value, { stream: true }));
    }
    take(decoder.decode());
    if (rest !== "") line(rest);
  };
  const done = read().catch(() => {
    // The pipe has failed: there are no further lines.
  });
  return {
    done,
    stop() {
      isStopped = true;
      // Resolved or rejected, nobody reads any longer.
      void reader.cancel().catch(() => {});
    },
  };
}
