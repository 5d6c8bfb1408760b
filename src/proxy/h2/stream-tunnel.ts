/**
 * An extended CONNECT on a stream -> the client's bytes and its end, held until the service has switched protocols. RFC
 * 8441 section 5.
 */
import { Held } from "../../link/held.ts";

export class StreamTunnel {
  /** `asked`: the service has not answered. `refused`: it has, and the client's bytes mean nothing. */
  #phase: "asked" | "open" | "refused" = "asked";
  readonly #early = new Held();
  #ended = false;

  /** Bytes go both ways as they are. */
  get isOpen(): boolean {
    return this.#phase === "open";
  }

  get isAsked(): boolean {
    return this.#phase === "asked";
  }

  /** The client sent these before it could know the answer. The window bounds them. */
  hold(bytes: Uint8Array): void {
    if (this.#phase === "asked") this.#early.add(bytes);
  }

  /** The client sends no more. */
  end(): void {
    this.#ended = true;
  }

  /** @returns the bytes that the client has sent, and whether it sends no more. */
  open(): { early: Uint8Array; ended: boolean } {
    this.#phase = "open";
    return { early: this.#early.take(), ended: this.#ended };
  }

  refuse(): void {
    this.#phase = "refused";
    this.#early.clear();
  }
}
