/** A project of eight, and a number of rounds -> the faults after its daemon was killed at a moment of each `up`. */
import { endNow } from "./daemon-place.ts";
import { eventually } from "./eventually.ts";
import type { Random } from "./random.ts";
import { names, type WholeProject } from "./whole-project.ts";

export type KilledOptions = {
  rounds: number;
  random: Random;
  /** Milliseconds that an `up` takes here; undefined: it is measured first. */
  takes?: number;
  /** Told of each round, with the moment. */
  say?: (text: string) => void;
};

/** Sentences, none of which is as it has to be; each with the seed, so that it can be done again. */
export async function killedDuringUp(
  project: WholeProject,
  { rounds, random, takes, say = () => {} }: KilledOptions,
): Promise<string[]> {
  const { daemon, run } = project;
  const wrong: string[] = [];
  let longest = takes ?? 0;
  for (let round = takes === undefined ? 0 : 1; round <= rounds; round++) {
    const stopped = await run("stop");
    if (stopped.code !== 0)
      wrong.push(`round ${round}: stop ended with ${stopped.code}: ${stopped.err}`);
    const left = [...project.processes(), ...(await project.containers())];
    if (left.length > 0) wrong.push(`round ${round}: stop left ${left.join("; ")}`);
    if (round === 0) {
      // How long an `up` takes here, now.
      const start = performance.now();
      await run("up");
      longest = performance.now() - start;
      continue;
    }
    const moment = Math.round(random.next() * longest);
    const going = run("up");
    await Bun.sleep(moment);
    const killed = daemon.pids();
    for (const pid of killed) endNow(pid);
    say(
      `round ${round}, seed ${random.seed}: killed ${killed.length} after ${moment} of ${Math.round(longest)} ms`,
    );
    const interrupted = await going;
    const at = `seed ${random.seed}, round ${round}, killed after ${moment} ms`;
    await eventually("the killed daemon has gone", () =>
      killed.every((pid) => !daemon.pids().includes(pid)),
    );
    const { code, err } = await run("up");
    if (code !== 0) {
      wrong.push(
        `${at}: the next up ended with ${code}: ${err} (the one before with ${interrupted.code})`,
      );
      continue;
    }
    wrong.push(...(await faults(project)).map((what) => `${at}: ${what}`));
  }
  return wrong;
}

async function faults(project: WholeProject): Promise<string[]> {
  const wrong: string[] = [];
  const rows = await project.rows();
  for (const name of names) {
    const state = rows.get(name)?.state;
    if (state !== (name === "migrate" ? "completed" : "ready")) wrong.push(`${name} is ${state}`);
  }
  const containers = await project.containers();
  if (containers.join() !== "files") wrong.push(`containers: ${containers.join(", ")}`);
  const masters = project.processes().filter((line) => /\/postgres -D|\/bin\/postgres /.test(line));
  if (masters.length !== 1) wrong.push(`${masters.length} postmasters: ${masters.join("; ")}`);
  const committed = await project.committed();
  const { goods, orders } = await project.shop();
  if (goods.join() !== "kettle") wrong.push(`goods: ${goods.join(", ")}`);
  const there = new Set(orders);
  const lost = committed.filter((id) => !there.has(id));
  if (lost.length > 0)
    wrong.push(`${lost.length} committed rows are lost: ${lost.slice(0, 5).join(", ")}`);
  return wrong;
}
