import { expect, test } from "bun:test";
import { furtherPortId, portBook } from "../../src/supervisor/project/port-book.ts";

function made(options: { remembered?: Record<string, number>; reserved?: number[] } = {}) {
  const busy = new Set<number>();
  const active = new Set<string>();
  let changes = 0;
  const book = portBook({
    remembered: options.remembered ?? {},
    loopback: { isFree: (port) => !busy.has(port) },
    active: () => active,
    reserved: () => new Set(options.reserved),
    onChange: () => void changes++,
  });
  return { book, busy, active, changes: () => changes };
}

test("a service has the same port each time, also from another daemon", () => {
  const { book } = made();
  const port = book.of("shop:api", undefined)!;
  expect(book.claim("shop:api", undefined)).toBe(port);
  const remembered = Object.fromEntries(book.all);
  expect(made({ remembered }).book.claim("shop:api", undefined)).toBe(port);
});

test("a port that somebody else has taken is given up for a free one, and told of", () => {
  const { book, busy, changes } = made();
  const port = book.claim("shop:api", undefined)!;
  busy.add(port);
  const other = book.claim("shop:api", undefined)!;
  expect(other).not.toBe(port);
  expect(book.of("shop:api", undefined)).toBe(other);
  expect(changes()).toBe(2);
});

test("no port is given to two, of whom one runs or is stopped", () => {
  const { book, active } = made({ remembered: { "shop:a": 21_000, "shop:b": 21_000 } });
  active.add("shop:a");
  expect(book.claim("shop:b", undefined)).not.toBe(21_000);
  const all = Array.from({ length: 200 }, (_, at) => book.claim(`shop:s${at}`, undefined));
  expect(new Set([...all, 21_000]).size).toBe(201);
});

test("a declared port is that, and nobody else's", () => {
  const { book } = made({ remembered: { "shop:b": 3000 }, reserved: [3000] });
  expect(book.claim("shop:a", 3000)).toBe(3000);
  expect(book.claim("shop:b", undefined)).not.toBe(3000);
});

test("a further port is as much a service's own: the same each time, and nobody else's while it runs", () => {
  const smtp = furtherPortId("shop:mail", "smtp");
  const { book, active } = made({ remembered: { [smtp]: 21_000, "shop:b": 21_000 } });
  expect(book.of(smtp, undefined)).toBe(21_000);
  expect(book.claim("shop:mail", undefined)).not.toBe(21_000);
  active.add("shop:mail");
  expect(book.claim("shop:b", undefined)).not.toBe(21_000);
  expect(book.claim(smtp, undefined)).toBe(21_000);
});

test("the further ports of a project are forgotten with it", () => {
  const { book } = made();
  book.claim(furtherPortId("shop:mail", "smtp"), undefined);
  book.forget("shop");
  expect([...book.all]).toEqual([]);
});
