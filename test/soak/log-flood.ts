/** One service that prints 1 GiB and nine that print slowly -> how late the nine are, and what memory it takes. */
import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { spawnChild } from "../../src/supervisor/service/child.ts";
import { logStore } from "../../src/supervisor/logs/log-store.ts";
import { pipes } from "../../src/system/pipes.ts";
import { processCalls } from "../../src/system/process-calls.ts";
import { systemClock as clock } from "../../src/system/clock.ts";
import { terminalFlow } from "../../src/system/terminal-flow.ts";

const pty = !process.argv.includes("--pipes");
const mebibytes = Number(process.argv.find((word) => /^\d+$/.test(word)) ?? 1024);
/** Milliseconds that a slow line may be late, and MiB that all of it may take. */
const bounds = { late: 200, memory: 150 };

const directory = mkdtempSync(join(tmpdir(), "log-flood-"));
const flow = terminalFlow(process.platform);
const own = new Set<number>();
const logs = logStore({ directory, clock, note: (text) => console.log(text) });
const ended = Promise.withResolvers<void>();

function start(id: string, { command, onEnd }: { command: string; onEnd?: () => void }) {
  const log = logs.of(id);
  const spawned = spawnChild(
    {
      command,
      shell: ["/bin/sh", "-c"],
      workdir: directory,
      env: { PATH: process.env.PATH! },
      pty,
      onOutput: (stream, bytes) => log.push(stream, bytes),
      onExit() {
        log.flush();
        onEnd?.();
      },
    },
    { clock, flow, pipes: pipes(process.platform), calls: processCalls(process.platform), own },
  );
  if (spawned.kind === "refused") throw new Error(spawned.why);
  log.source = spawned.child;
  return { log, child: spawned.child };
}

const slow = Array.from({ length: 9 }, (_, at) =>
  start(`soak:slow${at}`, {
    command: "exec bash -c 'while :; do echo $EPOCHREALTIME; sleep 0.1; done'",
  }),
);
await Bun.sleep(1000);

const began = performance.now();
let most = 0;
const delays: number[] = [];
const next = slow.map(({ log }) => log.next);
let lag = 0;
let last = performance.now();
const watching = setInterval(() => {
  const now = performance.now();
  lag = Math.max(lag, now - last - 100);
  last = now;
  most = Math.max(most, process.memoryUsage.rss());
  slow.forEach(({ log }, at) => {
    const lines = log.read(next[at]!, 1000);
    next[at] = log.next;
    for (const { time, text } of lines) delays.push(time - Number(text) * 1000);
  });
}, 100);
const cpuBefore = process.cpuUsage();
const flood = start("soak:flood", {
  command: `yes 'a line of eighty characters, as a chatty development server prints them: 0123456789' | head -c ${mebibytes}M`,
  onEnd: ended.resolve,
});
await ended.promise;
const seconds = (performance.now() - began) / 1000;
const cpu = process.cpuUsage(cpuBefore);
clearInterval(watching);
for (const { child } of slow) process.kill(-child.pid, "SIGKILL");
for (const { child } of [...slow, flood]) child.release();
await logs.close();
const files = ["flood.log", "flood.log.1", "flood.log.2"].map(
  (name) => statSync(join(directory, "soak", name)).size,
);
rmSync(directory, { recursive: true });

delays.sort((a, b) => a - b);
const report = {
  terminal: pty,
  mebibytes,
  lines: flood.log.next,
  seconds: Number(seconds.toFixed(1)),
  cpuSeconds: Number(((cpu.user + cpu.system) / 1e6).toFixed(1)),
  slowLines: delays.length,
  lateMedian: Math.round(delays[delays.length >> 1] ?? Number.NaN),
  lateMost: Math.round(delays.at(-1) ?? Number.NaN),
  loopLagMost: Math.round(lag),
  memoryMost: Math.round(most / 1024 / 1024),
  files,
};
console.log(JSON.stringify(report, undefined, 2));
const good = report.lateMost <= bounds.late && report.memoryMost <= bounds.memory;
process.exit(good ? 0 : 1);
