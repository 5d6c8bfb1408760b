import { expect, test } from "bun:test";
import { Turns } from "../../../src/proxy/upstream/turns.ts";

const [a, b, c] = [{ party: "a" }, { party: "b" }, { party: "c" }];

function filled(): Turns<string> {
  const turns = new Turns<string>();
  for (const item of ["a1", "a2", "a3"]) turns.add(item, a!);
  for (const item of ["b1", "b2"]) turns.add(item, b!);
  turns.add("c1", c!);
  return turns;
}

const partyOf = (item: string): object => ({ a, b, c })[item[0] as "a" | "b" | "c"]!;

test("parties take turns, however many one has, and each goes in its own order", () => {
  const turns = filled();
  const order: string[] = [];
  for (let item = turns.first; item !== undefined; item = turns.first) {
    order.push(item);
    turns.take(item, partyOf(item));
  }
  expect(order).toEqual(["a1", "b1", "c1", "a2", "b2", "a3"]);
  expect(turns.size).toBe(0);
});

test("one that leaves takes nobody's turn", () => {
  const turns = filled();
  turns.remove("a1", a!);
  turns.remove("b1", b!);
  turns.remove("b2", b!);
  turns.remove("b2", b!);
  expect(turns.size).toBe(3);
  expect(turns.first).toBe("a2");
  turns.take("a2", a!);
  expect(turns.all).toEqual(["c1", "a3"]);
});

test("one that fits is found behind others, and has its party's turn", () => {
  const turns = filled();
  const found = turns.find((item) => item === "b2")!;
  turns.take(found, b!);
  expect(turns.all).toEqual(["a1", "a2", "a3", "c1", "b1"]);
  expect(turns.find((item) => item === "d")).toBeUndefined();
});
