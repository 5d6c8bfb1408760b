import { expect, test } from "bun:test";
import type { OutputLine } from "../../src/routes/project-report.ts";
import { StandingLines } from "../../src/routes/standing-lines.ts";

const line = (message: string, more: Partial<OutputLine> = {}): OutputLine => ({
  service: "shop:api",
  stream: "stdout",
  message,
  time: 0,
  ...more,
});
const open = (message: string, more: Partial<OutputLine> = {}) =>
  line(message, { open: true, ...more });
const messages = (standing: StandingLines, service?: string) =>
  standing.all(service).map(({ message }) => message);

test("a line without an end stands until another one of its service and stream comes", () => {
  const standing = new StandingLines();
  expect(standing.hear(open("Na"))).toBe(false);
  expect(standing.hear(open("Name? "))).toBe(false);
  expect(messages(standing)).toEqual(["Name? "]);
  expect(standing.hear(line("other", { service: "shop:db" }))).toBe(true);
  expect(standing.hear(line("other", { stream: "stderr" }))).toBe(true);
  expect(messages(standing)).toEqual(["Name? "]);
  expect(standing.hear(line("Name? Bob"))).toBe(true);
  expect(messages(standing)).toEqual([]);
});

test("an empty one says that nothing stands there, and the newest is the last", () => {
  const standing = new StandingLines();
  standing.hear(open("one"));
  standing.hear(open("two", { service: "shop:db" }));
  standing.hear(open("three"));
  expect(messages(standing)).toEqual(["two", "three"]);
  expect(messages(standing, "shop:db")).toEqual(["two"]);
  standing.hear(open("", { service: "shop:db" }));
  expect(messages(standing)).toEqual(["three"]);
});
