/** Two proxies, one with a part of ours and one without it -> what that part costs. */
import { join } from "node:path";
import { callerFinder } from "../../src/discovery/callers.ts";
import { clientUsers } from "../../src/discovery/client-user.ts";
import { Recorder } from "../../src/proxy/request/recorder.ts";
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

/** What costs something with every request or connection, and what is left of the throughput at least. */
const parts = {
  recording: { what: "recording requests", least: 0.97, leastByConnection: 0.97 },
  owners: { what: "asking for each client's user", least: 0.98, leastByConnection: undefined },
  guard: { what: "the cross-site guard", least: 0.99, leastByConnection: undefined },
} as const;

/** What a browser sends with a page's own request: all that the guard reads, and what it reads past. */
const browserFields = (host: string): readonly string[] => [
  `Origin: http://${host}`,
  `Referer: http://${host}/cart`,
  "Sec-Fetch-Site: same-origin",
  "Sec-Fetch-Mode: cors",
  "Sec-Fetch-Dest: empty",
  "User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/156.0.0.0 Safari/537.36",
  "Accept: */*",
  "Accept-Language: en-US,en;q=0.9",
  "Accept-Encoding: gzip, deflate, br, zstd",
  "Cookie: session=0123456789abcdef0123456789abcdef; theme=dark",
];

export type Part = keyof typeof parts;

export type WithAndWithoutTurn = { backend: Backend; rounds: number; seconds: number };

export async function measurePart(
  crew: Crew,
  part: Part,
  turn: WithAndWithoutTurn,
): Promise<Measured> {
  const { backend } = turn;
  const { what, least, leastByConnection } = parts[part];
  const [on, off] = [
    await start(crew, { backend, part, side: "on" }),
    await start(crew, { backend, part, side: "off" }),
  ];
  const rows: Row[] = [];
  for (const close of [false, true]) {
    const fields = part === "guard" ? browserFields(backend.host) : [];
    const load = { host: backend.host, seconds: turn.seconds, close, fields };
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
    const wanted = close ? leastByConnection : least;
    rows.push({
      label: `${what}, ${how}, against without`,
      unit: "req/s",
      ours,
      theirs,
      ratio: ours / theirs,
      ...(wanted === undefined ? {} : { target: { of: "ratio", least: wanted } }),
    });
    // Says more than the rate where other programs have a part of the proxy's CPU.
    rows.push({
      label: "  CPU time of a request, without / with",
      unit: "us",
      ours: of(on, "cost"),
      theirs: of(off, "cost"),
      ratio: of(off, "cost") / of(on, "cost"),
    });
  }
  return { rows, notes: [] };
}

type Side = { backend: Backend; part: Part; side: "on" | "off" };

async function start(crew: Crew, { backend, part, side }: Side): Promise<Peer> {
  const port = freePort();
  const name = `${part}-${side}`;
  const argv = [process.execPath, join(import.meta.dir, "with-and-without.ts")];
  const program = crew.start(
    [...argv, String(port), backend.name, String(backend.port), part, side],
    { name, side: "proxy" },
  );
  await ready(program, { port, host: backend.host });
  return { name, port, pid: program.pid };
}

if (import.meta.main) {
  const [port, name, upstream, part, side] = process.argv.slice(2);
  const now = () => performance.now();
  const peers = peerSockets(process.platform)!;
  await startTestProxy({
    clock: systemClock,
    port: Number(port),
    services: { [name!]: { port: Number(upstream) } },
    configured: {
      all: { guard: part === "guard" && side === "on" ? "on" : "off" },
      byName: new Map(),
    },
    ...(part === "recording" &&
      side === "on" && {
        recorder: new Recorder({ clock: systemClock, now }),
        callers: callerFinder({ root: "/proc", clock: systemClock, now, peers }),
      }),
    ...(part === "owners" &&
      side === "on" && {
        clientUser: clientUsers(peers, { uids: [process.getuid!()] }),
      }),
  });
}
