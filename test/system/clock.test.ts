import { expect, test } from "bun:test";
import { join } from "node:path";
import { systemClock } from "../../src/system/clock.ts";
import { FakeClock } from "../support/fake-clock.ts";
import { steadyClock } from "../support/steady-clock.ts";

test("a timer of the system's clock never fires before its time by that clock", async () => {
  for (const delay of [0, 0.2, 1.1, 1.9, 2.5, 3.999]) {
    const began = systemClock.now();
    await new Promise<void>((resolve) => void systemClock.after(delay, resolve));
    expect(systemClock.now() - began).toBeGreaterThanOrEqual(delay);
  }
});

test("a deadline that has passed is due at once, and no warning of the runtime gets into the log", async () => {
  // The runtime warns once in a process, so that one of its own has to look.
  const program = `import { systemClock } from ${JSON.stringify(join(import.meta.dir, "../../src/system/clock.ts"))};
systemClock.after(-405422.5, () => console.log("due"));`;
  const ended = Bun.spawnSync([process.execPath, "-e", program], { stderr: "pipe" });
  expect([ended.stdout.toString(), ended.stderr.toString()]).toEqual(["due\n", ""]);
});

test("the time of day is the system's, and the time that passes is not counted from 1970", () => {
  expect(Math.abs(systemClock.wall() - Date.now())).toBeLessThan(60_000);
  expect(systemClock.now()).toBeLessThan(Date.now() / 10);
});

test("a clock that is set fires no timer, and its time passes as before", () => {
  for (const clock of [new FakeClock(), steadyClock()]) {
    const before = clock.now();
    const wall = clock.wall();
    let fired = false;
    const cancel = clock.after(3_600_000, () => (fired = true));
    clock.set(7_200_000);
    expect(clock.now() - before).toBeLessThan(60_000);
    expect(clock.wall() - wall).toBeGreaterThanOrEqual(7_200_000);
    clock.set(-14_400_000);
    expect(clock.wall()).toBeLessThan(wall);
    expect(fired).toBe(false);
    cancel();
  }
});
