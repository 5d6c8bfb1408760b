/**
 * Projects of 10 and of 200 services, and one more added to each -> the time, processor and memory that the
 * daemon takes; and how soon it answers `Status` meanwhile. By hand: `bun test/bench/many-services.ts
 * [services]`. Linux, by /proc.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { ask } from "../../src/control/found/client.ts";
import { projectPlace, type ProjectPlace } from "../support/project-place.ts";

const many = Number(process.argv[2] ?? 200);

/**
 * Processor time of a process in seconds, without its children's, and its memory in MiB. proc_pid_stat(5), USER_HZ
 * of 100.
 */
function taken(pid: number): { cpu: number; memory: number } {
  const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return { cpu: (Number(fields[11]) + Number(fields[12])) / 100, memory: Number(fields[21]) / 256 };
}

function toml(count: number): string {
  const services = Array.from(
    { length: count },
    (_, at) => `[services.s${at}]\ntype = "worker"\ncommand = "exec sleep 10000"\n`,
  );
  return `[project]\nname = "bench"\n${services.join("")}`;
}

async function timed<T>(work: () => Promise<T>): Promise<{ seconds: number; value: T }> {
  const began = performance.now();
  const value = await work();
  return { seconds: (performance.now() - began) / 1000, value };
}

/** Milliseconds that each `Status` took while something else goes on. */
async function answersDuring(place: ProjectPlace, work: Promise<unknown>): Promise<number[]> {
  const found = await place.daemon.find();
  if (found.kind !== "healthy") throw new Error(found.kind);
  const { socket } = found.registration;
  const answers: number[] = [];
  let over = false;
  void work.finally(() => {
    over = true;
  });
  while (!over) {
    const { seconds } = await timed(() => ask(socket, "Status", { deadline: 10_000 }));
    answers.push(seconds * 1000);
    await Bun.sleep(20);
  }
  await work;
  return answers.sort((a, b) => a - b);
}

async function measured(count: number) {
  await using place = await projectPlace();
  const [pid] = place.daemon.pids();
  const directory = await place.project("bench", toml(count));
  const idle = taken(pid!);
  const up = await timed(() => place.up(directory));
  if (up.value.at(-1) !== "Ok") throw new Error(JSON.stringify(up.value.at(-1)));
  const started = taken(pid!);
  await place.write(join(directory, "locald.toml"), toml(count + 1));
  await place.until(`bench:s${count}`, (row) => row !== undefined);
  await place.send({ Stop: { name: `bench:s${count}` } });
  // Its first line of life, without the second that a worker has to live to be ready.
  const before = taken(pid!).cpu;
  const one = await timed(async () => {
    const adding = place.up(directory, { services: [`s${count}`] });
    await adding;
  });
  const added = taken(pid!).cpu - before;
  await Bun.sleep(1000);
  const rest = taken(pid!).cpu;
  await Bun.sleep(5000);
  const resting = (taken(pid!).cpu - rest) / 5;
  const down = await timed(() => place.send("StopAll"));
  const end = taken(pid!);
  return {
    services: count,
    "up, s": up.seconds.toFixed(2),
    "CPU of up, s": (started.cpu - idle.cpu).toFixed(2),
    "memory, MiB": `${idle.memory.toFixed(0)} -> ${started.memory.toFixed(0)}`,
    "one more, s": one.seconds.toFixed(2),
    "CPU of it, s": added.toFixed(2),
    "CPU at rest, %": (resting * 100).toFixed(1),
    "down, s": down.seconds.toFixed(2),
    "CPU of down, s": (end.cpu - rest - resting * 5).toFixed(2),
  };
}

/** Ten services start, stop and print as fast as they can, again and again. */
async function answering() {
  await using place = await projectPlace();
  const services = Array.from(
    { length: 10 },
    (_, at) =>
      `[services.s${at}]\ntype = "worker"\ncommand = "while :; do echo a line of a service that prints a lot; done"\n`,
  );
  const directory = await place.project("busy", `[project]\nname = "busy"\n${services.join("")}`);
  const work = (async () => {
    for (let round = 0; round < 3; round++) {
      await place.up(directory);
      await place.send({ Restart: { name: "busy" } });
      await place.send({ Stop: { name: "busy" } });
    }
  })();
  const answers = await answersDuring(place, work);
  const at = (part: number) => answers[Math.floor(answers.length * part)]!.toFixed(1);
  return {
    answers: answers.length,
    "median, ms": at(0.5),
    "99 %, ms": at(0.99),
    "most, ms": answers.at(-1)!.toFixed(1),
  };
}

console.table([await measured(10), await measured(many)]);
console.table([await answering()]);
