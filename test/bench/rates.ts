/** Running proxies into requests per second, ours against each of theirs, round after round. */
import { busySeconds, cpuSeconds } from "./cpu.ts";
import type { Crew } from "./crew.ts";
import {
  connections,
  h2Connections,
  h2Streams,
  hammer,
  hammerH2,
  hammerHandshakes,
  hammerSecure,
  handshakeClients,
  type Hits,
} from "./load.ts";
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
  /** The same of the load's and the backend's CPU. */
  load: number;
  /** Microseconds of CPU time for a request. */
  cost: number;
  opened: number;
  failed: number;
};

/** Of the proxy's CPU: above it the machine was busy with other things, and rates mean little. */
const othersLimit = 0.1;

/** Where the load has this much to do and the proxy less than that, the load is what is measured. */
const fullLoad = 0.95;
const fullProxy = 0.9;

const keepAliveTargets: Record<string, number> = { nginx: 1, HAProxy: 1, Caddy: 3, portless: 6 };
const closeTargets: Record<string, number> = { nginx: 0.8 };

export async function measureKeepAlive(crew: Crew, turn: RateTurn): Promise<Measured> {
  const alone = await withoutProxy(crew, { turn, close: false });
  const { rows, notes } = await measure(crew, {
    ...turn,
    label: "keep-alive",
    detail: `${connections} connections`,
    load: plainly(crew, turn, false),
    close: false,
    targets: keepAliveTargets,
  });
  return { rows, notes: [...notes, `keep-alive: ${alone}`] };
}

export async function measurePerRequest(crew: Crew, turn: RateTurn): Promise<Measured> {
  const alone = await withoutProxy(crew, { turn, close: true });
  const { rows, notes } = await measure(crew, {
    ...turn,
    label: "connection per request",
    detail: `${connections} connections`,
    load: plainly(crew, turn, true),
    close: true,
    targets: closeTargets,
  });
  return { rows, notes: [...notes, `connection per request: ${alone}`] };
}

function plainly(crew: Crew, { backend: { host } }: RateTurn, close: boolean): LoadOf {
  return ({ port }, seconds) => hammer(crew, { port, host, seconds, close });
}

/** What wrk and the backend reach without a proxy. */
async function withoutProxy(
  crew: Crew,
  { turn, close }: { turn: RateTurn; close: boolean },
): Promise<string> {
  const { port, host } = turn.backend;
  const { rate } = await hammer(crew, { port, host, seconds: turn.seconds, close });
  return `the backend alone: ${rate.toFixed(0)} req/s`;
}

export function measureSecureKeepAlive(crew: Crew, turn: RateTurn): Promise<Measured> {
  const { host } = turn.backend;
  return measure(crew, {
    ...turn,
    label: "TLS, keep-alive",
    detail: `${connections} connections`,
    load: ({ securePort }, seconds) => hammerSecure(crew, { port: securePort!, host, seconds }),
    close: false,
    targets: { nginx: 1 },
  });
}

export function measureH2(crew: Crew, turn: RateTurn): Promise<Measured> {
  const { host } = turn.backend;
  return measure(crew, {
    ...turn,
    label: "HTTP/2",
    detail: `${h2Connections} connections of ${h2Streams} streams`,
    load: ({ securePort }, seconds) => hammerH2(crew, { port: securePort!, host, seconds }),
    close: false,
    targets: { nginx: 0.7 },
  });
}

export function measureHandshakes(crew: Crew, turn: RateTurn): Promise<Measured> {
  const { host } = turn.backend;
  return measure(crew, {
    ...turn,
    label: "TLS handshake per request",
    detail: `${handshakeClients} clients`,
    load: ({ securePort }, seconds) => hammerHandshakes(crew, { port: securePort!, host, seconds }),
    close: true,
    targets: { nginx: 0.5 },
  });
}

type LoadOf = (peer: Peer, seconds: number) => Promise<Hits>;

async function measure(
  crew: Crew,
  turn: RateTurn & {
    label: string;
    detail: string;
    load: LoadOf;
    close: boolean;
    targets: Record<string, number>;
  },
): Promise<Measured> {
  const { ours, theirs, load, close, targets, label, detail } = turn;
  const peers = [ours, ...theirs];
  // Compilers and pools warm up first; nothing of this is counted.
  for (const peer of peers) await load(peer, 1);
  const samples = await rounds(peers, turn.rounds, async (peer): Promise<Sample> => {
    const before = cpuSeconds(peer.pid);
    const busyBefore = busySeconds(0);
    const loadBefore = busySeconds(1);
    const start = performance.now();
    const hits = await load(peer, turn.seconds);
    const cpu = cpuSeconds(peer.pid) - before;
    const elapsed = (performance.now() - start) / 1_000;
    return {
      rate: hits.rate,
      busy: cpu / elapsed,
      others: Math.max(0, busySeconds(0) - busyBefore - cpu) / elapsed,
      load: (busySeconds(1) - loadBefore) / elapsed,
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
        label: `${label}, ${detail}, against ${peer.name}`,
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
      ...(crew.pinned && of(peer, "load") > fullLoad && of(peer, "busy") < fullProxy
        ? [
            `the load's CPU ${(of(peer, "load") * 100).toFixed(0)} % busy: the rate is the load's limit`,
          ]
        : []),
      ...(close ? [`${of(peer, "opened").toFixed(2)} connections opened per request`] : []),
      ...(crew.pinned && of(peer, "others") > othersLimit
        ? [`${(of(peer, "others") * 100).toFixed(0)} % taken by other programs: run again`]
        : []),
      ...(failed > 0 ? [`${failed} requests failed`] : []),
    ];
    return `${label}: ${peer.name}: ${parts.join(", ")}`;
  });
  return { rows, notes };
}
