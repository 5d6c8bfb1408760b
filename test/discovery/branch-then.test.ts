/** The log of HEAD -> the branch at a moment. */
import { expect, test } from "bun:test";
import fc from "fast-check";
import { branchThen } from "../../src/discovery/branch-then.ts";
import { holdsFor } from "../support/property.ts";

const hash = "0".repeat(40);
const line = (seconds: number, what: string) =>
  `${hash} ${hash} Ann O'Neill <ann@localhost> ${seconds} +0200\t${what}\n`;

const log = [
  line(1000, "commit (initial): one"),
  line(1100, "checkout: moving from main to feature/a"),
  line(1200, "commit: two"),
  line(1300, `checkout: moving from feature/a to ${hash}`),
  line(1400, `checkout: moving from ${hash} to b`),
  line(1500, "commit: checkout: moving from x to y z"),
].join("");

test.each<[seconds: number, branch: string | null]>([
  [900, "main"],
  [1090, "main"],
  [1100, "feature/a"],
  [1290, "feature/a"],
  // The start and the log are told by two clocks.
  [1296, "detached"],
  [1350, "detached"],
  [1400, null],
  [2000, null],
])("at %d it was %p", (seconds, branch) => {
  const expected =
    branch === null
      ? { kind: "now" }
      : { kind: "then", branch: branch === "detached" ? undefined : branch };
  expect(branchThen(log, seconds * 1000)).toEqual(expected as { kind: "now" });
});

test("any text is read to its end", () => {
  holdsFor(
    fc.property(fc.array(fc.oneof(fc.string(), fc.constantFrom(...log.split("\n")))), (lines) => {
      expect(["now", "then"]).toContain(branchThen(lines.join("\n"), 1_200_000).kind);
    }),
    { runs: 100 },
  );
});
