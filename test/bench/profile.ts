/** `keep-alive` or `per-request` into where our proxy's time goes: functions by self time, system calls by request. */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Crew, crew } from "./crew.ts";
import { hammer } from "./load.ts";
import { startServer } from "./ours.ts";
import type { Backend, Peer } from "./peer.ts";
import { startNginx } from "./peers/nginx.ts";
import { ready } from "./ready.ts";
import { startBackend } from "./start-backend.ts";

type Turn = { backend: Backend; close: boolean };

const seconds = 4;

/** Bun's sampling profiler; its report is written when the program ends. */
async function functions(team: Crew, { backend, close }: Turn): Promise<string> {
  const dir = join(team.dir, "cpu");
  const { program, port } = startServer(team, {
    name: "profiled",
    side: "proxy",
    bunFlags: ["--cpu-prof-md", `--cpu-prof-dir=${dir}`],
  });
  await ready(program, { port, host: backend.host });
  await hammer(team, { port, host: backend.host, seconds, close });
  await program.stop();
  const [report] = readdirSync(dir);
  if (report === undefined) throw new Error(`no profile; it printed:\n${program.printed()}`);
  return readFileSync(join(dir, report), "utf8").split("\n").slice(0, 60).join("\n");
}

/** strace slows a program down several times over, but a request takes the same calls. */
async function systemCalls(team: Crew, { peer, ...turn }: Turn & { peer: Peer }): Promise<string> {
  const load = { port: peer.port, host: turn.backend.host, close: turn.close };
  await hammer(team, { ...load, seconds: 1 });
  const file = join(team.dir, `strace-${peer.name}`);
  const children = readFileSync(`/proc/${peer.pid}/task/${peer.pid}/children`, "latin1").trim();
  const pids = [String(peer.pid), ...(children === "" ? [] : children.split(" "))];
  const tracer = team.start(["strace", "-c", "-f", "-o", file, ...pids.flatMap((p) => ["-p", p])], {
    name: `strace-${peer.name}`,
    side: "any",
  });
  await Bun.sleep(500);
  const { requests } = await hammer(team, { ...load, seconds });
  await tracer.stop();
  const counts = [
    ...readFileSync(file, "utf8").matchAll(/^\s*[\d.]+\s+[\d.]+\s+\d+\s+(\d+)\s.*?(\w+)$/gm),
  ]
    .map(([, count, name]) => ({ name: name!, each: Number(count) / requests }))
    .filter(({ name, each }) => name !== "total" && each >= 0.01)
    .map(({ name, each }) => `${name} ${each.toFixed(2)}`);
  return `${peer.name}: system calls per request: ${counts.join(", ")}`;
}

const close = process.argv[2] === "per-request";
const team = crew(mkdtempSync(join(tmpdir(), "localhostess-profile-")), { pin: true });
try {
  const backend = await startBackend(team);
  console.log(await functions(team, { backend, close }));
  if (Bun.which("strace") === null) {
    console.log("no system calls: apt-get install strace");
  } else {
    const { program, port } = startServer(team, { name: "traced", side: "proxy" });
    await ready(program, { port, host: backend.host });
    const peers = [
      { name: "localhostess", port, pid: program.pid },
      await startNginx(team, backend),
    ];
    for (const peer of peers) {
      if ("pid" in peer) console.log(await systemCalls(team, { backend, close, peer }));
    }
  }
} finally {
  await team.end();
  rmSync(team.dir, { recursive: true, force: true });
}
process.exit(0);
