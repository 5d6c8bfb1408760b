/**
 * Seconds and a seed -> a project that is killed, edited and told contradictory things all that time, and what is left
 * of it then.
 */
import { readdirSync, readFileSync } from "node:fs";
import { mkdtemp, readdir, readFile, realpath, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { Row } from "../../src/cli/projects/asking.ts";
import { cli } from "../cli/cli.ts";
import { daemonPlace, endNow } from "./daemon-place.ts";
import { eventually } from "./eventually.ts";
import type { Random } from "./random.ts";
import { uniqueName } from "./servers.ts";

export type ChaosOptions = {
  seconds: number;
  random: Random;
  /** What is done, as it is done. */
  tell?: (text: string) => void;
};

export type ChaosReport = {
  /** How often each thing was done. */
  done: Record<string, number>;
  /** Sentences; none: exactly what should run runs, once, and no file is torn. */
  wrong: string[];
};

const services = ["a", "b", "c", "jobs", "many", "prepare"] as const;
/** Those that run where all is well: a task does not. */
const all = ["a", "b", "c", "jobs", "many-1", "many-2"];
const clients = 4;

function manifest(name: string, { extra, generation }: { extra: boolean; generation: number }) {
  const server = (service: string, more = "") =>
    `[services.${service}]
command = "exec python3 -u -m http.server --bind 127.0.0.1 $PORT"
env = { SERVICE = "${service}" }
${more}
`;
  return `[project]
name = "${name}"

${server("a")}
${server("b", 'depends_on = ["a", "prepare"]')}
${server("c", `restart = "always"\nbefore_start = "sleep 0.2"\nbefore_stop = "sleep 0.2"\nafter_stop = "sleep 0.1"`)}
${server("many", `instances = ${extra ? 3 : 2}\nstop_command = "kill $MAINPID"`)}
[services.prepare]
type = "task"
command = "sleep 0.3"
depends_on = ["a"]
env = { SERVICE = "prepare", GENERATION = "${Math.floor(generation / 4)}" }
[services.tick]
type = "worker"
command = "sleep 0.2"
schedule = "* * * * *"
[services.jobs]
type = "worker"
command = "while :; do echo work; sleep 0.1; done"
env = { SERVICE = "jobs", GENERATION = "${generation}" }
${extra ? server("extra") : ""}`;
}

/** A service's process -> which service, and which start of it. */
type Run = { pid: number; service: string; run: string };

export async function chaos({
  seconds,
  random,
  tell = () => {},
}: ChaosOptions): Promise<ChaosReport> {
  await using place = await daemonPlace({ apart: true });
  const name = uniqueName("chaos");
  const folder = await realpath(await mkdtemp(join(tmpdir(), "localhostess-chaos-")));
  const file = join(folder, "locald.toml");
  const env = {
    ...place.env,
    LOCALHOSTESS_PORT: "0",
    PATH: `${dirname(process.execPath)}:${process.env.PATH}`,
  };
  const run = (...args: string[]) => cli(args, { env, cwd: folder });
  const done: Record<string, number> = {};
  const did = (what: string): void => {
    done[what] = (done[what] ?? 0) + 1;
    tell(what);
  };
  const runs = (): Run[] => runsOf(place.directory);
  const wrong: string[] = [];
  /** Set when the services are up. */
  let end = 0;
  let generation = 0;

  const client = async (): Promise<void> => {
    while (Date.now() < end) {
      const words = random.pick([
        ["up"],
        ["up", "--no-wait"],
        ["up", random.pick(services)],
        ["stop", random.pick(services)],
        ["stop"],
        ["restart", random.pick(services)],
        ["status", "--json"],
      ]);
      did(words[0]!);
      const { code, err } = await run(...words);
      // Refused, because somebody else did the contrary, is an answer; anything else is none.
      if (code !== 0 && code !== 1) wrong.push(`${words.join(" ")} ended with ${code}: ${err}`);
    }
  };

  const hammer = async (): Promise<void> => {
    while (Date.now() < end || done["kill a service"] === undefined) {
      await Bun.sleep(50 + random.below(400));
      const dice = random.next();
      if (dice < 0.5) {
        const live = runs();
        if (live.length > 0) {
          const victim = random.pick(live);
          endNow(victim.pid);
          did("kill a service");
        }
      } else if (dice < 0.6) {
        const live = place.pids();
        if (live.length > 0) {
          endNow(random.pick(live));
          did("kill the daemon");
        }
      } else if (dice < 0.85) {
        await writeFile(
          file,
          manifest(name, { extra: random.chance(0.5), generation: ++generation }),
        );
        did("edit the file");
      } else {
        await writeFile(file, manifest(name, { extra: true, generation: 0 }).slice(0, 150));
        did("break the file");
      }
    }
  };

  try {
    await writeFile(file, manifest(name, { extra: false, generation }));
    const first = await run("up");
    if (first.code !== 0) throw new Error(first.err);
    end = Date.now() + seconds * 1_000;
    await Promise.all([hammer(), ...Array.from({ length: clients }, client)]);

    await writeFile(file, manifest(name, { extra: false, generation: -1 }));
    tell("and now, all is to run");
    await settled(["up"], all);
    const others = all.filter((service) => service !== "jobs");
    await settled(["stop", "jobs"], others);
    // What should run is known to the next daemon as well.
    for (const pid of place.pids()) endNow(pid);
    await eventually("the daemon ends", () => place.pids().length === 0);
    await settled(["server", "start", "--detach"], others);
    wrong.push(...(await tornFiles(place.directory)));
    await settled(["stop"], []);
    return { done, wrong };
  } finally {
    await run("stop");
    for (const pid of place.pids()) endNow(pid);
    for (const { pid } of runs()) endNow(pid);
    await rm(folder, { recursive: true, force: true });
  }

  /** After this command exactly these run: each once, ready, and as the daemon says. */
  async function settled(words: readonly string[], wanted: readonly string[]): Promise<void> {
    const { code, err } = await run(...words);
    if (code !== 0) wrong.push(`at last, ${words.join(" ")} ended with ${code}: ${err}`);
    let seen = "";
    try {
      await eventually(
        words.join(" "),
        async () => {
          const { out } = await run("status", "--json");
          const rows = (JSON.parse(out || "[]") as Row[]).filter((row) => row.project === name);
          const ready = rows.filter((row) => row.ready).map((row) => row.service);
          const live = runs();
          const starts = new Map(live.map((its) => [its.run, its.service]));
          const pids = rows.flatMap((row) => (row.pid === null ? [] : [row.pid]));
          const strays = pids.filter((pid) => !live.some((its) => its.pid === pid));
          seen = JSON.stringify({
            ready: ready.sort(),
            starts: [...starts.values()].sort(),
            strays,
          });
          return seen === JSON.stringify({ ready: wanted, starts: wanted, strays: [] });
        },
        20_000,
      );
    } catch {
      wrong.push(`after ${words.join(" ")}: ${seen}`);
    }
  }
}

function runsOf(directory: string): Run[] {
  return readdirSync("/proc")
    .filter((entry) => /^\d+$/.test(entry))
    .flatMap((entry) => {
      try {
        const variables = readFileSync(`/proc/${entry}/environ`, "latin1").split("\0");
        const value = (key: string) =>
          variables.find((its) => its.startsWith(`${key}=`))?.slice(key.length + 1);
        const [name, run] = [value("SERVICE"), value("LOCALHOSTESS_RUN_ID")];
        const instance = value("LOCALHOSTESS_INSTANCE");
        const service = instance === undefined ? name : `${name}-${instance}`;
        if (value("LOCALHOSTESS_STATE_DIR") !== directory) return [];
        return service === undefined || run === undefined
          ? []
          : [{ pid: Number(entry), service, run }];
      } catch {
        // It has ended, or is another user's.
        return [];
      }
    });
}

/** Files of the state directory that are not what they should be. */
async function tornFiles(directory: string): Promise<string[]> {
  const wrong: string[] = [];
  for (const name of ["state.json", "registry.json", "registration.json"]) {
    try {
      JSON.parse(await readFile(join(directory, name), "utf8"));
    } catch (error) {
      wrong.push(`${name}: ${(error as Error).message}`);
    }
  }
  for (const name of await readdir(join(directory, "logs"), { recursive: true })) {
    if (!name.endsWith(".log")) continue;
    const lines = (await readFile(join(directory, "logs", name), "utf8")).split("\n").slice(0, -1);
    const odd = lines.find((line) => !/^\d{4}-\d\d-\d\dT[\d:.]+Z (?:stdout|stderr) /.test(line));
    if (odd !== undefined) wrong.push(`${name}: ${JSON.stringify(odd)}`);
  }
  for (const name of await readdir(directory)) {
    if (!name.endsWith(".tmp")) continue;
    // What a killed daemon had half written goes with the next start of one after a minute.
    const age = Date.now() - (await stat(join(directory, name))).mtimeMs;
    if (age > 120_000) wrong.push(`left behind: ${name}`);
  }
  return wrong;
}
