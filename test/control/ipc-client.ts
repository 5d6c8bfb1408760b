/** A socket's path into a client that sends any bytes in any pieces and keeps what comes back. */
import type { Socket } from "bun";
import { eventually } from "../support/eventually.ts";

export class IpcClient {
  text = "";
  over = false;
  #socket: Socket | undefined;
  #drained: (() => void) | undefined;
  #decoder = new TextDecoder();

  async connect(path: string): Promise<void> {
    const end = (): void => {
      this.over = true;
      this.#drained?.();
    };
    this.#socket = await Bun.connect({
      unix: path,
      allowHalfOpen: true,
      socket: {
        data: (_, bytes) => {
          this.text += this.#decoder.decode(bytes, { stream: true });
        },
        drain: () => this.#drained?.(),
        end,
        close: end,
        error: end,
      },
    });
  }

  async send(piece: string | Uint8Array): Promise<void> {
    let rest: Uint8Array = Buffer.from(piece as string);
    while (rest.length > 0 && !this.over) {
      const taken = Math.max(0, this.#socket!.write(rest));
      rest = rest.subarray(taken);
      if (rest.length === 0) break;
      await new Promise<void>((resolve) => {
        this.#drained = resolve;
      });
    }
    // A turn, so that the next piece is one of its own.
    await new Promise((resolve) => setImmediate(resolve));
  }

  async until(wanted: string): Promise<string> {
    await eventually(`${wanted} in the reply`, () => this.text.includes(wanted) || this.over);
    return this.text;
  }

  async all(): Promise<string> {
    await eventually("the end of the reply", () => this.over);
    return this.text;
  }

  pause(): void {
    this.#socket?.pause();
  }

  resume(): void {
    this.#socket?.resume();
  }

  halfClose(): void {
    this.#socket?.shutdown();
  }

  close(): void {
    this.#socket?.end();
  }

  reset(): void {
    this.#socket?.terminate();
  }
}

export async function ipcClient(path: string): Promise<IpcClient> {
  const client = new IpcClient();
  await client.connect(path);
  return client;
}

export type OnceOptions = {
  /** Half-closes behind the request. */
  half?: boolean;
  /** Enough of a reply that does not end. */
  until?: string;
};

/** One request, the whole reply. */
export async function once(
  path: string,
  request: string | Uint8Array,
  { half = false, until }: OnceOptions = {},
): Promise<string> {
  const client = await ipcClient(path);
  await client.send(request);
  if (half) client.halfClose();
  const reply = until === undefined ? await client.all() : await client.until(until);
  client.close();
  return reply;
}
