/**
 * Rounds of up to four `server restart` at once over services of every kind, with commands and requests in between,
 * a daemon killed or halted in some of them, and a `server stop` at the end: nothing is lost, twice or left behind. By
 * hand: `bun test/soak/overlapping-restarts.ts [rounds]`. Exits 1 where something was not as it has to be.
 */
import { readFileSync } from "node:fs";
import { isAlive, projectPlace, server } from "../support/project-place.ts";
import { endNow } from "../support/daemon-place.ts";
import { eventually } from "../support/eventually.ts";

const rounds = Number(process.argv[2] ?? 20);
const most = 4;
/** Milliseconds for which a daemon does nothing. */
const halt = 2_000;

await using place = await projectPlace();
const { daemon } = place;
const served = server.replace("bun", process.execPath);
const folder = await place.project(
  "shop",
  `[services.api]
command = '''${served}'''
[services.terminal]
type = "worker"
pty = true
command = "echo up; exec sleep 1000"
[services.pipe]
type = "worker"
pty = false
command = "echo has=$CANARY; exec sleep 1000"
ready_pattern = "has="
[services.slow]
type = "worker"
command = "trap 'sleep 2; exit 0' TERM; echo up; while :; do sleep 0.1; done"
ready_pattern = "up"
[services.task]
type = "task"
command = "sleep 20"
`,
);
const names = ["api", "terminal", "pipe", "slow"].map((name) => `shop:${name}`);
const failures: string[] = [];
const fail = (text: string): void => {
  failures.push(text);
  console.log("FAILED:", text);
};

const up = () => place.up(folder, { env: { PATH: process.env.PATH!, CANARY: "canary" } });
const pids = async (isHurt = false): Promise<(number | null | undefined)[]> =>
  await Promise.all(
    names.map(async (name) => {
      const row = await place.until(name, (its) => its.state === "ready" || its.ready, 60_000);
      for (const warning of isHurt ? [] : row.warnings) fail(`${name}: ${warning}`);
      return row.pid;
    }),
  );
const isUp = up();
let before = await pids();
const found = await daemon.find();
if (found.kind !== "healthy") throw new Error(found.kind);
const { port } = found.registration;

/** A daemon was killed or halted: what it had of requests, services and shells may be gone. */
let isHurt = false;
let isOver = false;
let answered = 0;
const client = (async () => {
  while (!isOver) {
    try {
      const response = await fetch(`http://127.0.0.1:${port}/`, {
        headers: { Host: "api.shop.localhost", Connection: "close" },
      });
      const text = await response.text();
      if (response.ok) answered += 1;
      else if (!isHurt) fail(`a request was answered ${response.status}: ${text.slice(0, 300)}`);
    } catch (error) {
      if (!isHurt) fail(`a request: ${(error as Error).message}`);
    }
    await Bun.sleep(5);
  }
})();
const any = <T>(all: readonly T[]): T => all[Math.floor(Math.random() * all.length)]!;
const background = (): number[] =>
  daemon.pids().filter((pid) => {
    try {
      return readFileSync(`/proc/${pid}/cmdline`, "latin1").includes("--background");
    } catch {
      // It has ended.
      return false;
    }
  });

const kinds = ["calm", "calm", "commands", "killed", "halted"] as const;
for (let round = 1; round <= rounds; round++) {
  const kind = kinds[round % kinds.length]!;
  isHurt = kind === "killed" || kind === "halted";
  const count = 1 + Math.floor(Math.random() * most);
  const restarts = Array.from({ length: count }, () => daemon.run("server", "restart"));
  let isRunning = true;
  const commands = (async () => {
    while (isRunning && kind === "commands") {
      for (const args of [["ls"], ["server", "status"], ["restart", "shop:slow"], ["status"]]) {
        const { code, err } = await daemon.run(...args);
        if (code !== 0) fail(`round ${round}: ${args.join(" ")}: ${err}`);
      }
    }
  })();
  if (isHurt) {
    await Bun.sleep(Math.random() * 800);
    const pid = any(background());
    if (pid !== undefined && kind === "killed") endNow(pid);
    if (pid !== undefined && kind === "halted") {
      process.kill(pid, "SIGSTOP");
      await Bun.sleep(halt);
      process.kill(pid, "SIGCONT");
    }
  }
  const ended = await Promise.all(restarts);
  isRunning = false;
  await commands;
  for (const { code, err } of ended) {
    if (code !== 0 && !isHurt) fail(`round ${round}: server restart: ${err}`);
  }
  const again = await daemon.run("server", "restart");
  if (again.code !== 0) fail(`round ${round}, ${kind}: the next server restart: ${again.err}`);
  // A killed daemon takes the environment of the shell with it.
  if (kind === "killed") await up();
  const after = await pids(isHurt);
  if (kind === "calm" && String(before) !== String(after)) {
    fail(`round ${round}: other processes: ${before} ${after}`);
  }
  if (kind === "commands" && String(before.slice(0, 3)) !== String(after.slice(0, 3))) {
    fail(`round ${round}: other processes: ${before} ${after}`);
  }
  before = after;
  console.log(`round ${round}, ${kind}, ${count} at once: ${after.join(", ")}`);
}
isOver = true;
await client;
await isUp.catch(() => {
  // Its daemon was replaced, or killed.
});
const stopped = await daemon.run("server", "stop");
if (stopped.code !== 0) fail(`server stop: ${stopped.err}`);
await eventually("no daemon is left", () => background().length === 0, 70_000).catch(() =>
  fail(`daemons are left: ${background().join(", ")}`),
);
for (const pid of before) {
  if (typeof pid === "number" && (await isAlive(pid))) fail(`pid ${pid} is left`);
}
console.log(`${answered} requests answered; ${failures.length} failures`);
process.exitCode = failures.length === 0 ? 0 : 1;
