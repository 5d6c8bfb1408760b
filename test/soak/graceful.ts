/**
 * Each command line of `test/support/graceful.ts`, in a terminal and behind pipes, ended in each way. By hand:
 * `bun test/soak/graceful.ts`. Exits 1 where a program was not let end in its own time.
 */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { eventually } from "../support/eventually.ts";
import {
  common,
  cycles,
  graceful,
  haveSaid,
  otherExits,
  rare,
  saidOther,
} from "../support/graceful.ts";

let isWell = true;

/** Prints what should be empty. */
function told(way: string, ...wrong: object[]): void {
  console.log(way, ...wrong);
  if (wrong.some((its) => Object.keys(its).length > 0)) isWell = false;
}

const all = { ...common, ...rare };
{
  await using its = await graceful({ lines: all, keys: 'type = "worker"\nwatch = ["touched"]' });
  const { run, start } = its.place.daemon;
  await run("up", its.folder, "--timeout", "4m");
  await run("restart", its.project);
  told("restart", await haveSaid(its, [...cycles(1), "app up"]), await otherExits(its));
  await writeFile(join(its.folder, "touched"), "");
  told("watch", await haveSaid(its, [...cycles(2), "app up"]), await otherExits(its));
  await run("server", "stop");
  told("the daemon's end", its.pids());
  await start();
  told("the next daemon", await haveSaid(its, [...cycles(3), "app up"]));
  await run("stop", its.project);
  told("stop", its.pids(), await saidOther(its, cycles(4)), await otherExits(its));
}
{
  await using its = await graceful({ lines: all, keys: 'lazy = false\nidle_timeout = "1s"' });
  await its.place.daemon.run("up", its.folder, "--timeout", "4m");
  const sleep = async () => (await its.place.rows()).every(({ state }) => state === "stopped");
  await eventually("all sleep", sleep, 140_000);
  told("idle", its.pids(), await saidOther(its, cycles(1)), await otherExits(its));
}
process.exit(isWell ? 0 : 1);
