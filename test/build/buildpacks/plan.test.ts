/** Build plans against the plainest reading of the spec: every choice of members, looked at as a whole. */
import { expect, test } from "bun:test";
import type { Alternative, Buildpack } from "../../../src/build/buildpacks/buildpack.ts";
import { type Passed, readPlan, resolvePlans } from "../../../src/build/buildpacks/plan.ts";

type Chosen = Alternative & { id: string; optional: boolean };

/** buildpack.md, Phase #1: each rule on a trial, for members that are not left out. */
function holds(members: readonly Chosen[]): boolean {
  return members.every(({ provides, requires }, at) => {
    const before = members.slice(0, at + 1).flatMap((its) => its.provides);
    const after = members.slice(at).flatMap((its) => its.requires);
    return (
      requires.every(({ name }) => before.some((its) => its.name === name)) &&
      provides.every(({ name }) => after.some((its) => its.name === name))
    );
  });
}

/** The largest part of the members that holds and has all that are required. */
function byTheSpec(chosen: readonly Chosen[]): string[] | undefined {
  let best: readonly Chosen[] | undefined;
  for (let mask = 0; mask < 1 << chosen.length; mask++) {
    const part = chosen.filter((_, at) => (mask & (1 << at)) !== 0);
    const hasRequired = chosen.every((its) => its.optional || part.includes(its));
    if (part.length === 0 || !hasRequired || !holds(part)) continue;
    if (part.length > (best?.length ?? 0)) best = part;
  }
  return best?.map(({ id }) => id);
}

/** Left to right, depth first. */
function combinations(members: readonly Passed[]): Chosen[][] {
  return members.reduce<Chosen[][]>(
    (all, { buildpack, optional, alternatives }) =>
      all.flatMap((before) =>
        alternatives.map((its) => [...before, { ...its, id: buildpack.id, optional }]),
      ),
    [[]],
  );
}

test("thousands of groups: the same members as by trying every part of every combination", () => {
  let seed = 11;
  const next = (below: number) => {
    seed = (seed * 1103515245 + 12345) % 2147483648;
    return Math.floor(seed / 65536) % below;
  };
  const names = (most: number) =>
    [..."xyz"].filter(() => next(4) < most).map((name) => ({ name, metadata: {} }));
  const outcomes = { resolved: 0, unmet: 0, smaller: 0 };
  for (let round = 0; round < 4000; round++) {
    const members = Array.from({ length: 1 + next(4) }, (_, at): Passed => ({
      buildpack: { id: `b${at}`, version: "1.0.0" } as Buildpack,
      optional: next(2) === 0,
      alternatives: Array.from({ length: 1 + next(3) }, () => ({
        provides: names(1),
        requires: names(1),
      })),
    }));
    const expected = combinations(members)
      .map(byTheSpec)
      .find((its) => its !== undefined);
    const actual = resolvePlans(members);
    const ids = actual.kind === "resolved" ? actual.group.map(({ id }) => id) : undefined;
    expect(ids).toEqual(expected);
    outcomes[actual.kind]++;
    if (ids !== undefined && ids.length < members.length) outcomes.smaller++;
  }
  for (const count of Object.values(outcomes)) expect(count).toBeGreaterThan(200);
});

test("bytes of any kind are a plan or words, and never an error", () => {
  let seed = 5;
  const next = (below: number) => {
    seed = (seed * 1103515245 + 12345) % 2147483648;
    return Math.floor(seed / 65536) % below;
  };
  const words = [
    "[[or]]\n",
    "[[provides]]\n",
    "[[or.requires]]\n",
    'name = "a"\n',
    "name = 1\n",
    "requires = 3\n",
  ];
  const more = [
    "[requires.metadata]\n",
    "a = { b = [1] }\n",
    '"',
    "[",
    "\0",
    "__proto__ = 1\n",
    "or = true\n",
  ];
  const all = [...words, ...more];
  for (let round = 0; round < 3000; round++) {
    const text = Array.from({ length: next(8) }, () => all[next(all.length)]).join("");
    expect(["plan", "bad"]).toContain(readPlan(text).kind);
  }
});
