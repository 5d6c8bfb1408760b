/** A command and limits -> what it said in the end, or which of the limits has ended it. */
import { residentMemory } from "../system/resident-memory.ts";
import { shownSize } from "../text/size.ts";

export type ChildLimits = {
  /** Milliseconds until it says that it begins. */
  start: number;
  /** Milliseconds from then on. */
  time: number;
  /** The clause of a child that took longer: `did not answer`. */
  late: string;
  /** Bytes that it may occupy. */
  memory: number;
  /** Bytes of its answer. */
  output: number;
};

export type ChildEnd =
  | { kind: "said"; text: string }
  /** A clause: `did not answer within 5 s`. */
  | { kind: "ended"; why: string };

/** The line with which a child says that it is ready, and begins with what is not ours. */
export const beginsLine = "begins\n";

/** Milliseconds between two looks at its memory: in them, a process takes 50 MiB more at most. */
const lookEvery = 20;

/**
 * Without environment, in `/`, in a session of its own, and with nothing open but its three streams. Never rejects, and
 * returns when the child is gone.
 */
export async function boundedChild(
  words: readonly string[],
  { input, limits }: { input: string; limits: ChildLimits },
): Promise<ChildEnd> {
  let child: Bun.Subprocess<Uint8Array, "pipe", "ignore">;
  try {
    child = Bun.spawn([...words], {
      ...{ cwd: "/", env: {}, detached: true },
      stdin: new TextEncoder().encode(input),
      stdout: "pipe",
      stderr: "ignore",
    });
  } catch (error) {
    return { kind: "ended", why: `could not be started: ${(error as Error).message}` };
  }
  let why: string | undefined;
  const end = (reason: string): void => {
    why ??= reason;
    killGroup(child.pid);
  };
  const tooLate = `${limits.late} within ${limits.time / 1000} s`;
  let timer = setTimeout(
    () => end(`could not be started within ${limits.start / 1000} s`),
    limits.start,
  );
  const begins = (): void => {
    clearTimeout(timer);
    timer = setTimeout(() => end(tooLate), limits.time);
  };
  const memoryOf = residentMemory();
  const watch = setInterval(() => {
    const memory = memoryOf(child.pid);
    if (memory !== undefined && memory > limits.memory) {
      end(`used more than ${shownSize(limits.memory)} of memory`);
    }
  }, lookEvery);
  try {
    const most = limits.output + beginsLine.length;
    const text = await textOf(child.stdout, { most, begins });
    if (text === undefined) end(tooLong(limits.output));
    await child.exited;
    if (why !== undefined) return { kind: "ended", why };
    const said = text?.slice(beginsLine.length) ?? "";
    if (text?.startsWith(beginsLine) && said !== "" && child.exitCode === 0) {
      return { kind: "said", text: said };
    }
    const how = child.signalCode === null ? `code ${child.exitCode}` : String(child.signalCode);
    return { kind: "ended", why: `ended without an answer (${how})` };
  } catch (error) {
    end(`could not be read: ${(error as Error).message}`);
    await child.exited;
    return { kind: "ended", why: why! };
  } finally {
    clearTimeout(timer);
    clearInterval(watch);
  }
}

export function tooLong(output: number): string {
  return `answered with more than ${shownSize(output)}`;
}

type TextOptions = { most: number; begins(): void };

/** Undefined where it is longer. */
async function textOf(
  stream: ReadableStream<Uint8Array>,
  { most, begins }: TextOptions,
): Promise<string | undefined> {
  const decoder = new TextDecoder();
  let [size, text, hasBegun] = [0, "", false];
  for await (const chunk of stream) {
    size += chunk.length;
    if (size > most) return undefined;
    text += decoder.decode(chunk, { stream: true });
    if (hasBegun || !text.startsWith(beginsLine)) continue;
    hasBegun = true;
    begins();
  }
  return text + decoder.decode();
}

/** Whatever it has started goes with it. */
function killGroup(pid: number): void {
  try {
    process.kill(-pid, "SIGKILL");
  } catch {
    // The child has ended by itself.
  }
}
