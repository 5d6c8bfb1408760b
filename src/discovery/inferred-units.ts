/** Listening processes that nothing names -> the servers that they are: those that belong together are one. Pure. */
import { type ObservedProcess, oldestFirst, type Scan } from "./observation.ts";
import { isDebugPort, pickPort } from "../routes/pick-port.ts";
import type { Project } from "./project.ts";
import { serverAt, type ServerWord } from "./server-words.ts";

/** A process that its folder may name. */
export type Candidate = {
  process: ObservedProcess;
  project: Project;
  server: ServerWord;
};

/** Processes of one server. */
export type Unit = {
  /** The one that has its port: the oldest of them. */
  main: Candidate;
  members: readonly ObservedProcess[];
  port: number;
};

/** Linux assigns ports from here on, other systems from 49152. */
const firstAssigned = 32_768;

/** Far more than any chain of npm, shells and wrappers. */
const longestChain = 64;

/**
 * One server: processes of one project that hold one socket together, or of which one has come of the other. Those that
 * a common parent has started beside each other (`concurrently`) are several.
 */
export function unitsOf(scan: Scan, candidates: ReadonlyMap<number, Candidate>): Unit[] {
  const leader = new Map<number, number>();
  const find = (pid: number): number => {
    let at = pid;
    for (let up = leader.get(at); up !== undefined; up = leader.get(at)) at = up;
    return at;
  };
  const join = (a: number, b: number): void => {
    const [from, to] = [find(a), find(b)];
    if (from !== to) leader.set(from, to);
  };
  const ports = new Map<number, Set<number>>();
  for (const { port, pids } of scan.observations) {
    const here = pids.filter((pid) => candidates.has(pid));
    for (const pid of here) {
      const its = ports.get(pid) ?? new Set();
      ports.set(pid, its.add(port));
      const [first] = here.filter((other) => isSameProject(candidates, { pid, other }));
      if (first !== undefined) join(pid, first);
    }
  }
  for (const pid of candidates.keys()) {
    const parent = candidateAbove(pid, { scan, candidates });
    if (parent !== undefined) join(pid, parent);
  }
  const groups = Map.groupBy(candidates.keys(), find);
  return [...groups.values()].flatMap((pids) => {
    const all = new Set(pids.flatMap((pid) => [...(ports.get(pid) ?? [])]));
    const unit = unitOf(
      pids.map((pid) => candidates.get(pid)!),
      { ports: [...all], owns: (pid, port) => ports.get(pid)?.has(port) ?? false },
    );
    return unit === undefined ? [] : [unit];
  });
}

type Pair = { pid: number; other: number };

function isSameProject(candidates: ReadonlyMap<number, Candidate>, { pid, other }: Pair): boolean {
  return candidates.get(pid)!.project.folder === candidates.get(other)!.project.folder;
}

type Place = { scan: Scan; candidates: ReadonlyMap<number, Candidate> };

/** The nearest process that it has come of and that listens for the same project. */
function candidateAbove(pid: number, { scan, candidates }: Place): number | undefined {
  let at = scan.processes.get(pid)?.parent ?? 0;
  for (let steps = 0; at > 1 && steps < longestChain; steps++) {
    if (candidates.has(at)) return isSameProject(candidates, { pid, other: at }) ? at : undefined;
    at = scan.processes.get(at)?.parent ?? 0;
  }
  return undefined;
}

type Ports = { ports: number[]; owns(pid: number, port: number): boolean };

/** Undefined: a port for a debugger, or one of which only the process itself knows, makes no server. */
function unitOf(members: readonly Candidate[], { ports, owns }: Ports): Unit | undefined {
  const asked = new Set(members.flatMap(({ process }) => process.wantedPort ?? []));
  const sorted = ports.sort((a, b) => a - b) as [number, ...number[]];
  const port = pickPort(sorted, asked);
  const owners = members.filter(({ process }) => owns(process.pid, port));
  const [main] = owners.sort((a, b) => oldestFirst(a.process, b.process));
  if (main === undefined || (isDebugPort(port) && !asked.has(port))) return undefined;
  const isTold = (its: Candidate): boolean =>
    its.server.isServer || its.process.wantedPort === port || mentions(its.process.command, port);
  if (port >= firstAssigned && !members.some(isTold)) return undefined;
  const server = serverAt(port, main.server);
  return { main: { ...main, server }, members: members.map(({ process }) => process), port };
}

function mentions(command: string, port: number): boolean {
  return new RegExp(`(?:^|\\D)${port}(?:\\D|$)`).test(command.slice(0, 4096));
}
