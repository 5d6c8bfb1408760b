import { expect, test } from "bun:test";
import type { HealthCheck } from "../../src/manifest/project.ts";
import { type WaitFacts, waitsFor } from "../../src/supervisor/service/waits-for.ts";
import { specOf } from "./fake-lifecycle.ts";

const facts: WaitFacts = {
  port: 20_123,
  listens: false,
  speaks: false,
  patience: 10,
  illness: undefined,
};

function asked(ask: HealthCheck["ask"]): HealthCheck {
  return { ask, interval: 1000, timeout: 1000, retries: 3, startPeriod: 0 };
}

test("every way to be ready has its words", () => {
  const words = (spec: Parameters<typeof specOf>[0], its: Partial<WaitFacts> = {}) =>
    waitsFor(specOf(spec), { ...facts, ...its });
  expect(words({})).toBe("waits for its port 20123");
  expect(words({}, { listens: true })).toContain("looks as if it would notify");
  expect(words({}, { speaks: true, listens: true })).toContain("waits for READY=1, as it notifies");
  expect(words({ type: "worker" })).toBeUndefined();
  expect(words({ type: "worker" }, { speaks: true })).toContain("waits for READY=1");
  expect(words({ readyPattern: "^ready" })).toBe("waits for a line that matches /^ready/");
  const health = (ask: HealthCheck["ask"], illness?: string) =>
    words({ health: asked(ask) }, { illness });
  expect(health({ kind: "http", path: "/up" })).toBe("waits for its health check: GET /up");
  expect(health({ kind: "tcp" }, "refused")).toBe(
    "waits for its health check: a connection to its port: refused",
  );
  expect(health({ kind: "command", command: "pg_isready" }, "exit code 2")).toBe(
    "waits for its health check: pg_isready: exit code 2",
  );
  expect(health({ kind: "store", store: "redis" }, "it loads its data")).toBe(
    "waits for redis to answer: it loads its data",
  );
});

test("a pattern or a command of any length is a short line without controls", () => {
  const readyPattern = `\x1b[2J${"x".repeat(5000)}`;
  const command = `a\n\x07${"y".repeat(5000)}`;
  for (const text of [
    waitsFor(specOf({ readyPattern }), facts),
    waitsFor(specOf({ health: asked({ kind: "command", command }) }), facts),
  ]) {
    expect(text!.length).toBeLessThan(120);
    expect(text).not.toMatch(/[\x00-\x1f]/);
  }
});
