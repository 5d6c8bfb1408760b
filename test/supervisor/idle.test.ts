import { expect, test } from "bun:test";
import { idleWatch } from "../../src/supervisor/project/idle.ts";
import { FakeClock } from "../support/fake-clock.ts";

function made() {
  const clock = new FakeClock();
  const counts = { requests: 0, active: 0 };
  const service = {
    id: "shop:web",
    routeNames: ["shop"],
    idleTimeout: 60_000,
    readyAt: clock.now() as number | undefined,
  };
  const idle: string[] = [];
  const cancel = idleWatch({
    clock,
    services: () => [service],
    traffic: () => counts,
    onIdle(id) {
      idle.push(id);
      service.readyAt = undefined;
    },
  });
  return { clock, counts, service, idle, cancel };
}

test("a service that nobody asks is idle after its time, told of once", () => {
  const { clock, idle, cancel } = made();
  clock.advance(59_000);
  expect(idle).toEqual([]);
  clock.advance(3_000);
  expect(idle).toEqual(["shop:web"]);
  clock.advance(600_000);
  expect(idle).toEqual(["shop:web"]);
  cancel();
  expect(clock.waiting).toBe(0);
});

test("a request begins the time anew, and one under way stops it", () => {
  const { clock, counts, idle } = made();
  for (let minute = 0; minute < 10; minute++) {
    clock.advance(50_000);
    counts.requests += 1;
  }
  expect(idle).toEqual([]);
  counts.active = 1;
  clock.advance(1_000_000);
  expect(idle).toEqual([]);
  counts.active = 0;
  clock.advance(61_000);
  expect(idle).toEqual(["shop:web"]);
});

test("the clock that is set by an hour, either way, changes no idle time", () => {
  for (const hour of [3_600_000, -3_600_000]) {
    const { clock, idle } = made();
    clock.advance(30_000);
    clock.set(hour);
    clock.advance(29_000);
    expect(idle).toEqual([]);
    clock.advance(3_000);
    expect(idle).toEqual(["shop:web"]);
  }
});

test("one that was started again has its whole time", () => {
  const { clock, service, idle } = made();
  clock.advance(50_000);
  service.readyAt = undefined;
  clock.advance(1_000);
  service.readyAt = clock.now();
  clock.advance(59_000);
  expect(idle).toEqual([]);
});
