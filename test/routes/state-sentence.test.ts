/** A service in each state -> the sentence that every door tells, and the command that helps. */
import { describe, expect, test } from "bun:test";
import {
  nextStep,
  stateCause,
  stateSentence,
  stateWords,
} from "../../src/routes/state-sentence.ts";
import type { Supervised } from "../../src/routes/supervised.ts";
import { testSupervised } from "../support/test-proxy.ts";

const exit = (code: number | null, signal: string | null = null) => ({
  ...{ code, signal, time: 0, lastLines: [] },
});
const up = "to start it: localhostess up /srv/shop api";
const logs = "to see its output: localhostess logs shop:api";

const sentences: [string, Partial<Supervised>, string][] = [
  ["ready", { state: "ready" }, "shop:api is ready"],
  [
    "starting",
    { state: "starting", why: "waits for db" },
    `shop:api is starting: waits for db; ${logs}`,
  ],
  [
    "running, and at work before it is ready",
    { state: "running", status: "builds: npm run build" },
    `shop:api is starting: builds: npm run build; ${logs}`,
  ],
  [
    "failed by its exit, which is said once",
    { state: "failed", why: "ended with exit code 3", lastExit: exit(3) },
    `shop:api has failed (exit code 3); ${up}`,
  ],
  [
    "failed by its exit, with a hint behind it",
    {
      state: "failed",
      why: "ended with exit code 3; its port 80 needs a right",
      lastExit: exit(3),
    },
    `shop:api has failed (exit code 3): its port 80 needs a right; ${up}`,
  ],
  [
    "failed otherwise",
    { state: "failed", why: "was not ready within 30 s", lastExit: exit(null, "SIGTERM") },
    `shop:api has failed (SIGTERM): was not ready within 30 s; ${up}`,
  ],
  [
    "failed for a reason that our own program has told",
    { state: "failed", why: "its build failed (exit code 3): make", lastExit: exit(69) },
    `shop:api has failed: its build failed (exit code 3): make; ${up}`,
  ],
  [
    "failed by an exit code that happens to be ours",
    { state: "failed", why: "ended with exit code 69", lastExit: exit(69) },
    `shop:api has failed (exit code 69); ${up}`,
  ],
  [
    "killed",
    { state: "exited", why: "was ended by SIGKILL", lastExit: exit(null, "SIGKILL") },
    `shop:api has ended (SIGKILL); ${up}`,
  ],
  [
    "crashed",
    { state: "backoff", why: "ended with exit code 1", lastExit: exit(1) },
    `shop:api has ended (exit code 1) and is tried again; ${logs}`,
  ],
  [
    "never begun",
    { state: "backoff", why: "its shell may not be run (EACCES)" },
    `shop:api could not be started and is tried again: its shell may not be run (EACCES); ${logs}`,
  ],
  ["stopped", { state: "stopped", lastExit: exit(0) }, `shop:api is stopped; ${up}`],
  [
    "lazy",
    { state: "stopped", lazy: true },
    "shop:api is stopped; it starts with its first request, or with: localhostess up /srv/shop api",
  ],
  [
    "on another port",
    { state: "ready", port: 4000, warnings: ["listens on port 4001, not on PORT=4000"] },
    "shop:api is ready; it listens on port 4001, not on PORT=4000",
  ],
  [
    "without its folder",
    { state: "stopped", isGone: true },
    "shop:api is stopped; its folder is gone: /srv/shop; where it was moved to, localhostess up takes it on; else: localhostess registry forget shop",
  ],
];

test.each(sentences)("a service that is %s", (_, its, sentence) => {
  expect(stateSentence(testSupervised(its))).toBe(sentence);
});

describe("The sentence", () => {
  test("says that a ready service does not answer, where a request has found that", () => {
    for (const state of ["ready", "unready"] as const) {
      expect(stateWords(testSupervised({ state }), { isAbsent: true })).toBe(
        "shop:api does not answer yet",
      );
    }
  });

  test("is one line that is safe to print and to paste, whatever a project chose", () => {
    const evil = testSupervised({
      ...{ id: "shop:\x1b[2J", state: "failed", directory: "/srv/a\n$(x)\u202e" },
      why: "a\nb\x1b]0;owned\x07",
    });
    const sentence = stateSentence(evil);
    expect(sentence).not.toMatch(/[\x00-\x1f\x7f-\x9f\u202e]/);
    expect(sentence).toContain("localhostess up $'/srv/a\\012$(x)");
    expect(stateCause({ ...evil, isGone: true })).not.toMatch(/[\x00-\x1f\x7f-\x9f\u202e]/);
  });

  test("has no command where the service answers, or its folder is gone", () => {
    expect(nextStep(testSupervised({ state: "ready" }))).toBeUndefined();
    expect(nextStep(testSupervised({ state: "failed", isGone: true }))).toBeUndefined();
  });
});
