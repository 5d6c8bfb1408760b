/** Plans as a person sees them. */
import { expect, test } from "bun:test";
import { changedLines, planLines } from "../../src/plugins/plan-lines.ts";

const before = {
  services: {
    cache: { type: "container", image: "redis:7", env: { A: "1", "b c": "2" }, args: ["x"] },
  },
  files: { "conf/a": "sha256 0123" },
};

test("a plan has the lines of a file", () => {
  expect(planLines(before)).toEqual([
    '  services.cache.type = "container"',
    '  services.cache.image = "redis:7"',
    '  services.cache.env.A = "1"',
    '  services.cache.env."b c" = "2"',
    '  services.cache.args.0 = "x"',
    "  file conf/a = sha256 0123",
  ]);
});

test("only what has changed is shown, the old value before the new one", () => {
  const { cache } = before.services;
  const now = { services: { cache: { ...cache, image: "redis:8", args: [] } }, files: {} };
  expect(changedLines(before, now)).toEqual([
    '- services.cache.image = "redis:7"',
    '+ services.cache.image = "redis:8"',
    '- services.cache.args.0 = "x"',
    "- file conf/a = sha256 0123",
  ]);
  expect(changedLines(before, before)).toEqual([]);
});

const lineOf = (command: string) => planLines({ services: { a: { command } }, files: {} })[0]!;

test("a command is shown to its end, and has nothing that would move a cursor", () => {
  const line = lineOf(`\u001b[2J\u202e${" ".repeat(200)}; rm -rf .`);
  expect(line).toBe(`  services.a.command = "\\u001b[2J\\u202e${" ".repeat(200)}; rm -rf ."`);
});

test("a command that is longer than a screen says how much is missing, and which it is", () => {
  const [one, other] = [lineOf(`${"x".repeat(5_000)}1`), lineOf(`${"x".repeat(5_000)}2`)];
  expect(one).toMatch(/x… and 4026 more characters, sha256 [0-9a-f]{12}$/);
  expect(one).not.toBe(other);
});
