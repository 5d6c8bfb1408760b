/** Bytes from an upstream -> the heads of its answer, one after another: read strictly, and mended where that fails. */
import { Held } from "../../link/held.ts";
import { concat } from "../../wire/bytes.ts";
import { ResponseFraming } from "../../wire/framing.ts";
import { ResponseHead } from "../../wire/head.ts";
import { HeadMender } from "../../wire/head-mender.ts";
import { type Bad, type More, more } from "../../wire/parsed.ts";

const nothing = new Uint8Array(0);
const headAsked = { head: true, connect: false };
const bodyAsked = { head: false, connect: false };

/** Reads one answer after another. */
export class AnswerHeads {
  /** The head that `next` has read, as offsets into `bytes`, and its framing. */
  readonly head = new ResponseHead();
  readonly framing = new ResponseFraming();
  bytes: Uint8Array = nothing;
  /** Offset behind that head. */
  end = 0;
  /** A head of this answer was written anew. */
  mended = false;

  #headRequest = false;
  #complete = false;
  /** Why the strict parser has refused the head; it cannot go on after that. */
  #wrong: Bad | undefined;
  #held = new Held();
  #mender: HeadMender | undefined;

  /** Prepares for the next answer. `headRequest`: to HEAD, so it has no body. */
  begin({ headRequest }: { headRequest: boolean }): void {
    this.drop();
    this.#headRequest = headRequest;
    this.mended = false;
    this.#beginHead(0);
  }

  /** Forgets all bytes. */
  drop(): void {
    this.bytes = nothing;
    this.end = 0;
    this.#held.clear();
  }

  /** More bytes have come, for `next`. */
  add(bytes: Uint8Array): void {
    this.end = 0;
    this.bytes = bytes;
    if (this.#held.length === 0) return;
    this.#held.add(bytes);
    this.bytes = this.#held.view();
  }

  /** Reads the next head. @returns undefined once it is complete. */
  next(): More | Bad | undefined {
    const { head } = this;
    if (this.#complete) this.#beginHead(this.end);
    for (;;) {
      if (this.#wrong === undefined) {
        const outcome = head.read(this.bytes);
        if (outcome.kind === "more") return this.#hold();
        if (outcome.kind === "bad") this.#wrong = outcome;
        else {
          const asked = this.#headRequest ? headAsked : bodyAsked;
          this.#wrong = this.framing.read(head, this.bytes, asked);
          if (this.#wrong === undefined) {
            this.end = outcome.end;
            this.#complete = true;
            this.mended ||= head.respell;
            return undefined;
          }
        }
      }
      this.#mender ??= new HeadMender({ trailer: false });
      const mended = this.#mender.read(this.bytes, { at: this.end, wrong: this.#wrong });
      if (mended.kind === "more") return this.#hold();
      if (mended.kind === "bad") return mended;
      // A body may follow the head, and the caller reads both from the same bytes.
      this.bytes = concat(mended.value, this.bytes.subarray(mended.end));
      this.end = 0;
      this.mended = true;
      this.#wrong = undefined;
      head.begin(0);
    }
  }

  #beginHead(at: number): void {
    this.#complete = false;
    this.#wrong = undefined;
    this.head.begin(at);
    this.#mender?.begin();
  }

  /** Keeps the head that is not complete. */
  #hold(): More {
    if (this.end > 0 || this.#held.length === 0) {
      const { bytes, end } = this;
      this.#held.clear();
      this.#held.add(bytes, end);
      this.head.begin(0);
    }
    return more;
  }
}
