/** A client's octets -> its requests, one after another: the head first, then the body up to a limit. Pure. */
import { BodyReader } from "../../wire/body.ts";
import { RequestFraming } from "../../wire/framing.ts";
import { RequestHead } from "../../wire/head.ts";
import type { Bad } from "../../wire/parsed.ts";
import { readTarget } from "../../wire/target.ts";
import { type Asked, askedIn } from "./asked.ts";

/** `end`: the octets up to there have been read. */
export type HeadRead = { kind: "more" } | Bad | { kind: "done"; asked: Asked; end: number };

export type BodyRead =
  | { kind: "more"; end: number }
  | Bad
  | { kind: "too long" }
  | { kind: "done"; body: Uint8Array; end: number };

export class RequestReader {
  readonly #head = new RequestHead();
  readonly #body = new BodyReader();
  #framing = new RequestFraming();
  #parts: Uint8Array[] = [];
  #length = 0;
  #limit = 0;

  /** An octet of the next head has come. */
  get begun(): boolean {
    return this.#head.begun;
  }

  /** How the request is framed whose head was read last. */
  get framing(): RequestFraming {
    return this.#framing;
  }

  /** The next octets are the head of another request. */
  next(): void {
    this.#head.begin(0);
    this.#framing = new RequestFraming();
  }

  /** `held` begins with the head; as long as there is more to come, it only grows. */
  readHead(held: Uint8Array, ownClient: () => boolean | undefined): HeadRead {
    const head = this.#head;
    const outcome = head.read(held);
    if (outcome.kind !== "done") return outcome;
    const framing = this.#framing;
    const wrong = framing.read(head, held);
    if (wrong !== undefined) return wrong;
    const target = readTarget(head, held, { connect: framing.connect, secured: false });
    if ("kind" in target) return target;
    return { kind: "done", asked: askedIn(held, { head, framing, ownClient }), end: outcome.end };
  }

  /** `limit`: the octets that the body may have. @returns false where it states a length beyond that. */
  beginBody(limit: number): boolean {
    this.#body.begin(this.#framing.bodyLength);
    this.#parts = [];
    this.#length = 0;
    this.#limit = limit;
    return this.#framing.bodyLength <= limit;
  }

  /** Keeps views of `held`. */
  readBody(held: Uint8Array): BodyRead {
    const end = this.#body.read(held, 0, (from, to) => {
      this.#length += to - from;
      if (this.#length <= this.#limit) this.#parts.push(held.subarray(from, to));
    });
    if (this.#body.bad !== undefined) return this.#body.bad;
    if (this.#length > this.#limit) return { kind: "too long" };
    if (!this.#body.done) return { kind: "more", end };
    const body = Buffer.concat(this.#parts);
    this.#parts = [];
    return { kind: "done", body, end };
  }
}
