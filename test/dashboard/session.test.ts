/** Who is let in by the page's door, for how long, and how often. */
import { expect, test } from "bun:test";
import { sessionLifetime, sessions, tokenLifetimes } from "../../src/dashboard/session.ts";
import { FakeClock } from "../support/fake-clock.ts";

function make(credential = "c".repeat(64)) {
  const clock = new FakeClock();
  return { clock, its: sessions({ clock, credential: () => credential }) };
}

/** Of one that was issued, or could have been. */
const entry = "e".repeat(64);

test("a token counts once, and looking at it does not use it up", () => {
  const { its } = make();
  const token = its.issue("link");
  expect(its.holds("link", token)).toBe(true);
  expect(its.holds("link", token)).toBe(true);
  expect(its.redeem("link", token)).toBe(true);
  expect(its.holds("link", token)).toBe(false);
  expect(its.redeem("link", token)).toBe(false);
});

test("a link's token is not one of the page's own host, nor the other way round", () => {
  const { its } = make();
  const [link, entry] = [its.issue("link"), its.issue("entry")];
  expect([its.redeem("entry", link), its.redeem("link", entry)]).toEqual([false, false]);
  expect([its.redeem("link", link), its.redeem("entry", entry)]).toEqual([true, true]);
});

test.each(["link", "entry"] as const)("the token of a %s lasts for its time", (kind) => {
  const { its, clock } = make();
  const [first, second] = [its.issue(kind), its.issue(kind)];
  clock.advance(tokenLifetimes[kind] - 1);
  expect(its.redeem(kind, first)).toBe(true);
  clock.advance(1);
  expect(its.holds(kind, second)).toBe(false);
  expect(its.redeem(kind, second)).toBe(false);
});

test("a link lasts a minute", () => {
  expect(tokenLifetimes.link).toBe(60_000);
});

test("a session lasts twelve hours", () => {
  const { its, clock } = make();
  const [session, host] = [its.begin(entry), its.hostFor(entry)];
  clock.advance(sessionLifetime - 1);
  expect(its.valid(session, host)).toBe(true);
  clock.advance(1);
  expect(its.valid(session, host)).toBe(false);
});

test("a session goes on with the next daemon of the same credential, and ends with another credential", () => {
  const { its } = make();
  const [session, host] = [its.begin(entry), its.hostFor(entry)];
  expect(make().its.isHost(host)).toBe(true);
  expect(make().its.valid(session, host)).toBe(true);
  const another = make("d".repeat(64)).its;
  expect(another.isHost(host)).toBe(false);
  expect(another.valid(session, host)).toBe(false);
  expect(another.valid(session, another.hostFor(entry))).toBe(false);
});

test("each sign-in has a host of its own, and its session counts there only", () => {
  const { its } = make();
  const tokens = [its.issue("entry"), its.issue("entry")];
  const hosts = tokens.map((token) => its.hostFor(token));
  expect(new Set(hosts).size).toBe(2);
  for (const [at, token] of tokens.entries()) {
    const session = its.begin(token);
    expect(hosts.map((host) => its.valid(session, host))).toEqual([at === 0, at === 1]);
  }
});

test("a host of the page is known by itself, and cannot be made up", () => {
  const { its } = make();
  const host = its.hostFor(entry);
  expect(host).toMatch(/^page-[0-9a-f]{48}\.localhost$/);
  expect(its.isHost(host)).toBe(true);
  const other = host.replace(/[0-9a-f](?=\.)/, (digit) => (digit === "0" ? "1" : "0"));
  for (const wrong of ["", "localhost", other, host.toUpperCase(), `${host}.`, `x${host}`]) {
    expect([wrong, its.isHost(wrong)]).toEqual([wrong, false]);
  }
  expect(its.isHost(`page-${"0".repeat(48)}.localhost`)).toBe(false);
});

test("what was not made here is no token and no session", () => {
  const { its } = make();
  const token = its.issue("link");
  const session = its.begin(entry);
  for (const wrong of ["", "x", token.slice(1), `${token}0`, token.toUpperCase(), session]) {
    expect(its.holds("link", wrong)).toBe(false);
    expect(its.redeem("link", wrong)).toBe(false);
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
    expect(its.valid(wrong, its.hostFor(entry))).toBe(false);
  }
});

test("of tokens that nobody uses the newest fifty are kept", () => {
  const { its } = make();
  const tokens = Array.from({ length: 60 }, () => its.issue("link"));
  const used = tokens.map((token) => its.redeem("link", token));
  expect(used.slice(0, 10)).toEqual(Array(10).fill(false));
  expect(used.slice(10)).toEqual(Array(50).fill(true));
});
