/** Orders as the spec's matrices have them: buildpack.md, Order Resolution. */
import { describe, expect, test } from "bun:test";
import type { Buildpack, Group, Order } from "../../../src/build/buildpacks/buildpack.ts";
import { expandOrder } from "../../../src/build/buildpacks/order.ts";

function named(
  id: string,
  { order, version = "1.0.0" }: { order?: Order; version?: string } = {},
): Buildpack {
  return {
    ...{ id, version, name: undefined, homepage: undefined, api: "0.12", directory: `/${id}` },
    ...{ clearEnv: false, targets: [], execEnvs: [], order },
  };
}

/** `a?` is optional. */
function group(text: string): Group {
  return text.split(" ").map((word) => {
    const [id, version] = word.replace("?", "").split("@");
    return { id: id!, version, optional: word.endsWith("?"), execEnvs: [] };
  });
}

const o = named("O", { order: [group("A B"), group("C D")] });
const p = named("P", { order: [group("E F"), group("G H")] });
const components = [..."ABCDEFGH"].map((id) => named(id));

function rows(
  order: Order,
  known: readonly Buildpack[] = [o, p, ...components],
): string[] | string {
  const expanded = expandOrder(order, { known, execEnv: "production" });
  if (expanded.kind === "failed") return expanded.why;
  return expanded.groups.map((its) =>
    its.map(({ buildpack, optional }) => `${buildpack.id}${optional ? "?" : ""}`).join(" "),
  );
}

test("[E, O, F] is [E, A, B, F], [E, C, D, F]", () => {
  expect(rows([group("E O F")])).toEqual(["E A B F", "E C D F"]);
});

test("[O, P] is all four, from left to right, depth first", () => {
  expect(rows([group("O P")])).toEqual(["A B E F", "A B G H", "C D E F", "C D G H"]);
});

test("groups stay in their order, each with its own", () => {
  expect(rows([group("O"), group("A?"), group("P")])).toEqual(["A B", "C D", "A?", "E F", "G H"]);
});

describe("optional", () => {
  test("a composite: behind its groups, one without it", () => {
    expect(rows([group("E O? F")])).toEqual(["E A B F", "E C D F", "E F"]);
    expect(rows([group("O?")])).toEqual(["A B", "C D"]);
  });

  test("a component in a composite keeps its own word", () => {
    const q = named("Q", { order: [group("A? B")] });
    expect(rows([group("Q E")], [q, ...components])).toEqual(["A? B E"]);
  });
});

test("a buildpack that two composites bring is there once, where it comes first", () => {
  const q = named("Q", { order: [group("A B")] });
  expect(rows([group("Q O")], [q, o, ...components])).toEqual(["A B", "A B C D"]);
  const r = named("R", { order: [group("A? B?")] });
  expect(rows([group("R O")], [r, o, ...components])).toEqual(["A B", "A? B? C D"]);
});

test("an entry or a buildpack for every environment says so by a star, or by nothing (exec-env)", () => {
  const entry = (execEnvs: string[]): Group => [{ ...group("A")[0]!, execEnvs }];
  expect(["*", "production", "test"].map((its) => rows([entry([its])]))).toEqual([
    ["A"],
    ["A"],
    [],
  ]);
  const any = { ...named("A"), execEnvs: ["*"] };
  expect(rows([group("A")], [any])).toEqual(["A"]);
});

test("without a version, the highest by number", () => {
  const known = ["1.2.9", "1.10.0", "1.9.11"].map((version) => named("A", { version }));
  const expanded = expandOrder([group("A")], { known, execEnv: "production" });
  expect(expanded).toMatchObject({ groups: [[{ buildpack: { version: "1.10.0" } }]] });
  expect(rows([group("A@1.2")], known)).toBe(
    "there is no version 1.2 of buildpack A; there is 1.2.9, 1.10.0 and 1.9.11",
  );
});
