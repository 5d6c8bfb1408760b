/**
 * Seconds and a seed -> a web service behind three migrations, all of which are edited, restarted and killed at random
 * for that time, and whatever went wrong.
 */
import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import type { SupervisedStatus } from "../../src/routes/project-report.ts";
import { eventually } from "./eventually.ts";
import { endNow } from "./daemon-place.ts";
import { projectPlace, server } from "./project-place.ts";
import type { Random } from "./random.ts";

export type TaskWalkOptions = {
  seconds: number;
  /** Seconds that the slow migration takes. */
  slow: number;
  random: Random;
};

export type TaskWalkReport = {
  /** How often each thing was done. */
  done: Record<string, number>;
  /** Starts of the web service. */
  starts: number;
  wrong: string[];
};

const tasks = ["slow", "quick", "flaky"] as const;
/** Restarts after which it is killed no more, until it is started anew: a few more, and it would be given up. */
const mostRestarts = 6;
const atOnce = 4;

type Generations = Record<"web" | (typeof tasks)[number], number>;

function manifest(slow: number, generations: Generations): string {
  const task = (name: (typeof tasks)[number], command: string) => `[services.${name}]
type = "task"
command = "${command} && echo ${name} >> done"
env = { GENERATION = "${generations[name]}" }
inputs = ["${name}.sql"]
`;
  return `[project]
name = "walk"
${task("slow", `sleep ${slow}`)}
${task("quick", "sleep 0.2")}
${task("flaky", "sleep 0.1; test ! -e broken")}
[services.web]
command = '''echo web >> done; ${server.replace("bun", process.execPath)}'''
env = { GENERATION = "${generations.web}" }
depends_on = ["slow", "quick", "flaky"]
watch = ["*.txt"]
`;
}

export async function taskWalk({
  seconds,
  slow,
  random,
}: TaskWalkOptions): Promise<TaskWalkReport> {
  await using place = await projectPlace();
  const generations: Generations = { web: 0, slow: 0, quick: 0, flaky: 0 };
  const folder = await place.project("walk", manifest(slow, generations));
  const path = (name: string) => join(folder, name);
  const journal = async () => (await readFile(path("done"), "utf8").catch(() => "")).split("\n");
  const done: Record<string, number> = {};
  const wrong = new Set<string>();
  const under = new Set<Promise<unknown>>();
  let wasReady = false;

  const begin = (work: Promise<unknown>): void => {
    const its = work.catch((error: Error) => void wrong.add(`refused: ${error.message}`));
    under.add(its);
    void its.then(() => under.delete(its));
  };
  const save = () => place.write(path("locald.toml"), manifest(slow, generations));
  const kill = async (id: string): Promise<void> => {
    const { pid, restarts } = await place.row(`walk:${id}`);
    if (pid !== null && restarts < mostRestarts) endNow(pid);
  };

  const actions: Record<string, () => unknown> = {
    "edit the declaration of web": async () => {
      generations.web++;
      await save();
    },
    "edit the declaration of a task": async () => {
      generations[random.pick(tasks)]++;
      await save();
    },
    "save a watched file": () => place.write(path("a.txt"), String(random.next())),
    "save an input": () => place.write(path(`${random.pick(tasks)}.sql`), String(random.next())),
    "restart web": () => {
      begin(place.lines({ Restart: { name: "walk:web" } }));
    },
    "restart a task": () => {
      begin(place.lines({ Restart: { name: `walk:${random.pick(tasks)}` } }));
    },
    "restart all": () => {
      begin(place.lines({ Start: { project_path: folder, restart: true } }));
    },
    up: () => {
      begin(place.up(folder));
    },
    "up --tasks": () => {
      begin(place.up(folder, { tasks: true }));
    },
    "kill web": () => kill("web"),
    "kill a task": () => kill(random.pick(tasks)),
    "break or mend": () =>
      random.chance(0.5) ? rm(path("broken"), { force: true }) : place.write(path("broken"), ""),
  };

  const look = ({ state, why }: SupervisedStatus): void => {
    if (state === "ready") wasReady = true;
    if (!wasReady) return;
    const isDown = state === "stopped" || state === "exited" || state === "failed";
    const waits = state === "starting" && why?.includes("waits for") === true;
    if (isDown || waits) wrong.add(`web was left down: ${state}, ${why}`);
  };

  const walk = async (): Promise<void> => {
    const end = performance.now() + seconds * 1000;
    const names = Object.keys(actions);
    while (performance.now() < end) {
      const what = random.pick(names);
      if (under.size < atOnce) {
        done[what] = (done[what] ?? 0) + 1;
        await actions[what]!();
      }
      await Bun.sleep(20 + random.below(200));
      look(await place.row("walk:web"));
    }
  };

  // The last of them fails, so that the service waits.
  await place.write(path("broken"), "");
  const first = (await place.up(folder)).at(-1);
  if (!JSON.stringify(first).includes("walk:flaky ended with exit code 1")) {
    wrong.add(`a failing migration was not told: ${JSON.stringify(first)}`);
  }
  if ((await journal()).includes("web"))
    wrong.add("web was started behind a migration that failed");
  await walk();
  await rm(path("broken"), { force: true });
  await Promise.all(under);

  const again = (await place.up(folder)).at(-1);
  if (again !== "Ok") wrong.add(`at last, up ended with ${JSON.stringify(again)}`);
  let last: SupervisedStatus | undefined;
  await eventually("web is ready", async () => {
    last = await place.row("walk:web");
    look(last);
    return last.ready && last.warnings.length === 0;
  }).catch(() => wrong.add(`at last, web is ${JSON.stringify(last)}`));
  const lines = await journal();
  const start = lines.indexOf("web");
  for (const task of tasks) {
    const completed = lines.indexOf(task);
    if (completed === -1 || completed > start)
      wrong.add(`web was started before ${task} had succeeded`);
  }
  return { done, starts: lines.filter((line) => line === "web").length, wrong: [...wrong] };
}
