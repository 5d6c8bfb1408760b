/** Who is let in by the page's door, for how long, and how often. */
import { expect, test } from "bun:test";
import { sessionLifetime, sessions, tokenLifetime } from "../../src/dashboard/session.ts";
import { FakeClock } from "../support/fake-clock.ts";

function make(credential = "c".repeat(64)) {
  const clock = new FakeClock();
  return { clock, its: sessions({ clock, credential: () => credential }) };
}

test("a token becomes one session, once", () => {
  const { its } = make();
  const token = its.issue();
  const session = its.exchange(token)!;
  expect(its.valid(session)).toBe(true);
  expect(its.exchange(token)).toBeUndefined();
});

test("a token lasts a minute", () => {
  const { its, clock } = make();
  const [first, second] = [its.issue(), its.issue()];
  clock.advance(tokenLifetime - 1);
  expect(its.exchange(first)).toBeDefined();
  clock.advance(1);
  expect(its.exchange(second)).toBeUndefined();
});

test("a session lasts twelve hours", () => {
  const { its, clock } = make();
  const session = its.exchange(its.issue())!;
  clock.advance(sessionLifetime - 1);
  expect(its.valid(session)).toBe(true);
  clock.advance(1);
  expect(its.valid(session)).toBe(false);
});

test("a session goes on with the next daemon of the same credential, and ends with another credential", () => {
  const session = make().its.exchange(make().its.issue()) ?? signedIn(make().its);
  expect(make().its.valid(session)).toBe(true);
  expect(make("d".repeat(64)).its.valid(session)).toBe(false);
});

test("what was not made here is no token and no session", () => {
  const { its } = make();
  const token = its.issue();
  const session = its.exchange(its.issue())!;
  for (const wrong of ["", "x", token.slice(1), `${token}0`, token.toUpperCase(), session]) {
    expect(its.exchange(wrong)).toBeUndefined();
  }
  const [ends, nonce, signature] = session.split(".");
  for (const wrong of [
    "",
    token,
    `${ends}.${nonce}`,
    `${Number(ends) + 1}.${nonce}.${signature}`,
    `${ends}.${"0".repeat(32)}.${signature}`,
    `${ends}.${nonce}.${"0".repeat(64)}`,
    `${session} `,
    `${session}\n`,
    `0${session}`,
  ]) {
    expect(its.valid(wrong)).toBe(false);
  }
});

test("of tokens that nobody uses the newest fifty are kept", () => {
  const { its } = make();
  const tokens = Array.from({ length: 60 }, () => its.issue());
  const used = tokens.map((token) => its.exchange(token) !== undefined);
  expect(used.slice(0, 10)).toEqual(Array(10).fill(false));
  expect(used.slice(10)).toEqual(Array(50).fill(true));
});

function signedIn(its: ReturnType<typeof sessions>): string {
  return its.exchange(its.issue())!;
}
