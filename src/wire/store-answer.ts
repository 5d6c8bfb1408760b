/** How a store is asked whether it serves, in its own protocol: the bytes out, and a reader of those that come. */
import type { Parsed } from "./parsed.ts";

/** `why` completes the sentence that begins with the name of a service: `db: the database system is starting up`. */
export type StoreState = { kind: "serves" } | { kind: "not-yet"; why: string };

export type StoreQuestion = {
  /** Sent once connected; undefined: the server speaks first. */
  hello: Uint8Array | undefined;
  /** All bytes so far -> what they say. */
  answer(bytes: Uint8Array): Parsed<StoreState>;
};

/** Characters of a server's own words that are shown. */
const longestWords = 200;

/** One printable line: these are the words of a program that may be another than we think. */
export function notYet(words: string): StoreState {
  const why = words.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, " ").slice(0, longestWords);
  return { kind: "not-yet", why };
}

export const serves: StoreState = { kind: "serves" };
