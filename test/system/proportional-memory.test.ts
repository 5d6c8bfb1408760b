import { expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { proportionalMemory } from "../../src/system/proportional-memory.ts";

test("what processes keep is the sum of their shares", async () => {
  const root = mkdtempSync(join(tmpdir(), "proportional-"));
  try {
    for (const [pid, text] of [
      [
        11,
        "55d0-7ffc ---p 00000000 00:00 0 [rollup]\nRss:  900 kB\nPss:  300 kB\nPss_Dirty: 9 kB\n",
      ],
      [12, "Rss:  900 kB\nPss:  24 kB\n"],
      [13, "Rss:  900 kB\n"],
    ] as const) {
      mkdirSync(join(root, String(pid)));
      writeFileSync(join(root, String(pid), "smaps_rollup"), text);
    }
    expect(await proportionalMemory([11, 12], { root })).toBe(324 * 1024);
    expect(await proportionalMemory([], { root })).toBe(0);
    // Where one cannot be asked, the sum would be too small.
    expect(await proportionalMemory([11, 13], { root })).toBeUndefined();
    mkdirSync(join(root, "14"));
    expect(await proportionalMemory([11, 14], { root })).toBeUndefined();
    // One that has ended meanwhile keeps nothing.
    expect(await proportionalMemory([11, 15], { root })).toBe(300 * 1024);
  } finally {
    rmSync(root, { recursive: true });
  }
});

test.skipIf(process.platform !== "linux")(
  "this process keeps less by its shares than all it has",
  async () => {
    const share = await proportionalMemory([process.pid]);
    expect(share).toBeGreaterThan(1_000_000);
    expect(share).toBeLessThan(process.memoryUsage.rss() * 1.2);
  },
);
