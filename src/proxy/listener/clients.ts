/** Connections, handshakes and sessions that come and go -> how many there are, and who makes room for the next. */
import type { Cancel, Clock } from "../../system/clock.ts";
import type { Connection } from "../client/connection.ts";
import { H2Session } from "../h2/session.ts";
import { type Guest, IdleOnes } from "./idle-ones.ts";
import { shares } from "./user-shares.ts";

/** The share of the limit that one other user may have, where other users are served. */
const otherShare = 1 / 4;

export type ClientsOptions = {
  /** Clients that there may be at once. */
  limit: number;
  seconds(): number;
};

export class Clients {
  /** Each with the user whose share it counts towards, if any. */
  readonly connections = new Map<Connection, Guest>();
  readonly handshakes = new Map<Cancel, Guest>();
  readonly sessions = new Map<H2Session, Guest>();
  readonly #limit: number;
  readonly #shares: ReturnType<typeof shares>;
  readonly #idle: IdleOnes<Connection | H2Session>;
  readonly #emptied = new Set<() => void>();

  constructor({ limit, seconds }: ClientsOptions) {
    const { connections, sessions } = this;
    this.#limit = limit;
    this.#shares = shares(limit * otherShare);
    this.#idle = new IdleOnes<Connection | H2Session>({
      *all() {
        yield* connections;
        yield* sessions;
      },
      seconds,
      end: (one) => {
        // Its end is told in a turn of its own, and others may come before that.
        if (one instanceof H2Session) this.forget(sessions, one);
        else this.forget(connections, one);
        one.makeRoom();
      },
    });
  }

  get count(): number {
    return this.connections.size + this.handshakes.size + this.sessions.size;
  }

  /** Counts one more for a user, for which one of that user's may go. @returns false: the user has no more places. */
  take(uid: number): boolean {
    return this.#shares.take(uid) || (this.#idle.endOneOf(uid) && this.#shares.take(uid));
  }

  /** The client that was counted does not come. */
  release(guest: Guest): void {
    if (guest !== undefined) this.#shares.release(guest);
  }

  /** @returns false: the limit is reached, and nobody is idle. */
  makeRoomFor(guest: Guest): boolean {
    const isFull = this.count >= this.#limit;
    return !isFull || this.#idle.endOneFor(guest, this.#shares.users());
  }

  /** The client is gone. Another call for the same one does nothing. */
  forget<Client>(of: Map<Client, Guest>, client: Client): void {
    const guest = of.get(client);
    if (!of.delete(client)) return;
    this.release(guest);
    this.#settle();
  }

  /** Resolves when nobody is left, or after `milliseconds`. */
  async empty(milliseconds: number, clock: Clock): Promise<void> {
    let cancelDeadline: Cancel = () => {};
    await new Promise<void>((resolve) => {
      this.#emptied.add(resolve);
      this.#settle();
      cancelDeadline = clock.after(milliseconds, resolve);
    });
    cancelDeadline();
  }

  #settle(): void {
    if (this.count > 0) return;
    for (const resolve of this.#emptied) resolve();
    this.#emptied.clear();
  }
}
