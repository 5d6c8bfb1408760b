import { afterAll, describe, expect, test } from "bun:test";
import type { Seen } from "../../src/supervisor/census.ts";
import type { Run } from "../../src/supervisor/family.ts";
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
