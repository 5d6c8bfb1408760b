import { expect, test } from "bun:test";
import fc from "fast-check";
import {
  cycles,
  type Graph,
  startOrder,
  withDependencies,
  withDependents,
} from "../../src/manifest/graph.ts";

const shop: Graph = new Map([
  ["web", ["api"]],
  ["api", ["db", "cache"]],
  ["docs", []],
  ["cache", []],
  ["db", []],
]);

test("each starts after what it waits for", () => {
  expect(startOrder(shop)).toEqual(["db", "cache", "api", "web", "docs"]);
});

test("some bring what they wait for, and nothing else", () => {
  expect(withDependencies(shop, ["api"])).toEqual(["db", "cache", "api"]);
  expect(withDependencies(shop, ["docs", "nosuch"])).toEqual(["docs"]);
});

test("what waits for some stops before them", () => {
  expect(withDependents(shop, ["db"])).toEqual(["web", "api", "db"]);
  expect(withDependents(shop, shop.keys())).toEqual(["web", "api", "db", "cache", "docs"]);
});

test("a cycle has its path", () => {
  expect(cycles(shop)).toEqual([]);
  const round: Graph = new Map([
    ["a", ["b"]],
    ["b", ["c", "d"]],
    ["c", ["b"]],
    ["d", ["d", "gone"]],
  ]);
  expect(cycles(round)).toEqual([
    ["b", "c", "b"],
    ["d", "d"],
  ]);
});

test("any graph is either ordered or has a cycle that is really there", () => {
  const names = ["a", "b", "c", "d", "e"];
  const edges = fc.array(fc.tuple(fc.constantFrom(...names), fc.constantFrom(...names)));
  fc.assert(
    fc.property(edges, (pairs) => {
      const graph: Graph = new Map(
        names.map((name) => [
          name,
          [...new Set(pairs.filter(([from]) => from === name).map(([, to]) => to))],
        ]),
      );
      const found = cycles(graph);
      for (const path of found) {
        expect(path[0]).toBe(path.at(-1)!);
        for (const [index, name] of path.slice(0, -1).entries()) {
          expect(graph.get(name)).toContain(path[index + 1]!);
        }
      }
      const order = startOrder(graph);
      expect([...order].sort()).toEqual(names);
      const late = names.filter((name) =>
        graph.get(name)!.some((other) => order.indexOf(other) >= order.indexOf(name)),
      );
      expect(late.length === 0).toBe(found.length === 0);
    }),
  );
});

test("a chain may be as long as a file", () => {
  const long: Graph = new Map(
    Array.from({ length: 100_000 }, (_, index) => [`${index}`, [`${index + 1}`]]),
  );
  expect(startOrder(long)[0]).toBe("99999");
});
