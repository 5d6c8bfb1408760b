/** `localhostess ls`, as it is typed, into its median wall time. */
import { resolve } from "node:path";
import type { Crew } from "./crew.ts";
import { median } from "./median.ts";
import type { Measured } from "./table.ts";

const root = resolve(import.meta.dir, "../..");

export async function measureListing(crew: Crew, { runs }: { runs: number }): Promise<Measured> {
  const times: number[] = [];
  // One more than counted: the first fills caches.
  for (let run = 0; run <= runs; run++) {
    const start = performance.now();
    const child = Bun.spawn([resolve(root, "bin/localhostess"), "ls"], {
      stdin: "ignore",
      stdout: "pipe",
      stderr: "pipe",
      env: { ...process.env, LOCALHOSTESS_STATE_DIR: crew.dir },
    });
    const [, errors] = await Promise.all([child.stdout.text(), child.stderr.text()]);
    if ((await child.exited) !== 0) throw new Error(`localhostess ls failed: ${errors}`);
    if (run > 0) times.push(performance.now() - start);
  }
  return {
    rows: [
      {
        label: "localhostess ls",
        unit: "ms",
        ours: median(times),
        target: { of: "ours", most: 60 },
      },
    ],
    notes: [
      `ls: fastest ${Math.min(...times).toFixed(0)} ms, slowest ${Math.max(...times).toFixed(0)} ms`,
    ],
  };
}
