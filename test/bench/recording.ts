/** Two proxies, one that records its requests and one that does not, into what recording costs. */
import { join } from "node:path";
import { callerFinder } from "../../src/discovery/callers.ts";
import { Recorder } from "../../src/proxy/recorder.ts";
import { systemClock } from "../../src/system/clock.ts";
import { peerSockets } from "../../src/system/peer-sockets.ts";
import { startTestProxy } from "../support/test-proxy.ts";
import { cpuSeconds } from "./cpu.ts";
import type { Crew } from "./crew.ts";
import { connections, hammer } from "./load.ts";
import { median } from "./median.ts";
import type { Backend, Peer } from "./peer.ts";
import { freePort, ready } from "./ready.ts";
import { rounds } from "./rounds.ts";
import type { Measured, Row } from "./table.ts";

/** Of the throughput without a record. */
const least = 0.97;

export type RecordingTurn = { backend: Backend; rounds: number; seconds: number };

export async function measureRecording(crew: Crew, turn: RecordingTurn): Promise<Measured> {
  const { backend } = turn;
  const [on, off] = [await start(crew, backend, "on"), await start(crew, backend, "off")];
  const rows: Row[] = [];
  for (const close of [false, true]) {
    const load = { host: backend.host, seconds: turn.seconds, close };
    for (const { port } of [on, off]) await hammer(crew, { ...load, port });
    const samples = await rounds([on, off], turn.rounds, async ({ port, pid }) => {
      const before = cpuSeconds(pid);
      const { rate, requests } = await hammer(crew, { ...load, port });
      return { rate, cost: ((cpuSeconds(pid) - before) / requests) * 1e6 };
    });
    const of = (peer: Peer, what: "rate" | "cost") =>
      median(samples.get(peer)!.map((sample) => sample[what]));
    const [ours, theirs] = [of(on, "rate"), of(off, "rate")];
    const how = close ? "connection per request" : `keep-alive, ${connections} connections`;
    rows.push({
      label: `recording requests, ${how}, against none`,
      unit: "req/s",
      ours,
      theirs,
      ratio: ours / theirs,
      target: { of: "ratio", least },
    });
    // Says more than the rate where other programs have a part of the proxy's CPU.
    rows.push({
      label: "  CPU time of a request, none / recording",
      unit: "us",
      ours: of(on, "cost"),
      theirs: of(off, "cost"),
      ratio: of(off, "cost") / of(on, "cost"),
    });
  }
  return { rows, notes: [] };
}

async function start(crew: Crew, backend: Backend, recording: "on" | "off"): Promise<Peer> {
  const port = freePort();
  const name = `recording-${recording}`;
  const argv = [process.execPath, join(import.meta.dir, "recording.ts")];
  const program = crew.start(
    [...argv, String(port), backend.name, String(backend.port), recording],
    { name, side: "proxy" },
  );
  await ready(program, { port, host: backend.host });
  return { name, port, pid: program.pid };
}

if (import.meta.main) {
  const [port, name, upstream, recording] = process.argv.slice(2);
  const now = () => performance.now();
  await startTestProxy({
    port: Number(port),
    services: { [name!]: { port: Number(upstream) } },
    ...(recording === "on" && {
      recorder: new Recorder({ clock: systemClock, now }),
      callers: callerFinder({
        root: "/proc",
        clock: systemClock,
        now,
        peers: peerSockets(process.platform)!,
      }),
    }),
  });
}
