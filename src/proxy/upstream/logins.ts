/**
 * A client whose logins are bound to connections (NTLM, Negotiate) -> the upstream connections that are its own: one
 * for each server, used by no other client, and ended with the client's connection.
 */
import { randomUUID } from "node:crypto";
import type { LoginStep } from "../../wire/login.ts";
import { type Dialler, LoginConnection, type LoginFacts } from "./login-connection.ts";
import type { Upstream } from "./pool.ts";

/** Connections that one client keeps. The pages of one origin need one. */
const keptLimit = 16;

export type Bond = {
  /** The server only offers a login, or there is one, as far as anybody but the server can tell. */
  why: "offer" | "login";
  /** The server waits for the next step of the login. */
  midway?: boolean;
};

export class Logins {
  readonly #facts: LoginFacts;
  readonly #all = new Map<string, LoginConnection>();
  #closed = false;
  readonly #apart = new Map<string, string>();

  constructor(facts: LoginFacts) {
    this.#facts = facts;
  }

  /** Whether requests to the server with this key belong on a connection of the client's own. */
  has(key: string): boolean {
    return this.#all.has(key);
  }

  /** The client's own connection, if it is free. */
  take(key: string, step: LoginStep): Upstream | undefined {
    return this.#all.get(key)?.take(step);
  }

  /** Gives the client's own connection as soon as it is free, or a new one that becomes its own. */
  line(step: LoginStep): Dialler {
    return { dial: (request, turn) => this.#of(request.key).ask({ request, turn, step }) };
  }

  /** The connection belongs to the client from here on, unless it is one of HTTP/2: to that, no login is bound. */
  bind(upstream: Upstream, { why, midway = false }: Bond): void {
    if (upstream.stream !== undefined) return;
    const its = this.#of(upstream.key);
    if (upstream.owner === undefined) its.adopt(upstream);
    if (why === "login") upstream.hasLogin = true;
    if (midway) its.expectStep(upstream);
  }

  /** Whether requests to the server of HTTP/2 with this key go to sessions that no other client uses. */
  isApart(key: string): boolean {
    return this.#apart.has(key);
  }

  /** The key of these sessions in the pool. */
  ownKey(key: string): string {
    let own = this.#apart.get(key);
    if (own === undefined) {
      own = `${key}|${randomUUID()}`;
      this.#apart.set(key, own);
    }
    return own;
  }

  /** The client is gone. */
  close(): void {
    this.#closed = true;
    for (const its of [...this.#all.values()]) its.close();
    this.#all.clear();
  }

  #of(key: string): LoginConnection {
    const known = this.#all.get(key);
    if (known !== undefined) return known;
    if (this.#all.size >= keptLimit) this.#closeIdle();
    const made = new LoginConnection(this.#facts, () => this.#all.delete(key));
    if (this.#closed) made.close();
    else this.#all.set(key, made);
    return made;
  }

  #closeIdle(): void {
    for (const [key, its] of this.#all) {
      if (!its.isIdle) continue;
      this.#all.delete(key);
      its.close();
      return;
    }
  }
}
