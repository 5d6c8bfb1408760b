/**
 * The bytes of a container's output as its engine sends them -> stdout and stderr, apart. Each frame is a byte for the
 * stream, three zeros, a length of four bytes with the highest first, and as many bytes. Pure.
 *
 * Docker Engine API, "Attach to a container", stream format.
 */

export type OutputStream = "stdout" | "stderr";

export type OutputSink = (stream: OutputStream, bytes: Uint8Array) => void;

const headLength = 8;

/** The engine writes 0 for what was written to a terminal's input, which comes out at stdout. */
const streams: readonly (OutputStream | undefined)[] = ["stdout", "stdout", "stderr"];

export class ContainerFrames {
  /** Set where the bytes are no such frames: nothing more is read. */
  bad: string | undefined;
  readonly #head = new Uint8Array(headLength);
  #headBytes = 0;
  #stream: OutputStream = "stdout";
  #left = 0;

  /** True between two frames: an end of the bytes here loses nothing. */
  get isWhole(): boolean {
    return this.#headBytes === 0 && this.#left === 0;
  }

  /** Nothing is kept but a head that is not whole: a frame may be of any length. The pieces are parts of `bytes`. */
  take(bytes: Uint8Array, sink: OutputSink): void {
    let at = 0;
    while (at < bytes.length && this.bad === undefined) {
      if (this.#left > 0) {
        const end = Math.min(bytes.length, at + this.#left);
        this.#left -= end - at;
        sink(this.#stream, bytes.subarray(at, end));
        at = end;
        continue;
      }
      this.#head[this.#headBytes++] = bytes[at++]!;
      if (this.#headBytes === headLength) this.#begin();
    }
  }

  #begin(): void {
    const [which, ...rest] = this.#head;
    const stream = streams[which!];
    this.#headBytes = 0;
    if (stream === undefined || rest[0] !== 0 || rest[1] !== 0 || rest[2] !== 0) {
      this.bad = "its output is not in frames";
      return;
    }
    this.#stream = stream;
    this.#left = new DataView(this.#head.buffer).getUint32(4);
  }
}
