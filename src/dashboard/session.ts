/** A single-use token in a URL -> a session that one browser keeps as a cookie. */
import { createHmac, randomBytes, timingSafeEqual } from "node:crypto";
import type { Clock } from "../system/clock.ts";

/** Milliseconds: from the command that prints the URL to the browser that follows it. */
export const tokenLifetime = 60_000;
/** Milliseconds. A page that is left open for a day is signed in again by the command. */
export const sessionLifetime = 12 * 60 * 60 * 1_000;
/** Tokens that nobody has used yet: the oldest makes way. */
const mostTokens = 50;

export type SessionsOptions = {
  clock: Clock;
  /** The secret of this state directory, asked for each time: a new one ends every session. */
  credential(): string;
};

export interface Sessions {
  /** A new token. */
  issue(): string;
  /** The cookie's value for it; undefined where it was used, is too old, or never was. */
  exchange(token: string): string | undefined;
  /** Whether a cookie's value is a session. */
  valid(value: string): boolean;
}

/**
 * Tokens are remembered, sessions are not: a session says itself until when it lasts, and is signed. So a page goes on
 * by itself when the daemon that it was opened by has been replaced.
 */
export function sessions({ clock, credential }: SessionsOptions): Sessions {
  /** When each token ends; the oldest first. */
  const tokens = new Map<string, number>();

  function sign(what: string, text: string): string {
    return createHmac("sha256", credential()).update(`localhostess ${what}\n${text}`).digest("hex");
  }

  return {
    issue() {
      const token = randomBytes(32).toString("hex");
      tokens.set(sign("token", token), clock.now() + tokenLifetime);
      if (tokens.size > mostTokens) tokens.delete(tokens.keys().next().value!);
      return token;
    },
    exchange(token) {
      // Found by what is signed, so that the time to find it tells nothing of it.
      const key = sign("token", token);
      const ends = tokens.get(key);
      tokens.delete(key);
      if (ends === undefined || clock.now() >= ends) return undefined;
      const text = `${clock.now() + sessionLifetime}.${randomBytes(16).toString("hex")}`;
      return `${text}.${sign("session", text)}`;
    },
    valid(value) {
      const [, text, ends, signature] =
        value.match(/^((\d{1,15})\.[0-9a-f]{32})\.([0-9a-f]{64})$/) ?? [];
      if (text === undefined) return false;
      const right = timingSafeEqual(Buffer.from(signature!), Buffer.from(sign("session", text)));
      const left = Number(ends) - clock.now();
      return right && left > 0 && left <= sessionLifetime;
    },
  };
}
