/**
 * A daemon, a server with a backlog of 5, and 8 sessions that have 3,900 streams each reset at once, in every way
 * there is; beside it, requests of others. By hand: `bun test/soak/rapid-reset.ts [part of a name] [repository]`.
 * Linux, by /proc. Exits 1 where a request of others takes 250 ms more than without a flood, the daemon has 1,000
 * descriptors, or a session is not ended.
 */
import { readdirSync, readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { freePort } from "../bench/ready.ts";
import { eventually } from "../support/eventually.ts";
import { floodBytes, floodingSession, floods } from "../support/reset-flood.ts";
import { type Running, running } from "../support/running.ts";

const sessions = 8;
const streams = 3_900;
/** Seconds that the server takes for an answer. */
const answerSeconds = 0.005;
const probeMilliseconds = 10;
/** Milliseconds for which others ask on behind a flood. */
const watched = 5_000;
const mostMilliseconds = 250;
const mostDescriptors = 1_000;
/** Milliseconds for a session's end. */
const patience = 10_000;

/** Milliseconds that requests took without a flood: the front page waits for a scan, and these have pauses. */
const unflooded: Record<string, number> = {};

type Asked = { port: number; flood: number };

/** Processor time of a process in all, in steps of 10 ms. proc_pid_stat(5). */
function cpuMilliseconds(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, "latin1")
    .replace(/^.*\) /, "")
    .split(" ");
  return 10 * (Number(fields[11]) + Number(fields[12]));
}

if (process.argv[2] === "attack") await attack(JSON.parse(process.argv[3]!) as Asked);
else await main();

/** A client process of its own, with all the sessions. Begins when it is told to. */
async function attack({ port, flood: index }: Asked): Promise<void> {
  const bytes = floodBytes(floods[index]!, { count: streams, authority: "slow.localhost" });
  const connect = () => floodingSession(port, "slow.localhost");
  const attackers = await Promise.all(Array.from({ length: sessions }, connect));
  console.log("ready");
  for await (const _ of Bun.stdin.stream()) break;
  const ends = await Promise.all(attackers.map((its) => its.send(bytes, patience)));
  const ended = ends.filter(({ goAway, closed }) => goAway !== undefined || closed).length;
  console.log(`ended ${ended} ${ends.map(({ goAway }) => goAway ?? "-").join(" ")}`);
  process.exit(0);
}

async function main(): Promise<void> {
  const [part = "", repository = resolve(import.meta.dir, "../..")] = process.argv.slice(2);
  const directory = await mkdtemp(join(tmpdir(), "localhostess-flood-"));
  const port = freePort();
  const started: Running[] = [];
  const start = async (argv: readonly string[], env: Record<string, string>, ready: RegExp) => {
    const program = await running(argv, { env, ready });
    started.push(program);
    return program;
  };
  let failed = false;
  try {
    const python = [join(import.meta.dir, "single-thread.py"), "0"];
    await start(["python3", ...python, String(answerSeconds)], { NAME: "slow" }, /listens/);
    await start(["python3", ...python, "0"], { NAME: "other" }, /listens/);
    const daemon = await start(
      [process.execPath, join(repository, "src/main.ts"), "server", "start", "--port", `${port}`],
      {
        LOCALHOSTESS_STATE_DIR: directory,
        LOCALHOSTESS_HTTP_PORT: "off",
        LOCALHOSTESS_HTTPS_PORT: "off",
      },
      /./,
    );
    for (const name of ["slow", "other"]) {
      await eventually(`${name} is found`, async () => (await ask(port, name)) === 200);
    }
    // What the machine does by itself.
    await watch("nothing", { port, index: undefined, pid: daemon.pid });
    for (const [index, { name }] of floods.entries()) {
      if (!name.includes(part)) continue;
      failed = !(await watch(name, { port, index, pid: daemon.pid })) || failed;
    }
  } finally {
    for (const program of started.reverse()) await program.end();
    await rm(directory, { recursive: true, force: true });
  }
  process.exitCode = failed ? 1 : 0;
}

/** One request, on a connection of its own. @returns its status. */
async function ask(port: number, name: string): Promise<number> {
  const host = name === "" ? "localhost" : `${name}.localhost`;
  try {
    const { status, body } = await fetch(`http://127.0.0.1:${port}/`, {
      headers: { Host: host, Connection: "close" },
      signal: AbortSignal.timeout(90_000),
    });
    await body?.cancel();
    return status;
  } catch {
    // The connection was broken off, or nothing came.
    return 0;
  }
}

type Attack = { said: string; milliseconds: number; cpu: number };

/** One flood, from when its sessions stand until they are ended. */
async function attackFrom(asked: Asked, pid: number): Promise<Attack> {
  const argv = [process.execPath, import.meta.path, "attack", JSON.stringify(asked)];
  const attacker = Bun.spawn(argv, { stdin: "pipe", stdout: "pipe", stderr: "inherit" });
  const reader = attacker.stdout.getReader();
  await reader.read();
  const before = { cpu: cpuMilliseconds(pid), time: performance.now() };
  attacker.stdin.write("go\n");
  attacker.stdin.flush();
  const { value } = await reader.read();
  return {
    said: new TextDecoder().decode(value).trim(),
    milliseconds: performance.now() - before.time,
    cpu: cpuMilliseconds(pid) - before.cpu,
  };
}

/** The same for no flood, as long as one takes. */
async function nothing(pid: number): Promise<Attack> {
  const before = cpuMilliseconds(pid);
  await Bun.sleep(200);
  return { said: "", milliseconds: 200, cpu: cpuMilliseconds(pid) - before };
}

/** @returns whether all stayed within bounds. */
async function watch(
  name: string,
  { port, index, pid }: { port: number; index: number | undefined; pid: number },
): Promise<boolean> {
  const worst: Record<string, number> = {};
  const wrong: Record<string, number> = {};
  let most = 0;
  let over = false;
  const asking: Promise<void>[] = [];
  const probe = async (service: string): Promise<void> => {
    const before = performance.now();
    const status = await ask(port, service);
    const label = service === "" ? "front page" : service;
    worst[label] = Math.max(worst[label] ?? 0, performance.now() - before);
    if (status !== 200) wrong[`${label} ${status}`] = (wrong[`${label} ${status}`] ?? 0) + 1;
  };
  const probing = (async () => {
    for (let turn = 0; !over; turn++) {
      asking.push(probe(["", "other", "slow"][turn % 3]!));
      most = Math.max(most, readdirSync(`/proc/${pid}/fd`).length);
      await Bun.sleep(probeMilliseconds);
    }
  })();
  await Bun.sleep(500);
  const attacked =
    index === undefined ? await nothing(pid) : await attackFrom({ port, flood: index }, pid);
  const { said } = attacked;
  await Bun.sleep(watched);
  over = true;
  await probing;
  await Promise.all(asking);
  const ended = index === undefined ? sessions : Number(/^ended (\d+)/.exec(said)?.[1]);
  const isSlow = ([of, time]: [string, number]): boolean =>
    time >= mostMilliseconds + (unflooded[of] ?? 0);
  const fine =
    ended === sessions &&
    // Without a flood, the times are what the others are measured by.
    (index === undefined || !Object.entries(worst).some(isSlow)) &&
    most < mostDescriptors &&
    Object.keys(wrong).length === 0;
  if (index === undefined) Object.assign(unflooded, worst);
  const times = Object.entries(worst).map(([of, time]) => `${of} ${time.toFixed(0)} ms`);
  const line = [
    `worst ${times.join(", ")}`,
    `${most} descriptors`,
    `${ended} of ${sessions} sessions ended in ${attacked.milliseconds.toFixed(0)} ms (${said})`,
    `${attacked.cpu} ms of processor time meanwhile`,
    JSON.stringify(wrong),
  ].join("; ");
  console.log(`${fine ? "ok  " : "FAIL"} ${name}: ${line}`);
  return fine;
}
