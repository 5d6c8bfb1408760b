/** Two ends of a TCP connection: a link under test, with a record of its events, and a raw client at its other end. */
import { listen } from "../../src/link/listen.ts";
import type { LinkHandler } from "../../src/link/link.ts";
import type { SocketLink } from "../../src/link/socket-link.ts";
import { type RawEnd, connectRaw } from "../support/raw-end.ts";

export class Recorder implements LinkHandler {
  /** `data` is in `text`. */
  readonly events: string[] = [];
  text = "";
  readonly faults: unknown[] = [];
  #waiting = new Set<() => void>();

  data(bytes: Uint8Array): void {
    this.text += Buffer.from(bytes).toString("latin1");
    this.#tell();
  }

  drained(): void {
    this.events.push("drained");
    this.#tell();
  }

  ended(): void {
    this.events.push("ended");
    this.#tell();
  }

  closed(cause: Error | undefined): void {
    this.events.push(cause === undefined ? "closed" : "broken");
    this.#tell();
  }

  failed(fault: unknown): void {
    this.events.push("failed");
    this.faults.push(fault);
    this.#tell();
  }

  /** Waits until it holds. */
  until(holds: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      const check = (): void => {
        if (!holds()) return;
        this.#waiting.delete(check);
        resolve();
      };
      this.#waiting.add(check);
      check();
    });
  }

  #tell(): void {
    for (const check of [...this.#waiting]) check();
  }
}

export type Linked = {
  link: SocketLink;
  seen: Recorder;
  peer: RawEnd;
};

/** A link that was accepted, and its peer. */
export async function linked(): Promise<Linked> {
  const seen = new Recorder();
  const { promise, resolve } = Promise.withResolvers<SocketLink>();
  const listening = listen({ address: "127.0.0.1", port: 0 }, (link) => {
    link.handler = seen;
    resolve(link);
  });
  const peer = await connectRaw(listening.port);
  const link = await promise;
  listening.stop();
  return { link, seen, peer };
}
