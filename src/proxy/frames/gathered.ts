/** Frames of DATA that come at once for one stream -> one piece: a write for each would cost more than the copy. */
import { HeadWriter } from "./head-writer.ts";
import { chunkLineRoom } from "./received-body.ts";

/** A stream whose content comes in DATA. */
export interface Receiver {
  readonly id: number;
  /** Content stands behind `chunkLineRoom` in `body`. `count`: octets of the windows that it used. */
  receive(body: HeadWriter, count: number): void;
}

export class Gathered {
  #stream: Receiver | undefined;
  /** Octets of the windows that the frames used, padding included. */
  #count = 0;
  readonly #body = new HeadWriter(0);

  /** The stream whose DATA is here; 0: there is none. */
  get id(): number {
    return this.#stream?.id ?? 0;
  }

  /** Adds bytes[from, to), which used `count` octets of the windows. What is here must be of the same stream. */
  add(
    stream: Receiver,
    bytes: Uint8Array,
    { from, to, count }: { from: number; to: number; count: number },
  ): void {
    const body = this.#body;
    if (this.#stream === undefined) {
      this.#stream = stream;
      this.#count = 0;
      body.clear();
      body.reserve(chunkLineRoom);
      body.length = chunkLineRoom;
    }
    body.copy(bytes, from, to);
    this.#count += count;
  }

  /** Gives what is here to its stream. */
  passOn(): void {
    const stream = this.#stream;
    if (stream === undefined) return;
    this.#stream = undefined;
    stream.receive(this.#body, this.#count);
  }

  /** Gives the room back: a session without a stream should not pay for the largest body that it saw. */
  shrink(): void {
    this.#body.bytes = nothing;
  }
}

const nothing = new Uint8Array(0);
