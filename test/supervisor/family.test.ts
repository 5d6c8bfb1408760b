import { afterAll, describe, expect, test } from "bun:test";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runIdIn, type Seen } from "../../src/supervisor/family/census.ts";
import type { Run } from "../../src/supervisor/family/family.ts";
import { eventually } from "../support/eventually.ts";
import { plainEnv } from "./children.ts";
import { exists, Keeper, marked, runs } from "./keepers.ts";

/** Whoever forks twice with a session between leaves group, session and parent. */
const daemonize = (then: string) =>
  `python3 -c 'import os
if os.fork() == 0:
  os.setsid()
  if os.fork() == 0:
    ${then}
  os._exit(0)
os.wait()'`;

/** `count` processes of each are `sleep MARK`. */
const trees: Record<string, { command: string; count: number }> = {
  "a shell that ignores SIGTERM": {
    command: "trap '' TERM; while :; do sleep MARK; done",
    count: 1,
  },
  "a child in the same group": { command: "sleep MARK & sleep MARK; :", count: 2 },
  "a child of setsid": { command: "setsid sleep MARK & sleep MARK; :", count: 2 },
  "a daemon that forked twice": {
    command: `${daemonize('os.execvp("sleep", ["sleep", "MARK"])')}; sleep MARK; :`,
    count: 2,
  },
  "a daemon that forked twice and ignores SIGTERM": {
    command: `${daemonize('import signal; signal.signal(15, signal.SIG_IGN); os.execvp("sleep", ["sleep", "MARK"])')}; sleep MARK; :`,
    count: 2,
  },
  "a daemon that forked twice without its environment": {
    command: `exec env -i PATH=$PATH ${daemonize('os.execvpe("sleep", ["sleep", "MARK"], {})')} & sleep MARK; :`,
    count: 2,
  },
  "an orphan that holds stdout": { command: "(trap '' HUP; sleep MARK &); exit 0", count: 1 },
  "two hundred sleeps": {
    command: "for i in $(seq 200); do sleep MARK & done; wait",
    count: 200,
  },
  "a child without its environment": { command: "env -i sleep MARK & sleep MARK; :", count: 2 },
  "a child that is stopped": {
    command: "sleep MARK & sleep 0.2; kill -STOP $!; sleep MARK; :",
    count: 2,
  },
  "the descendants of one that left": {
    command: "setsid sh -c 'sleep MARK & env -i sleep MARK; :' & sleep MARK; :",
    count: 3,
  },
};

let marks = 0;

/** sleep(1) takes it, and nobody else has it. */
function newMark(): string {
  return `${1000 + marks++}.${process.pid}${Math.floor(Math.random() * 1e9)}`;
}

async function start(
  keeper: Keeper,
  tree: { command: string; count: number },
  { pty }: { pty: boolean },
): Promise<{ run: Run; pids: number[] }> {
  const mark = newMark();
  const run = await keeper.ask<Run>({
    do: "start",
    command: tree.command.replaceAll("MARK", mark),
    pty,
    env: plainEnv,
  });
  const sleeping = () => marked(`sleep\0${mark}`, { whole: true });
  await eventually("all are up", () => sleeping().length === tree.count);
  return { run, pids: marked(mark) };
}

function isStopped(pid: number): boolean {
  return /\) T /.test(readFileSync(`/proc/${pid}/stat`, "latin1"));
}

const keepers: Keeper[] = [];
afterAll(async () => {
  for (const keeper of keepers) await keeper.kill();
});

function newKeeper(): Keeper {
  const keeper = new Keeper();
  keepers.push(keeper);
  return keeper;
}

type Answer = { kind: "ended" | "left"; took: number; longest: number };

for (const pty of [true, false]) {
  describe(pty ? "with a terminal" : "with pipes", () => {
    const keeper = newKeeper();
    for (const [name, tree] of Object.entries(trees)) {
      test(`after the end nobody is left: ${name}`, async () => {
        const { run, pids } = await start(keeper, tree, { pty });
        const order = { do: "end", run, signal: "SIGTERM", timeout: 300 } as const;
        expect(await keeper.ask<Answer>(order)).toMatchObject({ kind: "ended" });
        expect(pids.filter(exists)).toEqual([]);
        expect(await keeper.ask<Seen[]>({ do: "children" })).toEqual([]);
      });
    }
  });
}

/** Perl, as nginx and setproctitle do, writes a title over its arguments and over the environment behind them. */
const titled: Record<string, { script: string; count: number }> = {
  "itself alone": { script: "sleep 1000", count: 1 },
  "with children": { script: "for (1 .. 3) { fork or sleep 1000 } sleep 1000", count: 4 },
  "with a child of a session of its own": {
    script: "if (!fork) { POSIX::setsid(); sleep 1000 } sleep 1000",
    count: 2,
  },
  "with a daemon that forked twice": {
    script: "if (!fork) { POSIX::setsid(); exit if fork; sleep 1000 } wait; sleep 1000",
    count: 2,
  },
};

for (const pty of [true, false]) {
  for (const [name, { script, count }] of Object.entries(titled)) {
    const where = pty ? "on a terminal" : "on pipes";
    test(`the next daemon leaves nobody who has written over its environment, ${where}: ${name}`, async () => {
      const first = newKeeper();
      const mark = newMark();
      const command = `exec perl -MPOSIX -e '$0 = "${mark} " x 500; ${script}'`;
      const began = await first.ask<Run>({ do: "start", command, pty, env: plainEnv });
      const pids = () => marked(`${mark} ${mark}`);
      await eventually("all are up", () => pids().length === count);
      let run = began;
      let all: number[] = [];
      await eventually("all are known", async () => {
        run = await first.ask<Run>({ do: "kept", run: began });
        all = pids();
        const known = String(run.members?.map(({ pid }) => pid).sort());
        // One that is between its two forks may count twice.
        return all.length === count && known === String(all.sort());
      });
      for (const pid of all) expect(runIdIn(readFileSync(`/proc/${pid}/environ`))).toBe(undefined);
      await first.kill();
      const second = newKeeper();
      const order = { do: "end", run, signal: "SIGTERM", timeout: 1000 } as const;
      expect(await second.ask<Answer>(order)).toMatchObject({ kind: "ended" });
      expect(all.filter(runs)).toEqual([]);
      await second.kill();
    });
  }
}

for (const pty of [true, false]) {
  const where = pty ? "on a terminal" : "on pipes";
  test(`what a daemon held when it was killed goes on, and is ended, by the next one: ${where}`, async () => {
    const first = newKeeper();
    const mark = newMark();
    const folder = mkdtempSync(join(tmpdir(), "localhostess-held-"));
    // Ends when it is asked for the second time; the terminal's end does not move it.
    const command = `trap '' HUP; python3 -c '
import signal, sys, time # ${mark}
asked = []
def term(*_):
    asked.append(1)
    open("${folder}/asked", "a").write("x")
    if len(asked) > 1: sys.exit(0)
signal.signal(signal.SIGTERM, term)
open("${folder}/up", "w")
while True: time.sleep(1)'; echo next > ${folder}/next`;
    const run = await first.ask<Run>({ do: "start", command, pty, env: plainEnv });
    await eventually("it is up", () => existsSync(`${folder}/up`));
    const pids = marked(mark);
    expect(pids).toHaveLength(2);
    const order = { do: "end", run, signal: "SIGTERM", timeout: 60_000 } as const;
    const lost = first.ask(order).catch(() => "the keeper has ended");
    await eventually("it was asked", () => existsSync(`${folder}/asked`));
    expect(isStopped(run.pid)).toBe(true);
    await first.kill();
    await lost;
    const second = newKeeper();
    expect(await second.ask<Answer>(order)).toMatchObject({ kind: "ended" });
    expect(pids.filter(runs)).toEqual([]);
    expect(readFileSync(`${folder}/asked`, "utf8")).toBe("xx");
    expect(existsSync(`${folder}/next`)).toBe(false);
    await second.kill();
    rmSync(folder, { recursive: true });
  });
}

test("orphans without environment, group and parent end with the service that they came from, and no other does", async () => {
  const keeper = newKeeper();
  const orphan = {
    command: `env -i PATH=$PATH ${daemonize('os.execvpe("sleep", ["sleep", "MARK"], {})')}; exec sleep MARK`,
    count: 2,
  };
  // At the same moment, and nobody has looked at either before both are orphans.
  const [one, other] = await Promise.all([
    start(keeper, orphan, { pty: true }),
    start(keeper, orphan, { pty: false }),
  ]);
  const order = { do: "end", signal: "SIGTERM", timeout: 5000 } as const;
  expect(await keeper.ask<Answer>({ ...order, run: one.run })).toMatchObject({ kind: "ended" });
  expect(one.pids.filter(exists)).toEqual([]);
  expect(other.pids.filter(runs)).toHaveLength(2);
  await keeper.kill();
  // The next daemon knows it by the run id alone.
  const second = newKeeper();
  expect(await second.ask<Answer>({ ...order, run: other.run })).toMatchObject({ kind: "ended" });
  expect(other.pids.filter(runs)).toEqual([]);
  await second.kill();
});

for (const [name, tree] of Object.entries(trees)) {
  test(`the next daemon, which knows pid, start and run id, leaves nobody: ${name}`, async () => {
    const first = newKeeper();
    const { run, pids } = await start(first, tree, { pty: name.length % 2 === 0 });
    await first.kill();
    const second = newKeeper();
    const order = { do: "end", run, signal: "SIGTERM", timeout: 300 } as const;
    expect(await second.ask<Answer>(order)).toMatchObject({ kind: "ended" });
    expect(pids.filter(runs)).toEqual([]);
    await second.kill();
  });
}
