/** Sessions -> allowances that all sessions of one client share, so that many of them may cost no more than one. */
import { Allowance } from "./allowance.ts";

/**
 * A page that is reloaded with 1,000 requests in flight resets them all, twice in a row; Node's limit of 1,000 for one
 * session was too low for portless. Rapid reset needs many thousands a second to hurt (CVE-2023-44487).
 */
const resetBurst = 4_000;
const resetsPerSecond = 1_000;
/** PING, SETTINGS, empty DATA and the like: four times what one session may send, see `floods.ts`. */
const idleFrameBurst = 40_000;
const idleFramesPerSecond = 4_000;

/** Clients that are remembered before those are forgotten that have all of their allowance. */
const remembered = 64;

export class ClientAllowances {
  readonly resets = new Allowance(resetBurst, resetsPerSecond);
  readonly idleFrames = new Allowance(idleFrameBurst, idleFramesPerSecond);

  /** Nothing of it is used up. */
  isFull(seconds: number): boolean {
    return this.resets.isFull(seconds) && this.idleFrames.isFull(seconds);
  }
}

export class AllClients {
  readonly #clients = new Map<string, ClientAllowances>();

  /**
   * The allowances of a process, or where that is not known of a user. The process is found by looking through /proc,
   * which `callers.ts` does for a hundredth of our time, so that a user's processes may have to share.
   */
  of({ pid, uid }: { pid: number | undefined; uid: number | undefined }, seconds: number) {
    const key = pid === undefined ? `user ${uid}` : `process ${pid}`;
    let client = this.#clients.get(key);
    if (client === undefined) {
      if (this.#clients.size >= remembered) this.#forget(seconds);
      client = new ClientAllowances();
      this.#clients.set(key, client);
    }
    return client;
  }

  #forget(seconds: number): void {
    for (const [key, client] of this.#clients) {
      if (client.isFull(seconds)) this.#clients.delete(key);
    }
  }
}
