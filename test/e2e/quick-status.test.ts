/**
 * `up` of twenty services of every kind, and `Status` asked all the while. On a busy machine, an answer waits for a
 * processor: the time that the daemon could run and did not, and what a process beside it takes that only echoes, are
 * the machine's. The rest is the daemon's own.
 */
import { expect, test } from "bun:test";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { ask } from "../../src/control/found/client.ts";
import type { SupervisedStatus } from "../../src/routes/project-report.ts";
import { type ProjectPlace, projectPlace } from "../support/project-place.ts";

/** Milliseconds. */
const most = 50;
/** Whoever measures wants to see the numbers. */
const tells = process.env.LOCALHOSTESS_TELL !== undefined;

const serve = "exec python3 -m http.server --bind 127.0.0.1 $PORT";
const many = (count: number, table: (at: number) => string): string =>
  Array.from({ length: count }, (_, at) => table(at + 1)).join("");

const toml = `[project]
name = "twenty"
${many(2, (at) => `[services.db${at}]\ntype = "postgres"\nversion = 15\n`)}
${many(2, (at) => `[services.cache${at}]\ntype = "redis"\n`)}
[services.search]
type = "container"
image = "no-such-image:1"
port = 7700
[services.migrate]
type = "task"
command = "echo $DATABASE_URL | cut -c1-11"
depends_on = ["db1"]
[services.assets]
type = "task"
command = "sleep 0.3"
${many(6, (at) => `[services.api${at}]\ncommand = "${serve}"\n`)}
[services.late]
command = "sleep 1; ${serve}"
depends_on = ["api1", "assets"]
${many(3, (at) => `[services.jobs${at}]\ntype = "worker"\ncommand = "while echo line; do sleep 0.05; done"\n`)}
${many(2, (at) => `[services.docs${at}]\ntype = "site"\npath = "docs"\n`)}
[services.strange]
type = "nobody-knows"
`;

/** A process that answers each connection on a socket with one line, as the daemon does. */
const echo = `Bun.listen({ unix: process.argv[1], socket: { data: (socket) => void socket.end("[]\\n") } });
console.log("listens");`;

/** Milliseconds, of one question after the other: until the answer, and meanwhile. */
type Samples = { answered: number[]; echo: number[]; queued: number[]; ran: number[] };

/** Milliseconds that a process has waited for a processor: proc(5), schedstat. */
async function processorOf(pid: number): Promise<{ ran: number; waited: number }> {
  const [ran, waited] = (await readFile(`/proc/${pid}/schedstat`, "utf8")).split(" ");
  return { ran: Number(ran) / 1e6, waited: Number(waited) / 1e6 };
}

async function timed(action: () => Promise<unknown>): Promise<number> {
  const before = performance.now();
  await action();
  return performance.now() - before;
}

/** The daemon and the process beside it are asked at once, so that each is slowed down by what slows the other. */
async function sampled(
  place: ProjectPlace,
  { echoes, isOver }: { echoes: string; isOver: () => boolean },
): Promise<{ socket: Samples; http: Samples }> {
  const found = await place.daemon.find();
  if (found.kind !== "healthy") throw new Error(found.kind);
  const { socket, url, pid } = found.registration;
  const credential = (await readFile(join(place.daemon.directory, "credential"), "utf8")).trim();
  const headers = { Authorization: `Bearer ${credential}` };
  const heard = async (path: string): Promise<void> => {
    const asked = await ask(path, "Status", { deadline: 20_000 });
    if (asked.kind === "failed") throw new Error(asked.why);
  };
  const ways = {
    socket: () => heard(socket),
    http: async () => (await fetch(`${url}/v1/status`, { headers })).json(),
  };
  const none = (): Samples => ({ answered: [], echo: [], queued: [], ran: [] });
  const samples = { socket: none(), http: none() };
  while (!isOver()) {
    for (const way of ["socket", "http"] as const) {
      const before = await processorOf(pid);
      const [answered, echo] = await Promise.all([timed(ways[way]), timed(() => heard(echoes))]);
      const after = await processorOf(pid);
      samples[way].answered.push(answered);
      samples[way].echo.push(echo);
      samples[way].queued.push(after.waited - before.waited);
      samples[way].ran.push(after.ran - before.ran);
    }
    await Bun.sleep(5);
  }
  return samples;
}

const sum = (values: readonly number[]): number => values.reduce((all, one) => all + one, 0);

function at(share: number, values: readonly number[]): number {
  const sorted = [...values].sort((one, other) => one - other);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))]!;
}

function told(samples: Readonly<Record<string, readonly number[]>>): string {
  return Object.entries(samples)
    .map(([name, values]) => {
      const [half, most_, all] = [0.5, 0.95, 1].map((share) => at(share, values).toFixed(1));
      return `${name} ${half}/${most_}/${all}`;
    })
    .join(", ");
}

test("Status is answered within 50 ms all the while that twenty services of every kind come up", async () => {
  await using place = await projectPlace();
  const directory = await place.project("twenty", toml);
  await mkdir(join(directory, "docs"));
  await writeFile(join(directory, "docs/index.html"), "docs");
  const echoes = join(place.daemon.directory, "echo.sock");
  const beside = Bun.spawn([process.execPath, "-e", echo, echoes], {
    stdio: ["ignore", "pipe", "inherit"],
    detached: true,
  });
  try {
    await beside.stdout.getReader().read();
    let asked = 0;
    const idle = await sampled(place, { echoes, isOver: () => asked++ === 20 });
    let isUp = false;
    const upping = place.up(directory, { patience: 30_000 }).finally(() => {
      isUp = true;
    });
    const samples = await sampled(place, { echoes, isOver: () => isUp });
    await upping;
    const rows: SupervisedStatus[] = await place.rows();
    expect(rows).toHaveLength(20);
    // Without an engine and a known type, two cannot; databases need their programs.
    const others = ["migrate", "strange", "search", "db1", "db2", "cache1", "cache2"];
    const isUpNow = ({ state }: SupervisedStatus) => state === "ready" || state === "completed";
    const missing = rows.filter((row) => !isUpNow(row) && !others.includes(row.service!));
    expect(missing.map(({ message }) => message)).toEqual([]);
    for (const [way, its] of Object.entries(samples)) {
      const { answered, echo, queued, ran } = its;
      const own = answered.map((value, index) => value - echo[index]! - queued[index]!);
      // A daemon that gets a tenth of a processor has ten times as much to do in each of its turns; what one answer in
      // twenty takes then says more of the machine than of the daemon.
      const [waited, worked] = [sum(queued), sum(ran)];
      const [share, limit] = waited < worked ? [0.95, most] : [0.5, most * (1 + waited / worked)];
      const words = `${way}: ${told({ ...its, own })}; limit ${limit.toFixed(0)} of ${share}`;
      if (tells) console.log(`${words}; idle: ${told(idle[way as keyof typeof idle])}`);
      expect(answered.length).toBeGreaterThan(5);
      expect([at(share, own) < limit, words]).toEqual([true, words]);
    }
  } finally {
    beside.kill();
    await beside.exited;
  }
}, 180_000);
