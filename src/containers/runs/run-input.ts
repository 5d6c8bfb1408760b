/** A terminal here -> the terminal of a container: what is typed, and how large it is. */
import type { Cancel, Clock } from "../../system/clock.ts";
import { type Attachment, attachTo } from "./attachment.ts";
import { engineCall } from "./engine-calls.ts";

export type Terminal = {
  size(): { cols: number; rows: number } | undefined;
  /** Bytes that are typed, and news of its size, until it is cancelled. */
  hear(to: { onBytes(bytes: Uint8Array): void; onResize(): void }): Cancel;
};

export type InputOptions = {
  socket: string;
  id: string;
  clock: Clock;
  /** Ends it. */
  signal: AbortSignal;
  terminal: Terminal;
};

/** Milliseconds for a new size. */
const quick = 10_000;

/** A container that takes no input is as well as one that nobody types to: what goes wrong here is not told. */
export async function feedInput(options: InputOptions): Promise<void> {
  const { socket, id, clock, signal, terminal } = options;
  const resize = (): void => {
    const size = terminal.size();
    if (size === undefined) return;
    const path = `/containers/${id}/resize?h=${size.rows}&w=${size.cols}`;
    void engineCall(socket, { method: "POST", path, clock, deadline: quick, signal });
  };
  resize();
  let attachment: Attachment | undefined;
  const attached = await attachTo(socket, {
    ...{ id, input: true, output: false, signal },
    onOutput() {},
    onEnd: () => {
      attachment = undefined;
    },
  });
  if (attached.kind !== "attached") return;
  attachment = attached.attachment;
  const cancel = terminal.hear({
    onBytes: (bytes) => void attachment?.write(bytes),
    onResize: resize,
  });
  signal.addEventListener(
    "abort",
    () => {
      cancel();
      attachment?.end();
    },
    { once: true },
  );
  if (signal.aborted) cancel();
}
