/** The descriptor of a connected Unix socket -> lines of JSON to another daemon, and from it. */
import type { Line } from "./handed.ts";

export type OpenLine = Line & {
  /** The other end sees that it has ended. Twice is harmless. */
  end(): void;
};

/** A connected socket that nobody reads: `early` are bytes that were read from it already. */
export type LineStart = {
  descriptor: number;
  early: Uint8Array;
  /** The daemon before goes on if we fail within the next ten seconds. */
  onTrial?: boolean;
};

/** Bytes without an end of line: nobody of ours says that much. */
const longest = 1024 * 1024;

/** The descriptor is ours from now on. */
export async function lineAt({ descriptor, early }: LineStart): Promise<OpenLine> {
  let text = "";
  let over = false;
  const decoder = new TextDecoder();
  const finish = (): void => {
    if (over) return;
    over = true;
    line.ended?.();
  };
  const take = (whole: string): void => {
    let value: unknown;
    try {
      value = JSON.parse(whole);
    } catch {
      // Another version's words, or half of them: what they say is seen in another way too.
      return;
    }
    line.hear?.(value);
  };
  const read = (bytes: Uint8Array): void => {
    text += decoder.decode(bytes, { stream: true });
    for (let end = text.indexOf("\n"); end !== -1; end = text.indexOf("\n")) {
      const whole = text.slice(0, end);
      text = text.slice(end + 1);
      take(whole);
    }
    if (text.length > longest) text = "";
  };
  const options: { fd: number; socket: Bun.SocketHandler<undefined> } = {
    fd: descriptor,
    socket: {
      data: (_socket, bytes) => read(bytes),
      end: finish,
      close: finish,
      error: finish,
    },
  };
  const line: OpenLine = {
    descriptor,
    tell(value) {
      if (over) return false;
      const bytes = Buffer.from(`${JSON.stringify(value)}\n`);
      // A program that keeps processes reads everything; a daemon that reads nothing for so long is lost.
      return socket.write(bytes) === bytes.length;
    },
    end() {
      if (over) return;
      over = true;
      socket.end();
    },
  };
  // Bun accepts a descriptor here, but its types do not include it.
  const socket = await Bun.connect(options as unknown as Bun.UnixSocketOptions<undefined>);
  // In a turn of its own: by then somebody hears.
  if (early.length > 0) setImmediate(() => read(early));
  return line;
}
