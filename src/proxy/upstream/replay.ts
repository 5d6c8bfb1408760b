/** The bytes sent behind a request's head -> the same bytes again, as long as its service may turn out to speak TLS. */
import { Held } from "../../link/held.ts";

/**
 * Octets that are kept until the service has shown what it speaks: as much as a connection holds anyway. Then the body
 * stops for a moment. A request that has sent more by the time it is refused fails, once in the life of a process.
 */
const keptLimit = 65_536;

/** Octets that may come behind these before the client stops: one read of a socket. */
const lateLimit = 524_288;

export class Replay {
  #kept = new Held();
  #state: "not needed" | "complete" | "cut" = "not needed";
  #limit = keptLimit;

  /**
   * Starts with a request, of which nothing is kept yet. `needed`: it may have to be sent again. `unknown`: because the
   * service has not shown what it speaks.
   */
  begin({ needed, unknown }: { needed: boolean; unknown: boolean }): void {
    this.#state = needed ? "complete" : "not needed";
    this.#limit = unknown ? keptLimit + lateLimit : keptLimit;
  }

  /** As much is kept as should be: with much more, nothing is. */
  get isFull(): boolean {
    return this.#limit > keptLimit && this.#state === "complete" && this.#kept.length >= keptLimit;
  }

  /** The service has shown that it speaks plain HTTP, or the request is over. */
  forget(): void {
    this.#state = "not needed";
    this.#kept.clear();
  }

  get isNeeded(): boolean {
    return this.#state !== "not needed";
  }

  /** All bytes that were sent are still here. */
  get isComplete(): boolean {
    return this.#state === "complete";
  }

  /** Keeps bytes[from, to), which were sent. */
  keep(bytes: Uint8Array, from: number, to: number): void {
    if (this.#state === "not needed") return;
    if (this.#state === "complete" && this.#kept.length + to - from <= this.#limit) {
      this.#kept.add(bytes, from, to);
      return;
    }
    this.#state = "cut";
    this.#kept.clear();
  }

  /** Takes the kept bytes, which then belong to the caller. */
  take(): Uint8Array {
    return this.#kept.take();
  }
}
