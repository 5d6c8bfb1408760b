import { expect, test } from "bun:test";
import { ancestry } from "../../src/discovery/ancestry.ts";

const parents = (...pairs: [number, number][]) =>
  new Map(pairs.map(([pid, parent]) => [pid, { parent }] as const));

test("a process has come of its parent, and of the parent of that one", () => {
  expect([...ancestry(30, parents([30, 20], [20, 10], [10, 1]))]).toEqual([30, 20, 10, 1]);
});

test("a process of which nothing is known has come of itself alone", () => {
  expect([...ancestry(30, parents())]).toEqual([30]);
});

test("pids that were used again, so that they are in a circle, are each told once", () => {
  expect([...ancestry(30, parents([30, 20], [20, 30]))]).toEqual([30, 20]);
});
