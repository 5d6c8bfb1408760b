/** Six seconds of what `test/soak/chaos.ts` does for two minutes. */
import { expect, test } from "bun:test";
import { chaos } from "../support/chaos.ts";
import { suiteSeed, Random } from "../support/random.ts";
import { describeWith } from "../support/with-programs.ts";

describeWith(["python3"])("chaos", () => {
  test("after kills, edits and four clients at once exactly what should run runs, once, and no file is torn", async () => {
    const seed = suiteSeed();
    const { done, wrong } = await chaos({ seconds: 6, random: new Random(seed) });
    expect({ seed, wrong }).toEqual({ seed, wrong: [] });
    expect(done["kill a service"]).toBeGreaterThan(0);
  }, 120_000);
});
