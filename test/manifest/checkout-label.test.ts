/** Branches and folders of worktrees -> labels of host names. */
import { expect, test } from "bun:test";
import fc from "fast-check";
import { checkoutLabel, labelsApart } from "../../src/manifest/checkout-label.ts";
import { holdsFor } from "../support/property.ts";

test.each([
  ["fix-nav", "fix-nav"],
  ["feature/fix-nav", "feature-fix-nav"],
  ["Feature/Fix_Nav", "feature-fix-nav"],
  ["ann/2026.11/x", "ann-2026-11-x"],
  ["release-1.2", "release-1-2"],
  ["dependabot/npm_and_yarn/vite-7.0.1", "dependabot-npm-and-yarn-vite-7-0-1"],
  ["-x-", "x"],
  ["a--b", "a-b"],
  // A browser would read xn-- as an encoded label.
  ["xn--abc", "xn-abc"],
  // In front of a name, a number is no address.
  ["123", "123"],
  ["café", "cafe"],
  ["日本", "xn--wgv71a"],
  ["***", expect.stringMatching(/^branch-[0-9a-f]{8}$/)],
  ["feature/日本", expect.stringMatching(/^feature-[0-9a-f]{8}$/)],
  ["x".repeat(63), "x".repeat(63)],
  ["x".repeat(64), expect.stringMatching(/^x{54}-[0-9a-f]{8}$/)],
])("the label of %s is %s", (name, label) => {
  expect(checkoutLabel(name)).toEqual(label);
});

test("long branches that begin alike have labels of their own", () => {
  const long = "feature/".repeat(12);
  expect(checkoutLabel(`${long}a`)).not.toBe(checkoutLabel(`${long}b`));
});

test("the oldest of worktrees with one label has it, and the others end in a hash", () => {
  const labels = labelsApart([
    { branch: "feature/x", root: "/w/one" },
    { branch: "feature-x", root: "/w/two" },
    { branch: undefined, root: "/w/feature-x" },
    { branch: undefined, root: "/v/feature-x" },
  ]);
  expect(labels[0]).toBe("feature-x");
  expect(new Set(labels).size).toBe(4);
  for (const label of labels.slice(1)) expect(label).toMatch(/^feature-x-[0-9a-f]{8}$/);
});

test("any branch gives a valid label, and any worktrees give different ones", () => {
  const valid = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;
  const branch = fc.oneof(
    fc.string({ minLength: 1, maxLength: 200 }),
    fc.string({ unit: "grapheme", minLength: 1, maxLength: 80 }),
    fc.stringMatching(/^[ab/_.-]{1,4}$/),
  );
  holdsFor(
    fc.property(fc.array(fc.tuple(fc.option(branch, { nil: undefined }), branch)), (all) => {
      const checkouts = all.map(([branch, folder], at) => ({ branch, root: `/${at}/${folder}` }));
      const labels = labelsApart(checkouts);
      for (const label of labels) expect(label).toMatch(valid);
      expect(new Set(labels).size).toBe(labels.length);
    }),
    { runs: 300 },
  );
});
