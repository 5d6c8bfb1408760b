/** A daemon without descriptors: who waits for a service is told that, and not something that looks like it. */
import { expect, test } from "bun:test";
import { freePort } from "../support/servers.ts";
import { plainEnv } from "./children.ts";

const script = require.resolve("./few-descriptors.ts");

test("whatever a start finds no descriptor for, the sentence is the same, and one with enough of them starts", async () => {
  const counts = [0, 1, 2, 3, 4, 5, 6, 7, 8, 24];
  const port = freePort();
  const command = `ulimit -n 96; exec "$0" "$@"`;
  await using child = Bun.spawn(
    ["/bin/sh", "-c", command, process.execPath, script, ...[port, ...counts].map(String)],
    { env: plainEnv, stdout: "pipe", stderr: "inherit" },
  );
  const text = await new Response(child.stdout).text();
  const told = text
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  expect(told).toHaveLength(counts.length * 2);
  for (const { left, pty, state, why } of told) {
    if (state === "running") {
      expect(left).toBeGreaterThan(4);
      continue;
    }
    expect({ left, pty, state, why }).toEqual({
      ...{ left, pty, state: "backoff" },
      why: "localhostess has no descriptor left for it (EMFILE; see `ulimit -n`)",
    });
  }
  expect(told.slice(-2).map(({ state }) => state)).toEqual(["running", "running"]);
}, 60_000);
