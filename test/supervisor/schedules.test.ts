/** Services with a schedule: when they run, when they do not, and what people see of it. */
import { describe, expect, test } from "bun:test";
import { Schedules } from "../../src/supervisor/project/schedules.ts";
import { type Unit, unitOf } from "../../src/supervisor/project/unit.ts";
import { shownMinute } from "../../src/text/local-time.ts";
import { FakeClock } from "../support/fake-clock.ts";
import { settled, specOf } from "./fake-lifecycle.ts";
import { type Declared, PlayedProject } from "./fake-project.ts";

const minute = 60_000;

/** Every five minutes. */
const job: Declared = {
  name: "job",
  type: "worker",
  routeName: undefined,
  schedule: "*/5 * * * *",
  restart: "no",
};

/** Moves to the next time of the schedule, and lets what happens then happen. */
async function comes(played: PlayedProject): Promise<void> {
  const { nextRun } = played.snapshot("job");
  played.clock.advance(nextRun! - played.clock.wall());
  await settled();
}

const said = (played: PlayedProject) =>
  played.logs
    .of("shop:job")
    .last(100)
    .map(({ text }) => text);

describe("a service with a schedule", () => {
  test("is not started by up, which does not wait for it, but at its times", async () => {
    using played = new PlayedProject([job, { name: "web" }]);
    const up = played.up();
    await settled();
    played.service("web").be("ready");
    expect(await up).toEqual({ kind: "ready" });
    expect(played.said).toEqual(["start web"]);
    const { nextRun, ...its } = played.snapshot("job");
    expect(nextRun! % (5 * minute)).toBe(0);
    expect([its.state, its.why]).toEqual(["stopped", `next run at ${shownMinute(nextRun!)}`]);
    await comes(played);
    expect(played.said).toEqual(["start web", "start job"]);
    expect(played.snapshot("job")).toMatchObject({ state: "starting" });
    expect(played.service("job").requests[0]!.reason).toBe(`the run of ${shownMinute(nextRun!)}`);
    expect(played.snapshot("job").nextRun).toBe(nextRun! + 5 * minute);
  });

  test.each([0, 1])("runs again at its next time, however it ended: with code %p", async (code) => {
    using played = new PlayedProject([job]);
    void played.up();
    await comes(played);
    played.service("job").be("ready");
    played.service("job").die(code, "exited");
    await settled();
    const { nextRun, why, state } = played.snapshot("job");
    const next = shownMinute(nextRun!);
    expect([state, why]).toEqual(["exited", `ended with exit code ${code}; next run at ${next}`]);
    await comes(played);
    expect(played.said).toEqual(["start job", "start job"]);
  });

  test("never runs twice at once: a time that comes during a run is left out, and said", async () => {
    using played = new PlayedProject([job]);
    void played.up();
    await comes(played);
    played.service("job").be("ready");
    const { nextRun } = played.snapshot("job");
    await comes(played);
    expect(played.said).toEqual(["start job"]);
    const left = `[localhostess] the run of ${shownMinute(nextRun!)} is left out: the one before is not over`;
    expect(said(played)).toEqual([left]);
    played.service("job").die(0, "exited");
    await comes(played);
    expect(played.said).toEqual(["start job", "start job"]);
  });

  test("waits for what it depends on, and is then not started twice", async () => {
    using played = new PlayedProject([{ name: "db" }, { ...job, dependsOn: ["db"] }]);
    void played.up();
    await comes(played);
    expect(played.snapshot("job")).toMatchObject({ state: "starting", why: "waits for db" });
    await comes(played);
    expect(said(played)).toHaveLength(1);
    played.service("db").be("ready");
    await settled();
    expect(played.said).toEqual(["start db", "start job"]);
  });

  test("starts a lazy service that it depends on", async () => {
    using played = new PlayedProject([
      { name: "db", lazy: true },
      { ...job, dependsOn: ["db"] },
    ]);
    void played.up();
    await settled();
    expect(played.said).toEqual([]);
    await comes(played);
    expect(played.said).toEqual(["start db"]);
    played.service("db").be("ready");
    await settled();
    expect(played.said).toEqual(["start db", "start job"]);
  });

  test("runs at once where it is named, and that is well once it has ended well", async () => {
    using played = new PlayedProject([job]);
    void played.up();
    const up = played.up("job");
    await settled();
    expect(played.said).toEqual(["start job"]);
    played.service("job").die(0, "exited");
    expect(await up).toEqual({ kind: "ready" });
    const again = played.restart("job");
    await settled();
    expect(played.said).toEqual(["start job", "start job"]);
    played.service("job").die(2, "exited");
    expect(await again).toMatchObject({ kind: "failed" });
    expect(played.snapshot("job").nextRun).toBeGreaterThan(played.clock.wall());
  });

  test("is not run by a stopped project, and has no next time there", async () => {
    using played = new PlayedProject([job]);
    void played.up();
    await settled();
    await played.project.stop(undefined);
    expect(played.snapshot("job")).toMatchObject({ state: "stopped", why: undefined });
    expect("nextRun" in played.snapshot("job")).toBe(false);
    expect(played.clock.waiting).toBe(0);
    played.clock.advance(60 * minute);
    await settled();
    expect(played.said).toEqual([]);
  });

  test("is a task that is run at its times, completed or not, and not by up", async () => {
    using played = new PlayedProject([{ ...job, type: "task" }]);
    expect(await played.up()).toEqual({ kind: "ready" });
    expect(played.said).toEqual([]);
    for (const [code, state] of [
      [0, "completed"],
      [0, "completed"],
      [3, "failed"],
    ] as const) {
      await comes(played);
      expect(played.takeSaid()).toEqual(["start job"]);
      const { nextRun } = played.snapshot("job");
      await comes(played);
      expect(said(played).at(-1)).toContain(`${shownMinute(nextRun!)} is left out`);
      played.service("job").die(code, state);
      await settled();
      expect(await played.up()).toEqual({ kind: "ready" });
      expect(played.takeSaid()).toEqual([]);
      expect(played.snapshot("job").why).toContain(
        `next run at ${shownMinute(played.snapshot("job").nextRun!)}`,
      );
    }
    await comes(played);
    expect(played.takeSaid()).toEqual(["start job"]);
  });

  test("is a task that goes on where its declaration changes during a run", async () => {
    const task = { ...job, type: "task" as const };
    using played = new PlayedProject([task]);
    void played.up();
    await comes(played);
    const services = [specOf({ ...task, command: "another" })];
    await played.project.apply(
      { spec: { ...played.project.spec, services }, pending: new Map() },
      {},
    );
    await settled();
    expect(played.takeSaid()).toEqual(["start job"]);
    played.service("job").die(0, "completed");
    await comes(played);
    expect(played.takeSaid().at(-1)).toBe("start job");
  });

  test("a stop during a run ends it; its schedule goes on with the next up", async () => {
    using played = new PlayedProject([job]);
    void played.up();
    await comes(played);
    await played.project.stop(["job"]);
    played.clock.advance(20 * minute);
    await settled();
    expect(played.said).toEqual(["start job", "stop job"]);
    void played.up();
    await comes(played);
    expect(played.said).toEqual(["start job", "stop job", "start job"]);
  });

  test("another schedule in its file counts at once, and does not disturb a run", async () => {
    using played = new PlayedProject([job]);
    void played.up();
    await comes(played);
    const before = played.snapshot("job").nextRun!;
    await played.project.apply(
      {
        spec: { ...played.project.spec, services: [specOf({ ...job, schedule: "@hourly" })] },
        pending: new Map(),
      },
      {},
    );
    await settled();
    expect(played.said).toEqual(["start job"]);
    expect(played.snapshot("job").nextRun! % (60 * minute)).toBe(0);
    expect(played.snapshot("job").nextRun!).toBeGreaterThan(before);
  });

  test("is not made up for by the next daemon, neither a time that passed nor a run that was cut off", async () => {
    for (const dozing of [["job"], []]) {
      using played = new PlayedProject([job]);
      played.project.resume(
        { whole: true, profiles: [], wanted: ["job"], unwanted: [], dozing },
        { shell: {}, services: new Map() },
      );
      await settled();
      expect(played.said).toEqual([]);
      await comes(played);
      expect(played.said).toEqual(["start job"]);
    }
  });

  test("does not run any more when the daemon ends", async () => {
    using played = new PlayedProject([job]);
    void played.up();
    await settled();
    await played.project.rest();
    expect(played.clock.waiting).toBe(0);
    expect(played.project.wishes).toMatchObject({ wanted: ["job"], dozing: ["job"] });
  });

  test("that nobody has seen is refused at its time, and asked again at the next", async () => {
    using played = new PlayedProject([job], ["job"]);
    void played.up();
    await comes(played);
    expect(played.snapshot("job")).toMatchObject({ state: "failed" });
    await played.project.apply({ spec: played.project.spec, pending: new Map() }, {});
    await settled();
    expect(played.said).toEqual([]);
    await comes(played);
    expect(played.said).toEqual(["start job"]);
  });
});

describe("the clock", () => {
  /** Schedules of one service, with a time of day that may be set. */
  function scheduled({ now = Date.UTC(2026, 4, 1, 12, 1), nextRun = 0 } = {}) {
    const clock = new FakeClock();
    clock.set(now - clock.wall());
    const unit: Unit = {
      ...unitOf(specOf({ schedule: "*/5 * * * *" }), { project: "shop", shell: {} }),
      wish: { state: "dozing", because: undefined },
      nextRun: nextRun === 0 ? undefined : nextRun,
    };
    const its = {
      clock,
      runs: [] as string[],
      said: [] as string[],
      schedules: undefined as unknown as Schedules,
    };
    const schedules = new Schedules({
      clock,
      run: () => its.runs.push(new Date(clock.wall()).toISOString().slice(11, 16)) > 0,
      say: (_unit, text) => void its.said.push(text),
      changed() {},
    });
    schedules.consider(unit);
    its.schedules = schedules;
    return its;
  }

  test("runs in time, within half a minute of timers at most", () => {
    const its = scheduled();
    its.clock.advance(15 * minute);
    expect(its.runs).toEqual(["12:05", "12:10", "12:15"]);
    expect(its.said).toEqual([]);
    expect(its.clock.waiting).toBe(1);
  });

  test("set forward, or after a sleep: what was missed is left out, and the rest goes on", () => {
    const its = scheduled();
    its.clock.set(3 * 60 * minute);
    its.clock.advance(10 * minute);
    expect(its.runs).toEqual(["15:05", "15:10"]);
    const missed = shownMinute(Date.UTC(2026, 4, 1, 12, 5));
    expect(its.said).toEqual([
      `the run of ${missed} is left out: the machine slept then, or its clock was set`,
    ]);
  });

  test("set forward by less than a minute past a time: that runs late", () => {
    const its = scheduled();
    its.clock.advance(3.75 * minute);
    its.clock.set(0.5 * minute);
    its.clock.advance(0.5 * minute);
    expect([its.runs, its.said]).toEqual([["12:05"], []]);
  });

  test("a time that came while another daemon took over is run by that one, and none before it knows", () => {
    const at = Date.UTC(2026, 4, 1, 12, 5);
    const before = scheduled();
    before.schedules.isHalted = true;
    before.clock.advance(4 * minute + 30);
    expect(before.runs).toEqual([]);
    const after = scheduled({ nextRun: at, now: at + 50 });
    after.clock.advance(1);
    expect(after.runs).toEqual(["12:05"]);
    after.clock.advance(5 * minute);
    expect(after.runs).toEqual(["12:05", "12:10"]);
    before.schedules.isHalted = false;
    before.clock.advance(100);
    expect(before.runs).toEqual(["12:05"]);
  });

  test("set back: the times that come again count again, at once and not after hours", () => {
    const its = scheduled();
    its.clock.advance(5 * minute);
    its.clock.set(-2 * 60 * minute);
    its.clock.advance(10 * minute);
    expect(its.runs).toEqual(["12:05", "10:10", "10:15"]);
    expect(its.said).toEqual([]);
  });
});
