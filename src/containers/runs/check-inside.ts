/** A command and a container -> whether the command ends well inside it, run there by its engine. Never rejects. */
import { ContainerFrames } from "../../wire/container-frames.ts";
import type { At } from "./container-calls.ts";
import { engineCall, engineStream } from "./engine-calls.ts";

export type Inside = { kind: "well" } | { kind: "ill"; why: string };

export type CheckInside = {
  id: string;
  words: readonly string[];
  /** Milliseconds. */
  timeout: number;
};

const quick = 30_000;

/** Bytes of its output that are kept, and characters of its last line that are shown. */
const kept = 4096;
const shown = 200;

/**
 * Engines have no way to end such a command: one that takes too long is told as ill at once, and `isOver` resolves when
 * it has ended, so that no second one is begun beside it.
 */
export function checkInside(
  at: At,
  { id, words, timeout }: CheckInside,
): { result: Promise<Inside>; isOver: Promise<void> } {
  const { clock } = at;
  const late = Promise.withResolvers<Inside>();
  const cancel = clock.after(timeout, () =>
    late.resolve(ill(`its check gave no answer within ${timeout} ms`)),
  );
  const run = runInside(at, { id, words });
  const result = Promise.race([run, late.promise]).finally(cancel);
  return { result, isOver: run.then(() => undefined) };
}

async function runInside(at: At, { id, words }: Omit<CheckInside, "timeout">): Promise<Inside> {
  const { socket, clock } = at;
  const signal = at.signal ?? new AbortController().signal;
  const made = await engineCall(socket, {
    ...{ method: "POST", path: `/containers/${id}/exec`, clock, deadline: quick, signal },
    body: { Cmd: words, AttachStdout: true, AttachStderr: true, AttachStdin: false, Tty: false },
  });
  if (made.kind !== "answer") return ill(`its check: ${made.why}`);
  const { Id } = (made.value ?? {}) as { Id?: unknown };
  if (typeof Id !== "string") return ill("its check: the engine's answer has no id");
  let output = "";
  const frames = new ContainerFrames();
  const streamed = await engineStream(socket, {
    ...{ method: "POST", path: `/exec/${Id}/start`, body: { Detach: false, Tty: false } },
    ...{ clock, deadline: quick, signal },
    onBytes(bytes) {
      frames.take(bytes, (_stream, piece) => {
        output = (output + Buffer.from(piece.subarray(-kept)).toString()).slice(-kept);
      });
    },
  });
  if (streamed.kind === "cancelled") return ill("it was given up");
  if (streamed.kind !== "ended") return ill(`its check: ${streamed.why}`);
  const path = `/exec/${Id}/json`;
  const ended = await engineCall(socket, { method: "GET", path, clock, deadline: quick, signal });
  if (ended.kind !== "answer") return ill(`its check: ${ended.why}`);
  const { ExitCode } = (ended.value ?? {}) as { ExitCode?: unknown };
  if (ExitCode === 0) return { kind: "well" };
  const line = lastLine(output);
  return ill(
    line === ""
      ? `its check ended with exit code ${ExitCode}`
      : `its check: ${line} (exit code ${ExitCode})`,
  );
}

function ill(why: string): Inside {
  return { kind: "ill", why };
}

function lastLine(text: string): string {
  const line = text.trimEnd().split("\n").at(-1) ?? "";
  return line
    .replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, " ")
    .trim()
    .slice(0, shown);
}
