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

/** Bytes: `{"StatusCode":0}`, and perhaps an error in words. */
const mostBytes = 64 * 1024;

/** A wait of years, for a request that is answered when a program ends. */
const never = 2 ** 31 - 1;

export async function waitForEnd({ socket, id, clock, signal }: WaitOptions): Promise<EndedHow> {
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
