/** Who belongs to a run and who does not, on a machine that a test makes up. */
import { expect, test } from "bun:test";
import type { Seen } from "../../src/supervisor/family/census.ts";
import { type Families, families, type Run } from "../../src/supervisor/family/family.ts";
import { markOf } from "../../src/supervisor/family/mark.ts";
import type { Traits } from "../../src/supervisor/family/traits.ts";
import type { ProcessCalls } from "../../src/system/process-calls.ts";
import { FakeClock } from "../support/fake-clock.ts";
import { settled } from "./fake-lifecycle.ts";

const run: Run = { pid: 100, startedAt: 1_000_000, runId: "a".repeat(32) };
const daemon = 10;

type Sent = [pid: number, signal: string];

class FakeMachine {
  readonly clock = new FakeClock(2_000_000);
  readonly own = new Set<number>();
  readonly besides = new Set<number>();
  readonly sent: Sent[] = [];
  readonly reaped: number[] = [];
  readonly problems: string[] = [];
  table = new Map<number, Seen>();
  /** What becomes of a signal; by default nothing. */
  onSignal: (pid: number, signal: string) => void = () => {};
  blind = false;
  readonly traits: Traits = {
    of: () => ({ answer: "dies", shell: false }),
    isSettled: () => true,
    writers: () => new Map(),
  };
  readonly families: Families;
  /** Daemons before this one. */
  readonly keepers = new Set<number>();

  constructor(self = daemon) {
    this.put({ pid: self, session: self });
    const calls: Pick<ProcessCalls, "reap"> = {
      reap: (pid) => {
        this.reaped.push(pid);
        this.table.delete(pid);
        return { code: 5, signal: null };
      },
    };
    this.families = families({
      calls,
      traits: this.traits,
      clock: this.clock,
      own: this.own,
      besides: this.besides,
      self: { pid: self },
      keepers: this.keepers,
      census: {
        look: async () => {
          if (this.blind) throw new Error("procfs is gone");
          return new Map(this.table);
        },
        same: ({ pid, birth }) => this.table.get(pid)?.birth === birth,
        birthOf: (pid) => this.table.get(pid)?.birth,
        glimpse: () => undefined,
        boot: "a boot",
      },
      signal: (pid, signal) => {
        this.sent.push([pid, signal]);
        this.onSignal(pid, signal);
        const its = this.table.get(pid);
        const stopped = signal === "SIGSTOP";
        if (its !== undefined && (stopped || signal === "SIGCONT")) {
          this.table.set(pid, { ...its, stopped });
        }
      },
      report: (problem) => void this.problems.push(problem),
    });
  }

  put(seen: Partial<Seen> & { pid: number }): void {
    this.table.set(seen.pid, {
      parent: 1,
      group: seen.pid,
      session: seen.pid,
      startedAt: run.startedAt,
      birth: 7000,
      leads: false,
      zombie: false,
      stopped: false,
      exitStatus: undefined,
      program: "server",
      exec: undefined,
      runId: undefined,
      mark: undefined,
      cpu: 10,
      memory: 100,
      ...seen,
    });
  }

  async members(): Promise<number[]> {
    return (await this.families.members(run)).map(({ pid }) => pid).sort((a, b) => a - b);
  }

  async pass(milliseconds: number): Promise<void> {
    for (let passed = 0; passed < milliseconds; passed += 10) {
      this.clock.advance(10);
      await settled();
    }
  }
}

const { runId } = run;

test("all with the run id, their group, their session and their descendants are members", async () => {
  const machine = new FakeMachine();
  machine.put({ pid: 100, runId });
  machine.put({ pid: 101, group: 100, session: 100 });
  machine.put({ pid: 102, group: 102, session: 100 });
  machine.put({ pid: 103, runId });
  machine.put({ pid: 104, parent: 103 });
  machine.put({ pid: 105, parent: 104 });
  machine.put({ pid: 200 });
  machine.put({ pid: 201, runId: "b".repeat(32) });
  expect(await machine.members()).toEqual([100, 101, 102, 103, 104, 105]);
  expect(await machine.families.usage(run)).toEqual({
    pids: [100, 101, 102, 103, 104, 105],
    cpu: 60,
    memory: 600,
  });
});

test("a stranger that was given the pid, the group or the session is never touched", async () => {
  for (const stranger of [
    { birth: 7000 },
    { birth: 90_000 },
    { birth: 7000, runId: "b".repeat(32) },
  ]) {
    const machine = new FakeMachine();
    machine.put({ pid: 100, ...stranger });
    machine.put({ pid: 101, group: 100, session: 100 });
    expect(await machine.members()).toEqual([]);
    expect(await machine.families.end(run, { signal: "SIGTERM", timeout: 100 }).done).toEqual({
      kind: "ended",
    });
    expect(machine.sent).toEqual([]);
  }
});

test("who was a member is one without environment and parent, until its pid is another's", async () => {
  const machine = new FakeMachine();
  machine.put({ pid: 100, runId });
  machine.put({ pid: 101, parent: 100, birth: 7005 });
  expect(await machine.members()).toEqual([100, 101]);
  machine.put({ pid: 101, parent: daemon, birth: 7005 });
  machine.table.delete(100);
  expect(await machine.members()).toEqual([101]);
  machine.put({ pid: 101, parent: daemon, birth: 7900 });
  expect(await machine.members()).toEqual([]);
});

test("an hour that the clock is set by, either way, changes neither who belongs to a run nor who is signalled", async () => {
  for (const hour of [3_600_000, -3_600_000]) {
    const machine = new FakeMachine();
    machine.put({ pid: 100, runId });
    machine.put({ pid: 101, parent: 100, birth: 7005 });
    machine.put({ pid: 102, parent: 101, birth: 7006 });
    expect(await machine.members()).toEqual([100, 101, 102]);
    // The kernel tells when a process began by the clock as it stands now.
    const began = run.startedAt + hour;
    machine.put({ pid: 100, startedAt: began });
    machine.put({ pid: 101, parent: daemon, birth: 7005, startedAt: began });
    machine.put({ pid: 102, parent: 101, birth: 7006, startedAt: began });
    expect(await machine.members()).toEqual([100, 101, 102]);
    machine.onSignal = (pid) => void machine.table.delete(Math.abs(pid));
    const { done } = machine.families.end(run, { signal: "SIGTERM", timeout: 1000 });
    await machine.pass(300);
    expect(await done).toEqual({ kind: "ended" });
    expect(machine.sent.map(([pid]) => Math.abs(pid)).toSorted()).toContain(102);
  }
});

test("the run that was not written down begins with its oldest process, whatever the clock says", async () => {
  const machine = new FakeMachine();
  machine.put({ pid: 101, runId, birth: 7001, startedAt: 5 });
  machine.put({ pid: 100, runId, birth: 7000, startedAt: 9 });
  expect(await machine.families.runsOf("a")).toEqual([{ pid: 100, startedAt: 9, runId }]);
});

test("a daemon that was itself started inside the service does not end itself", async () => {
  const machine = new FakeMachine();
  machine.put({ pid: 100, runId });
  machine.put({ pid: daemon, parent: 100, runId });
  machine.put({ pid: 300, parent: daemon, runId: "c".repeat(32) });
  expect(await machine.members()).toEqual([100]);
});

test("all stand still before any is asked, each hears the signal once, and newcomers do not hear it", async () => {
  const machine = new FakeMachine();
  machine.put({ pid: 100, runId });
  machine.put({ pid: 101, group: 100, session: 100, parent: 100 });
  machine.put({ pid: 102, runId });
  // Forked while the others were stopped.
  machine.onSignal = (pid, signal) => {
    if (pid === 102 && signal === "SIGSTOP") machine.put({ pid: 103, parent: 102 });
  };
  const { done } = machine.families.end(run, { signal: "SIGINT", timeout: 1000 });
  await settled();
  const to = (name: string): number[] =>
    machine.sent.filter(([, signal]) => signal === name).map(([pid]) => pid);
  const all = [100, 101, 102, 103];
  expect(machine.sent.slice(0, 4).map(([, signal]) => signal)).toEqual(Array(4).fill("SIGSTOP"));
  expect(to("SIGSTOP").sort()).toEqual(all);
  expect(to("SIGINT").sort()).toEqual(all);
  expect(to("SIGCONT").sort()).toEqual(all);
  expect(machine.sent.findLastIndex(([, signal]) => signal === "SIGINT")).toBeLessThan(
    machine.sent.findIndex(([, signal]) => signal === "SIGCONT"),
  );
  // One that cleans up.
  machine.put({ pid: 104, parent: 102 });
  await machine.pass(300);
  expect(machine.sent.some(([pid]) => pid === 104)).toBe(false);
  for (const pid of all) machine.table.delete(pid);
  machine.put({ pid: 104, parent: daemon });
  await machine.pass(300);
  machine.table.delete(104);
  await machine.pass(300);
  expect(await done).toEqual({ kind: "ended" });
  expect(to("SIGINT")).toHaveLength(4);
  expect(to("SIGKILL")).toEqual([]);
});

test("who may not be stopped is not asked, and nobody waits for it", async () => {
  const machine = new FakeMachine();
  machine.put({ pid: 100, runId, leads: true });
  machine.put({ pid: 101, parent: 100, group: 100, session: 100 });
  machine.onSignal = (pid, signal) => {
    if (pid === 101) throw Object.assign(new Error("EPERM"), { code: "EPERM" });
    if (signal === "SIGCONT") machine.table.delete(pid);
  };
  machine.traits.of = ({ pid }) =>
    pid === 100 ? { answer: "dies", shell: true } : { answer: "catches", shell: false };
  void machine.families.end(run, { signal: "SIGTERM", timeout: 1000 });
  await machine.pass(100);
  expect(machine.table.has(100)).toBe(false);
});

test("a process that has thrown its environment away is known by its mark", async () => {
  const machine = new FakeMachine();
  machine.put({ pid: 100, runId });
  machine.put({ pid: 101, parent: daemon, mark: markOf(runId)! });
  machine.put({ pid: 102, parent: 101 });
  machine.put({ pid: 103, parent: daemon, mark: markOf("b".repeat(32))! });
  expect(await machine.members()).toEqual([100, 101, 102]);
  expect(machine.families.strays()).toEqual([{ pid: 103, birth: 7000 }]);
});

test("SIGKILL comes after the timeout, later where time was asked for, and to all until they are gone", async () => {
  for (const [extended, due] of [
    [0, 1000],
    [2000, 2000],
  ] as const) {
    const machine = new FakeMachine();
    machine.put({ pid: 100, runId });
    machine.put({ pid: 102, runId });
    const { done, extend } = machine.families.end(run, { signal: "SIGTERM", timeout: 1000 });
    extend(extended);
    await machine.pass(due - 20);
    const killed = () => machine.sent.filter(([, signal]) => signal === "SIGKILL");
    expect(killed()).toEqual([]);
    machine.onSignal = (pid) => void machine.table.delete(Math.abs(pid));
    await machine.pass(60);
    expect(killed()).toEqual([
      [-100, "SIGKILL"],
      [102, "SIGKILL"],
    ]);
    expect(await done).toEqual({ kind: "ended" });
  }
});

test("who cannot be ended is told of, after five seconds of trying", async () => {
  const machine = new FakeMachine();
  machine.put({ pid: 100, runId });
  machine.onSignal = () => {
    throw Object.assign(new Error("EPERM"), { code: "EPERM" });
  };
  const { done } = machine.families.end(run, { signal: "SIGKILL", timeout: 0 });
  await machine.pass(5300);
  expect(await done).toEqual({ kind: "left", pids: [100] });
});

test("orphans that have ended are reaped, and told of once; Bun's children are left to Bun", async () => {
  const machine = new FakeMachine();
  machine.own.add(400);
  machine.put({ pid: 400, parent: daemon, zombie: true });
  machine.put({ pid: 401, parent: daemon, zombie: true, session: daemon });
  machine.put({ pid: 402, parent: daemon, zombie: true });
  machine.put({ pid: 403, parent: 402, zombie: true });
  machine.besides.add(404);
  machine.put({ pid: 404, parent: daemon, zombie: true });
  machine.families.reapSoon();
  machine.families.reapSoon();
  await machine.pass(600);
  expect(machine.reaped).toEqual([402]);
  expect(machine.families.endingOf(402)).toEqual({ code: 5, signal: null });
  expect(machine.families.endingOf(402)).toBeUndefined();
  machine.families.stop();
  machine.families.reapSoon();
  expect(machine.clock.waiting).toBe(0);
});

test("where the machine cannot be looked at, the group of our own child is ended all the same", async () => {
  const machine = new FakeMachine();
  machine.own.add(100);
  machine.put({ pid: 100, runId });
  machine.blind = true;
  const { done } = machine.families.end(run, { signal: "SIGTERM", timeout: 100 });
  await machine.pass(200);
  expect(machine.sent[0]).toEqual([-100, "SIGTERM"]);
  expect(machine.sent.at(-1)).toEqual([-100, "SIGKILL"]);
  expect(machine.problems[0]).toBe("procfs is gone");
  machine.blind = false;
  machine.table.delete(100);
  await machine.pass(300);
  expect(await done).toEqual({ kind: "ended" });
});

/** As a daemon finds it in what another has left. */
const left: Run = {
  ...run,
  birth: 7000,
  members: [
    { pid: 100, birth: 7000 },
    { pid: 105, birth: 7005 },
  ],
};

test("pid and birth are proof enough of those who have written over their environment", async () => {
  const machine = new FakeMachine();
  machine.put({ pid: 100 });
  machine.put({ pid: 101, parent: 100, group: 100, session: 100 });
  machine.put({ pid: 105, birth: 7005 });
  machine.put({ pid: 106, parent: 105, birth: 7006 });
  machine.put({ pid: 200, birth: 7000 });
  const members = (await machine.families.members(left)).map(({ pid }) => pid);
  expect(members.sort()).toEqual([100, 101, 105, 106]);
});

test("a pid whose birth is another's is never signalled, nor is anybody of its group", async () => {
  const machine = new FakeMachine();
  machine.put({ pid: 100, birth: 7001 });
  machine.put({ pid: 101, parent: 100, group: 100, session: 100, birth: 7002 });
  machine.put({ pid: 105, birth: 7006 });
  const { done } = machine.families.end(left, { signal: "SIGTERM", timeout: 100 });
  expect(await done).toEqual({ kind: "ended" });
  expect(machine.sent).toEqual([]);
});

test("a process whose pid is given to another between the look and the signal hears nothing", async () => {
  const machine = new FakeMachine();
  machine.put({ pid: 105, birth: 7005 });
  const { done } = machine.families.end(left, { signal: "SIGTERM", timeout: 100 });
  // The look has been taken by then, and the signal not sent.
  await Promise.resolve();
  machine.put({ pid: 105, birth: 9000 });
  await machine.pass(300);
  expect(await done).toEqual({ kind: "ended" });
  expect(machine.sent).toEqual([]);
});

test("what the next daemon is to know of a run are those who run, not those who have ended", async () => {
  const machine = new FakeMachine();
  machine.put({ pid: 100, runId });
  machine.put({ pid: 101, parent: 100, birth: 7001 });
  machine.put({ pid: 102, parent: 100, birth: 7002, zombie: true });
  expect(machine.families.remembered(run)).toEqual([]);
  await machine.members();
  expect(machine.families.remembered(run)).toEqual([
    { pid: 100, birth: 7000 },
    { pid: 101, birth: 7001 },
  ]);
});

test("an orphan that came to us with neither environment nor family is a stray, and nobody else is", async () => {
  const machine = new FakeMachine();
  machine.own.add(100);
  machine.put({ pid: 100, runId, parent: daemon });
  machine.put({ pid: 101, parent: daemon, birth: 7001 });
  machine.put({ pid: 102, parent: daemon, zombie: true });
  machine.put({ pid: 103, parent: daemon, session: daemon });
  machine.put({ pid: 104, parent: daemon, runId });
  machine.put({ pid: 105, parent: 1 });
  machine.put({ pid: 106, parent: daemon, group: 100, session: 100 });
  // A service that has just been started, and that nobody has asked about.
  machine.own.add(107);
  machine.put({ pid: 107, parent: daemon, birth: 7007 });
  // ssh to another machine.
  machine.besides.add(108);
  machine.put({ pid: 108, parent: daemon, birth: 7008 });
  await machine.members();
  expect(machine.families.strays()).toEqual([{ pid: 101, birth: 7001 }]);
});

test("to the first process of a container come the orphans of everybody, who are nobody's strays", async () => {
  for (const pid of [1, daemon]) {
    const machine = new FakeMachine(pid);
    machine.keepers.add(1);
    machine.put({ pid: 101, parent: 1 });
    await machine.members();
    expect(machine.families.strays()).toEqual([]);
  }
});

test("a zombie in our own session is Bun's, unless it is still there after two seconds", async () => {
  const machine = new FakeMachine(1);
  machine.put({ pid: 403, parent: 1, session: 1, zombie: true });
  machine.families.reapSoon();
  await machine.pass(1_900);
  expect(machine.reaped).toEqual([]);
  machine.put({ pid: 404, parent: 1, session: 1, zombie: true });
  await machine.pass(700);
  expect(machine.reaped).toEqual([403]);
  await machine.pass(3_000);
  expect(machine.reaped).toEqual([403, 404]);
});

test("a daemon before this one is like this one: no member, and its orphans are strays", async () => {
  const machine = new FakeMachine();
  machine.keepers.add(50);
  machine.put({ pid: 50, session: 50, runId });
  machine.put({ pid: 100, parent: 50, runId });
  machine.put({ pid: 101, parent: 50, session: 101, birth: 7001 });
  // A command of its own, and what it has become the parent of since it has its own session.
  machine.put({ pid: 102, parent: 50, session: 50 });
  expect(await machine.members()).toEqual([100]);
  expect(machine.families.strays()).toEqual([{ pid: 101, birth: 7001 }]);
});

test("zombies of a daemon before this one are never reaped here, and tell how they ended", async () => {
  const machine = new FakeMachine();
  machine.keepers.add(50);
  machine.put({ pid: 50, session: 50 });
  machine.put({ pid: 100, parent: 50, session: 100, zombie: true, exitStatus: 3 << 8 });
  await machine.members();
  expect(machine.reaped).toEqual([]);
  expect(machine.families.endingOf(100)).toEqual({ code: 3, signal: null });
});
