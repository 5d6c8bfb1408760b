/** Ctrl-C while a start is under way: whichever of the two the daemon takes up first, nothing is left running. */
import { expect, test } from "bun:test";
import { stopBehind } from "../../src/cli/projects/stop-behind.ts";

test("a stop that overtakes the start is said again, until the start has ended", async () => {
  const started = Promise.withResolvers<string>();
  let stops = 0;
  await stopBehind(started.promise, async () => {
    stops++;
    if (stops === 1) throw new Error("no project is up there");
    if (stops === 3) started.resolve("failed");
  });
  expect(stops).toBe(3);
});

test("behind a start that has ended, however, there is one stop, and its failure is told", async () => {
  const why = new Error("the daemon does not answer");
  for (const start of [async () => {}, async () => Promise.reject(new Error("lost"))]) {
    let stops = 0;
    const stopped = stopBehind(start(), async () => {
      stops++;
      throw why;
    });
    await expect(stopped).rejects.toBe(why);
    expect(stops).toBe(1);
  }
});
