import { expect, test } from "bun:test";
import type { Usage } from "../../src/supervisor/family/family.ts";
import { usageGauge } from "../../src/supervisor/family/usage-gauge.ts";
import { FakeClock } from "../support/fake-clock.ts";

function made() {
  const clock = new FakeClock();
  const run = { pid: 42, startedAt: clock.wall() - 10_000, runId: "a" };
  const born = { at: clock.now() - 10_000 };
  const usage = { pids: [42], cpu: 1000, memory: 5000 };
  let looks = 0;
  let look: () => Promise<Usage> = async () => ({ ...usage });
  const gauge = usageGauge({
    clock,
    families: {
      usage() {
        looks += 1;
        return look();
      },
    },
    runs: () => [{ id: "shop:api", run: { ...run }, age: clock.now() - born.at }],
  });
  const read = async () => (await gauge.read()).get("shop:api");
  return {
    clock,
    run,
    born,
    usage,
    read,
    looks: () => looks,
    setLook: (its: typeof look) => (look = its),
  };
}

test("the processor's part is since the start at first, and then between two looks", async () => {
  const { clock, usage, read } = made();
  expect(await read()).toMatchObject({ cpu: 10, memory: 5000 });
  clock.advance(2000);
  usage.cpu += 1000;
  expect(await read()).toMatchObject({ cpu: 50 });
});

test("the processor's part is the same whatever the clock is set to", async () => {
  for (const hour of [3_600_000, -3_600_000]) {
    const { clock, usage, read } = made();
    clock.set(hour);
    expect(await read()).toMatchObject({ cpu: 10 });
    clock.set(hour);
    clock.advance(2000);
    usage.cpu += 1000;
    expect(await read()).toMatchObject({ cpu: 50 });
  }
});

test("many who ask within a second have one look", async () => {
  const { read, looks } = made();
  await Promise.all(Array.from({ length: 50 }, read));
  await read();
  expect(looks()).toBe(1);
});

test("another run begins at nothing", async () => {
  const { clock, run, born, usage, read } = made();
  await read();
  clock.advance(5000);
  run.runId = "b";
  born.at = clock.now() - 1000;
  usage.cpu = 100;
  expect(await read()).toMatchObject({ cpu: 10 });
});

test("a look that takes long is not waited for: what was seen last is told", async () => {
  const { clock, read, setLook, usage } = made();
  await read();
  clock.advance(1000);
  const slow = Promise.withResolvers<Usage>();
  setLook(() => slow.promise);
  const reading = read();
  await Promise.resolve();
  clock.advance(25);
  expect(await reading).toMatchObject({ memory: 5000 });
  slow.resolve({ ...usage, memory: 7000 });
  await new Promise((resolve) => setImmediate(resolve));
  expect(await read()).toMatchObject({ memory: 7000 });
});

test("a look that fails leaves what was seen last, and the next one is tried", async () => {
  const { clock, read, setLook, looks } = made();
  await read();
  clock.advance(1000);
  setLook(async () => {
    throw new Error("no ps");
  });
  expect(await read()).toMatchObject({ memory: 5000 });
  await read();
  expect(looks()).toBe(3);
  expect(clock.waiting).toBe(0);
});
