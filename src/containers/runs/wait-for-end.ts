/** A container that runs -> how it has ended, or that its engine no longer tells. */
import type { Clock } from "../../system/clock.ts";
import { inspectContainer } from "./container-calls.ts";
import { engineStream } from "./engine-calls.ts";

export type EndedHow =
  | { kind: "exited"; code: number }
  /** There is no such container any more. */
  | { kind: "absent" }
  /** The engine does not answer, or no longer. */
  | { kind: "gone" };

export type WaitOptions = { socket: string; id: string; clock: Clock; signal: AbortSignal };

/** Milliseconds between two looks: the first, doubled to the last. */
const firstLook = 50;
const lastLook = 2000;

/** Bytes: `{"StatusCode":0}`, and perhaps an error in words. */
const mostBytes = 64 * 1024;

/** A wait of years, for a request that is answered when a program ends. */
const never = 2 ** 31 - 1;

/**
 * `silent`: resolves when its output has ended. Podman's own wait may tell an end twenty seconds late, where the end of
 * the output comes at once.
 */
export function waitForEnd(options: WaitOptions & { silent: Promise<void> }): Promise<EndedHow> {
  return Promise.race([waited(options), options.silent.then(() => lookedFor(options))]);
}

/** Looks until it no longer runs. A program may close its output, and go on. */
async function lookedFor({ socket, id, clock, signal }: WaitOptions): Promise<EndedHow> {
  for (let pause = firstLook; !signal.aborted; pause = Math.min(2 * pause, lastLook)) {
    const found = await inspectContainer({ socket, clock, signal }, id);
    if (found.kind === "absent") return { kind: "absent" };
    if (found.kind !== "state") return { kind: "gone" };
    if (!found.running) return { kind: "exited", code: found.exitCode };
    await new Promise<void>((resume) => void clock.after(pause, resume));
  }
  return { kind: "gone" };
}

async function waited({ socket, id, clock, signal }: WaitOptions): Promise<EndedHow> {
  let text = "";
  const streamed = await engineStream(socket, {
    ...{ method: "POST", path: `/containers/${id}/wait`, clock, deadline: never, signal },
    onBytes(bytes) {
      if (text.length < mostBytes) text += Buffer.from(bytes).toString("latin1");
    },
  });
  if (streamed.kind === "refused" && streamed.status === 404) return { kind: "absent" };
  const code = streamed.kind === "ended" ? codeIn(text) : undefined;
  if (code !== undefined) return { kind: "exited", code };
  // An engine that ends breaks its answers off, or ends them empty.
  const found = await inspectContainer({ socket, clock, signal }, id);
  if (found.kind === "absent") return { kind: "absent" };
  return found.kind === "state" && !found.running
    ? { kind: "exited", code: found.exitCode }
    : { kind: "gone" };
}

function codeIn(text: string): number | undefined {
  try {
    const { StatusCode } = JSON.parse(text) as { StatusCode?: unknown };
    return typeof StatusCode === "number" && Number.isInteger(StatusCode) ? StatusCode : undefined;
  } catch {
    // Half an answer: the engine has ended.
    return undefined;
  }
}
