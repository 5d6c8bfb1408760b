/** Who is asked when: families as a test makes them up, and any family at all. */
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import {
  advanced,
  begun,
  type Member,
  type Plan,
  type Role,
  type Sight,
  watched,
} from "../../src/supervisor/family/ending-plan.ts";
import { holdsFor } from "../support/property.ts";

type Made = Partial<Member> & Pick<Member, "pid">;

function member({ pid, parent = pid - 1, ...its }: Made): Member {
  const plain = { answer: "catches", shell: false, leads: false, forked: false } as const;
  return { ...plain, deaf: false, writers: [], pid, parent, ...its };
}

/** A shell as `sh -c` starts it. */
function shell(its: Made): Member {
  return member({ shell: true, answer: "dies", ...its });
}

function rolesOf(all: readonly Member[]): Role[] {
  const { plan } = begun(all, { now: 0 });
  return all.map(({ pid }) => plan.get(pid)!.role);
}

const leader = { leads: true } as const;

describe("the role of a member", () => {
  const families: [name: string, all: Member[], roles: Role[]][] = [
    ["one program", [member({ pid: 1 })], ["now"]],
    ["one program that leads", [member({ pid: 1, ...leader })], ["now"]],
    [
      "a program under a shell",
      [shell({ pid: 1, ...leader }), member({ pid: 2 })],
      ["last", "now"],
    ],
    ["on pipes", [shell({ pid: 1 }), member({ pid: 2 })], ["above", "now"]],
    [
      "a program without a handler under a shell",
      [shell({ pid: 1, ...leader }), member({ pid: 2, answer: "dies" })],
      ["now", "now"],
    ],
    [
      "a runner with a shell between",
      [shell({ pid: 1, ...leader }), member({ pid: 2 }), shell({ pid: 3 }), member({ pid: 4 })],
      ["last", "above", "above", "now"],
    ],
    [
      "a script with a trap",
      [shell({ pid: 1, answer: "catches" }), member({ pid: 2, answer: "dies" })],
      ["now", "now"],
    ],
    [
      "a script with a trap above a program that wants time",
      [shell({ pid: 1, answer: "catches" }), member({ pid: 2 })],
      ["above", "now"],
    ],
    [
      "a server with workers that it has forked",
      [
        shell({ pid: 1, ...leader }),
        member({ pid: 2 }),
        member({ pid: 3, parent: 2, forked: true }),
        member({ pid: 4, parent: 2, forked: true, answer: "ignores" }),
        member({ pid: 5, parent: 2, forked: true, answer: "dies" }),
      ],
      ["last", "now", "below", "now", "now"],
    ],
    [
      "a server that leads, with workers",
      [member({ pid: 1, ...leader }), member({ pid: 2, forked: true })],
      ["now", "below"],
    ],
    [
      "a worker of a worker",
      [member({ pid: 1 }), member({ pid: 2, forked: true }), member({ pid: 3, forked: true })],
      ["now", "below", "below"],
    ],
    [
      "a subshell",
      [shell({ pid: 1 }), shell({ pid: 2, forked: true }), member({ pid: 3 })],
      ["above", "above", "now"],
    ],
    [
      "a launcher without a handler",
      [member({ pid: 1, answer: "dies", ...leader }), member({ pid: 2 })],
      ["parent", "now"],
    ],
    [
      "a pipeline of three",
      [
        shell({ pid: 1, ...leader }),
        member({ pid: 2, parent: 1 }),
        member({ pid: 3, parent: 1, answer: "dies", writers: [2] }),
        shell({ pid: 4, parent: 1, writers: [3] }),
      ],
      ["last", "now", "reader", "reader"],
    ],
    [
      "a program that is fed by one without a handler",
      [
        shell({ pid: 1, ...leader }),
        member({ pid: 2, parent: 1, answer: "dies" }),
        member({ pid: 3, parent: 1, writers: [2] }),
      ],
      ["last", "now", "now"],
    ],
    [
      "a program that works for the one that feeds it",
      [member({ pid: 1 }), member({ pid: 2, answer: "dies", writers: [1] })],
      ["now", "now"],
    ],
    [
      "a log of all that a script prints",
      [
        shell({ pid: 1, answer: "catches", ...leader }),
        member({ pid: 2, parent: 1, answer: "dies", writers: [1, 3] }),
        member({ pid: 3, parent: 1 }),
      ],
      ["last", "reader", "now"],
    ],
    [
      "another user's program",
      [shell({ pid: 1, ...leader }), member({ pid: 2, deaf: true })],
      ["now", "now"],
    ],
    [
      "one that ignores the signal, under a shell without a trap and under one with",
      [
        shell({ pid: 1, answer: "catches" }),
        shell({ pid: 2 }),
        member({ pid: 3, answer: "ignores" }),
      ],
      ["above", "above", "now"],
    ],
    ["nobody", [], []],
  ];
  for (const [name, all, roles] of families) {
    test(name, () => void expect(rolesOf(all)).toEqual(roles));
  }
});

/** A family that ends as its members do. Milliseconds from a signal, or from an end of input, to the end of each. */
type Life = {
  member: Member;
  takes: number;
  /** Takes the end of its input for its own. */
  ends: boolean;
};

const whole = 10_000;

class World {
  plan: Plan;
  now = 0;
  readonly asked = new Map<number, number>();
  readonly running = new Set<number>();
  readonly endedAt = new Map<number, number>();
  readonly #due = new Map<number, number>();
  readonly #lives: ReadonlyMap<number, Life>;

  constructor(lives: readonly Life[]) {
    this.#lives = new Map(lives.map((life) => [life.member.pid, life]));
    const all = lives.map(({ member: its }) => its);
    const step = begun(all, { now: 0 });
    this.plan = step.plan;
    this.#obey(step.orders);
  }

  get left(): Life[] {
    return [...this.#lives.values()].filter(({ member: { pid } }) => !this.endedAt.has(pid));
  }

  #obey(orders: readonly { pid: number; do: "ask" | "go-on" }[]): void {
    for (const order of orders) {
      if (order.do === "ask") this.asked.set(order.pid, (this.asked.get(order.pid) ?? 0) + 1);
      else this.running.add(order.pid);
    }
  }

  #isFed({ member: { pid, writers } }: Life): boolean {
    return writers.length === 0 || writers.some((its) => its !== pid && !this.endedAt.has(its));
  }

  /** Until all have ended, or all that is left would be killed. */
  run(): void {
    while (this.now < whole && this.left.length > 0) {
      for (const life of this.left) {
        const { pid, answer } = life.member;
        if (!this.running.has(pid) || this.#due.has(pid)) continue;
        const hears = this.asked.has(pid) && answer !== "ignores";
        const takes = answer === "dies" && hears ? 0 : life.takes;
        if (hears || (life.ends && !this.#isFed(life))) this.#due.set(pid, this.now + takes);
      }
      for (const [pid, at] of this.#due) if (at <= this.now) this.endedAt.set(pid, this.now);
      const heard = watched(this.plan);
      const sights = this.left.map(({ member: { pid, parent } }): Sight => ({
        ...{ pid, parent: this.endedAt.has(parent) ? 0 : parent, ended: false },
        ...{ stopped: !this.running.has(pid), settled: heard.has(pid) },
      }));
      const times = { now: this.now, began: 0, deadline: whole };
      const { plan, orders, within = 200 } = advanced(this.plan, sights, times);
      this.plan = plan;
      this.#obey(orders);
      if (!(within > 0)) throw new Error(`a pause of ${within} ms`);
      this.now += Math.min(within, 200);
    }
  }
}

const life = (pid: number): fc.Arbitrary<Life> =>
  fc
    .record({
      parent: fc.nat({ max: pid - 1 }),
      answer: fc.constantFrom<Member["answer"]>("catches", "catches", "dies", "ignores", "unknown"),
      shell: fc.boolean(),
      forked: fc.boolean(),
      deaf: fc.integer({ min: 0, max: 9 }).map((n) => n === 0),
      writers: fc.oneof(
        fc.constant<number[]>([]),
        fc.array(fc.integer({ min: 1, max: 8 }), { maxLength: 2 }),
      ),
      takes: fc.integer({ min: 0, max: 900 }),
      ends: fc.boolean(),
    })
    .map(({ takes, ends, writers, ...its }) => ({
      member: member({
        pid,
        leads: pid === 1,
        writers: writers.filter((to) => to !== pid),
        ...its,
      }),
      takes,
      ends,
    }));

const anyFamily = fc
  .integer({ min: 1, max: 8 })
  .chain((count) => fc.tuple(...Array.from({ length: count }, (_, at) => life(at + 1))));

describe("whatever the family", () => {
  test("each is asked at most once, nobody with a handler is held for ever, and whoever obeys has ended in time", () => {
    holdsFor(
      fc.property(anyFamily, (lives) => {
        const world = new World(lives);
        world.run();
        for (const count of world.asked.values()) expect(count).toBe(1);
        for (const { member: its } of lives) {
          if (its.deaf) expect(world.asked.has(its.pid)).toBe(false);
        }
        const stubborn = lives.some(({ member: its }) => its.deaf || its.answer === "ignores");
        for (const { member: its } of world.left) {
          const heldShell = its.answer === "dies" && its.shell;
          if (its.deaf || its.answer === "ignores" || (heldShell && stubborn)) continue;
          // It was asked so late that its own time was too long.
          expect({ its, at: world.running.has(its.pid) && world.asked.has(its.pid) }).toMatchObject(
            {
              at: true,
            },
          );
        }
      }),
      { runs: 1000, atLeast: 150 },
    );
  });

  test("while all obey, the leader of the terminal goes last, unless it is a server or has no handler", () => {
    holdsFor(
      fc.property(anyFamily, (lives) => {
        const obedient = lives.map((its) => ({
          ...its,
          takes: its.takes / 10,
          member: {
            ...its.member,
            ...{ deaf: false, writers: [], forked: false },
            answer: its.member.answer === "dies" ? ("dies" as const) : ("catches" as const),
          },
        }));
        const [first] = obedient;
        first!.member.shell = true;
        const world = new World(obedient);
        world.run();
        expect(world.left).toEqual([]);
        for (const { member: its } of obedient) {
          if (its.answer === "dies" || its.pid === 1) continue;
          expect(world.endedAt.get(1)!).toBeGreaterThanOrEqual(world.endedAt.get(its.pid)!);
        }
      }),
      { runs: 600, atLeast: 100 },
    );
  });
});

test("a newcomer is not asked, and the one that cleans up with it has its time", () => {
  const all = [shell({ pid: 1, ...leader }), member({ pid: 2 })];
  const { plan } = begun(all, { now: 0 });
  const sights: Sight[] = [1, 2, 3].map((pid) => ({
    ...{ pid, parent: pid - 1, ended: false, stopped: pid === 1, settled: true },
  }));
  const times = { now: 50, began: 0, deadline: whole };
  const step = advanced(plan, sights, times);
  expect(step.orders).toEqual([]);
  // Its parent has ended; the leader still waits for it.
  const later = [sights[0]!, { ...sights[2]!, parent: 0 }];
  expect(advanced(step.plan, later, { ...times, now: 9000 }).orders).toEqual([]);
});

test("what a launcher that was not asked starts meanwhile is asked with it", () => {
  const all = [member({ pid: 1, answer: "dies" }), member({ pid: 2 })];
  const { plan } = begun(all, { now: 0 });
  const seen = (pid: number, parent: number): Sight => ({
    ...{ pid, parent, ended: false, stopped: false, settled: false },
  });
  const times = { now: 50, began: 0, deadline: whole };
  const first = advanced(plan, [seen(1, 0), seen(2, 1), seen(3, 1), seen(4, 3)], times);
  expect(first.orders).toEqual([]);
  const { orders } = advanced(first.plan, [seen(1, 0), seen(3, 1), seen(4, 3)], times);
  expect(orders.filter((its) => its.do === "ask").map(({ pid }) => pid)).toEqual([1, 3, 4]);
});

test("one that stops after it was asked goes on", () => {
  const { plan } = begun([member({ pid: 1 })], { now: 0 });
  const sight = { pid: 1, parent: 0, ended: false, stopped: true, settled: false };
  const { orders } = advanced(plan, [sight], { now: 50, began: 0, deadline: whole });
  expect(orders).toEqual([{ pid: 1, do: "go-on" }]);
});

test("a worker goes on once its server sleeps with nothing to do for it, or after a quarter of the time", () => {
  const all = [member({ pid: 1 }), member({ pid: 2, forked: true })];
  const seen = (settled: boolean, more: number[] = []): Sight[] =>
    [1, 2, ...more].map((pid) => ({
      ...{ pid, parent: pid === 1 ? 0 : 1, ended: false, stopped: false, settled },
    }));
  let { plan } = begun(all, { now: 0 });
  expect([...watched(plan)]).toEqual([1]);
  const look = (sights: Sight[], now: number) => {
    const step = advanced(plan, sights, { now, began: 0, deadline: whole });
    plan = step.plan;
    return step.orders;
  };
  expect(look(seen(true), 20)).toEqual([]);
  // It looks for its workers with `ps`.
  expect(look(seen(true, [3]), 40)).toEqual([]);
  expect(look(seen(true, [3]), 60)).toEqual([]);
  expect(look(seen(false), 80)).toEqual([]);
  expect(look(seen(true), 100)).toEqual([]);
  expect(look(seen(true), 120)).toEqual([{ pid: 2, do: "go-on" }]);
  ({ plan } = begun(all, { now: 0 }));
  expect(look(seen(false), 1990)).toEqual([]);
  expect(look(seen(false), 2000)).toEqual([{ pid: 2, do: "go-on" }]);
});
