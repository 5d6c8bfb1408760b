/** A port into raw ends that a test answers by hand, or by a script that is asked for each request. */
import type { TCPSocketListener } from "bun";
import { Gone, RawEnd, rawEvents } from "./raw-end.ts";
import { Malformed, type Message } from "./strict-reader.ts";

/** Bytes to send, or what to do with the connection; undefined: the script has seen to the request itself. */
export type Answer = string | Uint8Array | undefined | ((end: RawEnd) => void | Promise<void>);

/** Asked for each complete request, one after another on each connection. */
export type Script = (
  request: Message,
  end: RawEnd,
) => Answer | void | Promise<Answer> | Promise<void>;

export type RawServerOptions = {
  address?: string;
  port?: number;
  /** Others may listen at the same place. */
  shared?: boolean;
  /** Without one the test reads and answers for itself. */
  answer?: Script;
};

export class RawServer implements Disposable {
  /** All that were ever accepted. */
  readonly accepted: RawEnd[] = [];
  /** All that the script was asked, in order of arrival. */
  readonly requests: Message[] = [];
  /** Malformed requests, and faults of the script; they are thrown at the end. */
  readonly faults: Error[] = [];
  /** Connections that began with TLS's ClientHello, and that the script's server has ended. */
  hellos = 0;
  readonly port: number;
  readonly address: string;
  #listener: TCPSocketListener<RawEnd>;
  #taken = 0;
  #waiting: (() => void)[] = [];

  constructor({ address = "127.0.0.1", port = 0, shared = false, answer }: RawServerOptions = {}) {
    this.address = address;
    this.#listener = Bun.listen<RawEnd>({
      hostname: address,
      port,
      ...({ reusePort: shared } as object),
      allowHalfOpen: true,
      socket: {
        ...rawEvents,
        open: (socket) => {
          const end = new RawEnd(socket);
          socket.data = end;
          this.accepted.push(end);
          for (const tell of this.#waiting.splice(0)) tell();
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

  /** Breaks off every connection. */
  stop(): void {
    for (const end of this.accepted) end.reset();
    this.#listener.stop(true);
  }

  /** @throws where the script was to get what is no well-formed request, or had a fault of its own. */
  [Symbol.dispose](): void {
    this.stop();
    if (this.faults.length > 0) {
      throw new AggregateError(this.faults, `the server had a fault: ${this.faults[0]}`);
    }
  }

  async #serve(end: RawEnd, answer: Script): Promise<void> {
    try {
      const first = await end.first();
      if (first === 0x16) {
        this.hellos++;
        end.close();
        return;
      }
      for (;;) {
        const request = await end.next();
        if (request === undefined) break;
        this.requests.push(request);
        const reply = await answer(request, end);
        if (typeof reply === "function") await reply(end);
        else if (reply !== undefined) end.send(reply);
      }
      // Nobody here has anything to say to a proxy that has left.
      end.end();
    } catch (error) {
      if (error instanceof Gone) return;
      // The question whether this is a server of HTTP/2, of which it knows nothing.
      if (error instanceof Malformed && error.message.includes('"PRI * HTTP/2.0"')) {
        end.close();
        return;
      }
      this.faults.push(error as Error);
      if (error instanceof Malformed) end.reset();
    }
  }
}

/** A complete answer with a length. */
export function ok(body = "ok", fields: readonly string[] = []): string {
  const lines = ["HTTP/1.1 200 OK", ...fields, `Content-Length: ${body.length}`];
  return `${lines.join("\r\n")}\r\n\r\n${body}`;
}

/** A complete answer to `request`, with its method and target as the body. */
export function echo({ method, target }: Message): string {
  const whole = ok(`${method} ${target}`);
  return method === "HEAD" ? whole.slice(0, whole.indexOf("\r\n\r\n") + 4) : whole;
}
