/** Components that mean harm, or were made wrong: each is refused or ended, with its sentence, and that is all. */
import { beforeAll, describe, expect, test } from "bun:test";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { CallOutcome } from "../../src/plugins/call.ts";
import { readPlugin } from "../../src/plugins/component.ts";
import type { PluginRequest } from "../../src/plugins/plan.ts";
import { inParallel } from "../support/in-parallel.ts";
import {
  call,
  examplePlugin,
  hasTranspiler,
  hostilePlugin,
  lackingTranspiler,
} from "../support/plugin-calls.ts";

/** The engine's own words for an error are behind the colon. */
const trap = /^failed with a trap: /;
const late = "did not answer within 5 s";
/** The machine decides which of the limits is reached first. */
const tooMuch =
  /^(?:did not answer within 5 s|answered with more than 1\.0 MiB|used more than 512 MiB of memory)$/;
const emptyPlan = { tag: "ok", val: { irVersion: 1, requestedCapabilities: [], steps: [] } };

type Expected = string | RegExp | { value: unknown };

/** What is found in the bytes: such a component is never run. */
const refused: readonly [fixture: string, why: string][] = [
  [
    "asks-for-wasi",
    "asks for wasi:cli/environment@0.2.0 and wasi:filesystem/preopens@0.2.0, and a plugin gets nothing from outside; with componentize-js, build it with --disable all",
  ],
  ["other-world", "does not export locald:plugins/plugin@0.1.0; it exports run"],
  ["other-version", "asks for locald:plugins/types@0.9.0, and a plugin gets nothing from outside"],
  [
    "large-memory",
    "cannot be run: it asks for 1024 MiB of memory at once; a plugin may have 64 MiB",
  ],
  ["large-tables", "cannot be run: it has a module with more than 16 tables"],
];

/** What shows when it runs. */
const ended: readonly [fixture: string, kind: PluginRequest["kind"], outcome: Expected][] = [
  ["endless-detect", "detect", late],
  ["endless-detect", "apply", { value: emptyPlan }],
  ["endless-apply", "apply", late],
  ["endless-start", "detect", late],
  ["endless-realloc", "detect", late],
  ["endless-afterwards", "detect", late],
  ["eats-memory", "apply", trap],
  ["swallows-its-limit", "apply", { value: emptyPlan }],
  ["grows-tables", "apply", { value: emptyPlan }],
  ["many-memories", "detect", "has more than one memory, and may have one of 64 MiB"],
  ["traps", "detect", trap],
  ["traps", "apply", trap],
  ["traps-at-start", "apply", trap],
  ["recursion", "apply", /^failed: .*stack/],
  ["one-text-100-times", "apply", tooMuch],
  ["million-steps", "apply", tooMuch],
  ["long-sentence", "detect", "answered with more than 1.0 MiB"],
  ["outside-memory", "detect", /^failed: /],
  ["outside-memory", "apply", /^failed: /],
  ["answer-outside", "apply", /^failed: /],
  ["question-outside", "apply", /^failed: /],
  ["unknown-case", "detect", /^cannot be run: invalid variant discriminant/],
  ["unknown-case", "apply", /^cannot be run: invalid variant discriminant/],
  ["other-type", "detect", "answered detect with what is no text"],
  ["no-text", "detect", { value: "\ufffd\ufffd\ufffd\ufffd" }],
];

function request(kind: PluginRequest["kind"]): PluginRequest {
  const context = { workspaceId: "shop", root: "/projects/shop" };
  const config = [["image", { kind: "text", value: "redis:7" }]] as const;
  const spec = { name: "db", type: "redis", dependsOn: ["web"], config };
  return kind === "detect"
    ? { kind, context, spec }
    : { kind, context, spec, irVersions: [1], granted: [] };
}

describe("refused by its bytes", () => {
  test.each(refused)("%s", (fixture, why) => {
    expect(readPlugin(readFileSync(hostilePlugin(fixture)))).toEqual({ kind: "bad", why });
  });

  const whole = readFileSync(examplePlugin("redis"));

  test("nothing, text and a core module", () => {
    const no = "is no WebAssembly component";
    expect(readPlugin(new Uint8Array())).toEqual({ kind: "bad", why: no });
    expect(readPlugin(new TextEncoder().encode("#!/bin/sh\n"))).toEqual({ kind: "bad", why: no });
    const module = new Uint8Array([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0]);
    expect(readPlugin(module)).toMatchObject({
      kind: "bad",
      why: expect.stringContaining("core module"),
    });
  });

  test("a component that ends at any octet", () => {
    for (let length = 0; length < whole.length; length++) {
      const read = readPlugin(whole.subarray(0, length));
      // Behind the last export there are only names for debuggers.
      if (read.kind === "component") expect(length).toBeGreaterThan(whole.length - 512);
      else expect(read.why).toMatch(/^(?:is|cannot be run:|does not export|asks for) /);
    }
  });

  test("a component with any octet changed is read, or refused with a sentence", () => {
    const bytes = Uint8Array.from(whole);
    for (let at = 0; at < bytes.length; at += 3) {
      const before = bytes[at]!;
      bytes[at] = before ^ 0xff;
      const read = readPlugin(bytes);
      if (read.kind === "bad") expect(read.why).not.toBe("");
      bytes[at] = before;
    }
  });

  test("more than 16 MiB", () => {
    expect(readPlugin(new Uint8Array(17 * 2 ** 20))).toEqual({
      kind: "bad",
      why: "is larger than 16 MiB",
    });
  });
});

describe.skipIf(!hasTranspiler())(`ended when it runs${lackingTranspiler()}`, () => {
  const outcomes = new Map<string, CallOutcome>();
  const others: CallOutcome[] = [];
  const nameOf = (fixture: string, kind: string) => `${fixture} ${kind}`;

  beforeAll(async () => {
    const rows = [...refused.map(([fixture]) => [fixture, "detect"] as const), ...ended];
    await inParallel(rows, 4, async ([fixture, kind]) => {
      outcomes.set(nameOf(fixture, kind), await call(hostilePlugin(fixture), request(kind)));
      // Between all these, one that means well.
      if (kind === "detect") others.push(await call(examplePlugin("redis"), request("detect")));
    });
  }, 300_000);

  test.each(ended)("%s: %s", (fixture, kind, expected) => {
    const outcome = outcomes.get(nameOf(fixture, kind))!;
    if (typeof expected === "string") expect(outcome).toEqual({ kind: "ended", why: expected });
    else if (expected instanceof RegExp) {
      expect(outcome).toEqual({ kind: "ended", why: expect.stringMatching(expected) });
    } else expect(outcome).toEqual({ kind: "answer", value: expected.value });
  });

  test.each(refused)("%s is refused before it runs", (fixture, why) => {
    expect(outcomes.get(nameOf(fixture, "detect"))).toEqual({ kind: "ended", why });
  });

  test("a name of the interface that could become JavaScript is refused", async () => {
    const text = readFileSync(examplePlugin("redis")).toString("latin1");
    const folder = mkdtempSync(join(tmpdir(), "localhostess-names-"));
    try {
      const path = join(folder, "a.wasm");
      for (const name of ["depends'on", "depends`on", "depends\non", "depen*/son"]) {
        writeFileSync(path, Buffer.from(text.replaceAll("depends-on", name), "latin1"));
        const outcome = await call(path, request("detect"));
        expect(outcome).toMatchObject({ why: expect.stringContaining("is not in kebab case") });
      }
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  test("a plugin that means well answers all the same", () => {
    expect(others.length).toBeGreaterThan(5);
    for (const outcome of others) {
      expect(outcome).toEqual({ kind: "answer", value: "Redis in a container" });
    }
  });

  test.skipIf(process.platform !== "linux")("no process is left", () => {
    const children = readdirSync("/proc")
      .filter((name) => /^\d+$/.test(name))
      .filter((pid) => parentOf(pid) === process.pid)
      .filter((pid) => commandOf(pid).includes("__plugin"));
    expect(children).toEqual([]);
  });
});

function parentOf(pid: string): number {
  return Number(/^PPid:\s*(\d+)$/m.exec(textOf(join("/proc", pid, "status")))?.[1] ?? 0);
}

function commandOf(pid: string): string {
  return textOf(join("/proc", pid, "cmdline"));
}

/** Empty where the process has ended meanwhile. */
function textOf(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}
