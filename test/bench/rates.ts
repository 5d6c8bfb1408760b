/** Running proxies into requests per second, ours against each of theirs, round after round. */
import { busySeconds, cpuSeconds } from "./cpu.ts";
import type { Crew } from "./crew.ts";
import { connections, hammer } from "./load.ts";
import { median } from "./median.ts";
import type { Backend, Peer } from "./peer.ts";
import { rounds } from "./rounds.ts";
import type { Measured, Row } from "./table.ts";

export type RateTurn = {
  ours: Peer;
  theirs: readonly Peer[];
  backend: Backend;
  rounds: number;
  seconds: number;
};

type Sample = {
  rate: number;
  /** CPU seconds per second: the proxy's, and everybody else's on the proxy's CPU. */
  busy: number;
  others: number;
  /** Microseconds of CPU time for a request. */
  cost: number;
  opened: number;
  failed: number;
};

/** Of the proxy's CPU: above it the machine was busy with other things, and rates mean little. */
const othersLimit = 0.1;

const keepAliveTargets: Record<string, number> = { nginx: 1, HAProxy: 1, Caddy: 3, portless: 6 };
const closeTargets: Record<string, number> = { nginx: 0.8 };

export function measureKeepAlive(crew: Crew, turn: RateTurn): Promise<Measured> {
  return measure(crew, { ...turn, label: "keep-alive", close: false, targets: keepAliveTargets });
}

export function measurePerRequest(crew: Crew, turn: RateTurn): Promise<Measured> {
  return measure(crew, {
    ...turn,
    label: "connection per request",
    close: true,
    targets: closeTargets,
  });
}

async function measure(
  crew: Crew,
  turn: RateTurn & { label: string; close: boolean; targets: Record<string, number> },
): Promise<Measured> {
  const { ours, theirs, backend, close, targets, label } = turn;
  const { host } = backend;
  const peers = [ours, ...theirs];
  // Compilers and pools warm up first; nothing of this is counted.
  for (const { port } of peers) await hammer(crew, { port, host, seconds: 1, close });
  const alone = await hammer(crew, { port: backend.port, host, seconds: turn.seconds, close });
  const samples = await rounds(peers, turn.rounds, async (peer): Promise<Sample> => {
    const before = cpuSeconds(peer.pid);
    const busyBefore = busySeconds(0);
    const start = performance.now();
    const hits = await hammer(crew, { port: peer.port, host, seconds: turn.seconds, close });
    const cpu = cpuSeconds(peer.pid) - before;
    const elapsed = (performance.now() - start) / 1_000;
    return {
      rate: hits.rate,
      busy: cpu / elapsed,
      others: Math.max(0, busySeconds(0) - busyBefore - cpu) / elapsed,
      cost: (cpu / hits.requests) * 1e6,
      opened: hits.opened / hits.requests,
      failed: hits.failed,
    };
  });
  const of = (peer: Peer, what: keyof Sample) =>
    median(samples.get(peer)!.map((sample) => sample[what]));
  const rows = theirs.flatMap((peer): Row[] => {
    const least = targets[peer.name];
    return [
      {
        label: `${label}, ${connections} connections, against ${peer.name}`,
        unit: "req/s",
        ours: of(ours, "rate"),
        theirs: of(peer, "rate"),
        ratio: of(ours, "rate") / of(peer, "rate"),
        ...(least === undefined ? {} : { target: { of: "ratio", least } }),
      },
      // Says more than the rate where the load's CPU is full before the proxy's is.
      {
        label: "  CPU time of a request, theirs / ours",
        unit: "us",
        ours: of(ours, "cost"),
        theirs: of(peer, "cost"),
        ratio: of(peer, "cost") / of(ours, "cost"),
      },
    ];
  });
  const notes = peers.map((peer) => {
    const failed = samples.get(peer)!.reduce((sum, sample) => sum + sample.failed, 0);
    const parts = [
      `CPU ${(of(peer, "busy") * 100).toFixed(0)} % busy`,
      ...(close ? [`${of(peer, "opened").toFixed(2)} connections opened per request`] : []),
      ...(crew.pinned && of(peer, "others") > othersLimit
        ? [`${(of(peer, "others") * 100).toFixed(0)} % taken by other programs: run again`]
        : []),
      ...(failed > 0 ? [`${failed} requests failed`] : []),
    ];
    return `${label}: ${peer.name}: ${parts.join(", ")}`;
  });
  notes.push(`${label}: the backend alone: ${alone.rate.toFixed(0)} req/s`);
  return { rows, notes };
}
