/** A port into raw ends that a test answers by hand, or by a function per request. */
import type { TCPSocketListener } from "bun";
import { Malformed, type Message } from "./message.ts";
import { RawEnd, rawEvents } from "./raw-end.ts";

export type Answer = string | Uint8Array | ((end: RawEnd) => void | Promise<void>);

export type RawServerOptions = {
  address?: string;
  port?: number;
  /** Called for every request, one after another; without it the test reads for itself. */
  answer?(request: Message, end: RawEnd): Answer | undefined | Promise<Answer | undefined>;
};

export class RawServer implements Disposable {
  /** All that were ever accepted. */
  readonly accepted: RawEnd[] = [];
  /** All that `answer` was asked. */
  readonly requests: Message[] = [];
  readonly port: number;
  readonly address: string;
  #listener: TCPSocketListener<RawEnd>;
  #taken = 0;
  #waiting: (() => void)[] = [];
  #malformed: Malformed | undefined;

  constructor({ address = "127.0.0.1", port = 0, answer }: RawServerOptions = {}) {
    this.address = address;
    this.#listener = Bun.listen<RawEnd>({
      hostname: address,
      port,
      allowHalfOpen: true,
      socket: {
        ...rawEvents,
        open: (socket) => {
          const end = new RawEnd(socket);
          socket.data = end;
          this.accepted.push(end);
          this.#waiting.splice(0).forEach((tell) => {
            tell();
          });
          if (answer !== undefined) void this.#serve(end, answer);
        },
      },
    });
    this.port = this.#listener.port;
  }

  /** The next connection that was not asked for before. */
  async next(): Promise<RawEnd> {
    const index = this.#taken++;
    while (this.accepted.length <= index) {
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
    return this.accepted[index]!;
  }

  /** Takes no new connection; those that stand go on. */
  unlisten(): void {
    this.#listener.stop(false);
  }

  /** @throws where `answer` was to get something that is no well-formed request. */
  [Symbol.dispose](): void {
    for (const end of this.accepted) end.reset();
    this.#listener.stop(true);
    if (this.#malformed !== undefined) throw this.#malformed;
  }

  async #serve(end: RawEnd, answer: NonNullable<RawServerOptions["answer"]>): Promise<void> {
    try {
      for (;;) {
        const request = await end.message();
        this.requests.push(request);
        const reply = await answer(request, end);
        if (typeof reply === "function") await reply(end);
        else if (reply !== undefined) end.send(reply);
      }
    } catch (error) {
      if (error instanceof Malformed) {
        this.#malformed = error;
        end.reset();
      }
      // Else the proxy closed the connection, or let it stand idle for longer than a test waits.
    }
  }
}

/** A complete answer with a length. */
export function ok(body = "ok", fields: readonly string[] = []): string {
  const lines = ["HTTP/1.1 200 OK", ...fields, `Content-Length: ${body.length}`];
  return `${lines.join("\r\n")}\r\n\r\n${body}`;
}
