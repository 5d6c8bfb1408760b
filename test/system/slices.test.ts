import { expect, test } from "bun:test";
import { slices } from "../../src/system/slices.ts";

test("a crowd with much to do leaves the event loop its turns", async () => {
  const breathe = slices(2);
  let turns = 0;
  let over = false;
  const count = (): void => {
    turns++;
    if (!over) setImmediate(count);
  };
  setImmediate(count);
  await Promise.all(
    Array.from({ length: 50 }, async () => {
      await breathe();
      const end = performance.now() + 1;
      while (performance.now() < end) {
        // Busy.
      }
    }),
  );
  over = true;
  expect(turns).toBeGreaterThan(10);
});
