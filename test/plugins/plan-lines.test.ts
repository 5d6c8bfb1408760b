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

test("a line fits a terminal, and has nothing that would move its cursor", () => {
  const command = `\u001b[2J${"x".repeat(200)}`;
  const [line] = planLines({ services: { a: { command } }, files: {} });
  expect(line!.length).toBe(80);
  expect(line).toStartWith('  services.a.command = "\\u001b[2Jxxx');
});
