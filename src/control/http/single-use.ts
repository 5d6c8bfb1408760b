/** A purpose -> a token that is valid once and for a time; a token that is shown -> whether it is one of these. */
import { createHmac, randomBytes } from "node:crypto";
import type { Clock } from "../../system/clock.ts";

/** Unused secrets; beyond that the oldest is dropped. */
const most = 50;

export type SingleUseOptions = {
  clock: Clock;
  /** The secret of this state directory, read each time: a new one ends every token. */
  credential(): string;
};

export interface SingleUse {
  /** A new token. `lifetime` in milliseconds. */
  issue(purpose: string, lifetime: number): string;
  /** Whether a token of this purpose is valid and unused. */
  holds(purpose: string, token: string): boolean;
  /** Uses a token up. @returns false if it was used before, is too old, or was never issued for this purpose. */
  redeem(purpose: string, token: string): boolean;
}

/** Tokens are kept in memory: no other daemon accepts them. */
export function singleUse({ clock, credential }: SingleUseOptions): SingleUse {
  /** When each token ends; the oldest first. */
  const ends = new Map<string, number>();

  /** The key is a signature, so that the time of the lookup reveals nothing of the token. */
  const keyOf = (purpose: string, token: string): string =>
    createHmac("sha256", credential())
      .update(`localhostess ${purpose} token\n${token}`)
      .digest("hex");

  const isFresh = (key: string): boolean =>
    clock.now() < (ends.get(key) ?? Number.NEGATIVE_INFINITY);

  return {
    issue(purpose, lifetime) {
      const token = randomBytes(32).toString("hex");
      ends.set(keyOf(purpose, token), clock.now() + lifetime);
      if (ends.size > most) ends.delete(ends.keys().next().value!);
      return token;
    },
    holds: (purpose, token) => isFresh(keyOf(purpose, token)),
    redeem(purpose, token) {
      const key = keyOf(purpose, token);
      const fresh = isFresh(key);
      ends.delete(key);
      return fresh;
    },
  };
}
