/** One scan, its services and those of projects -> the servers that no name leads to. Pure. */
import { labelFrom } from "../manifest/project-name.ts";
import type { Service } from "../routes/service.ts";
import type { Supervised } from "../routes/supervised.ts";
import { type Fault, isLost, type Unusable } from "../routes/unusable.ts";
import { printable, printablePath } from "../text/printable.ts";
import { programOf, shortCommand, typedCommand } from "../text/short-command.ts";
import { ancestry } from "./ancestry.ts";
import { type Host, nameOf } from "./name.ts";
import { isUnwanted, nameCarrier } from "./name-carrier.ts";
import { isNoServer } from "./never-named.ts";
import { type ObservedProcess, oldestFirst, type Scan } from "./observation.ts";
import { pickPort } from "../routes/pick-port.ts";

export type UnusableOptions = Host & {
  services: readonly Service[];
  supervised: readonly Supervised[];
  /** The person. Root may see servers of others. */
  uid: number;
  /** Our own processes, which are not servers of a person. */
  ownPids: ReadonlySet<number>;
  /** A path that is in the command line of every process of ours: other daemons, with another state directory. */
  ownFile?: string | undefined;
};

/** The kernel's remark on a folder that is gone: proc(5). */
const deleted = / \(deleted\)$/;

/** Programs that a person types other commands into, or that read them from a string: their line is not the command. */
const shells = /^-?(?:ba|da|z|k|fi|c|tc)?sh$/;

/** By the port. */
export function unusableServers(scan: Scan, options: UnusableOptions): Unusable[] {
  const { services, uid } = options;
  const taken = new Set(services.map(({ name }) => name));
  const nameless = ownersIn(scan, options).map(({ process, ports }) =>
    unusableOf({
      process,
      ports,
      scan,
      taken,
      uid,
      fault: faultOf(process, { scan, host: options }),
    }),
  );
  const named = services.flatMap((service) => {
    if (service.routable || service.process === undefined) return [];
    const process = scan.processes.get(service.process.pid);
    const verdict = nameOf(process?.name, options);
    if (process === undefined || verdict.kind !== "unroutable") return [];
    const { text: name, wrong, near } = verdict;
    const fault: Fault = { kind: "bad name", name, wrong, near };
    return [unusableOf({ process, ports: service.ports, scan, taken, uid, fault })];
  });
  return [...nameless, ...named].sort((a, b) => a.port - b.port || a.pid - b.pid);
}

type Owner = { process: ObservedProcess; ports: readonly number[] };

/** The oldest process of each listening socket that no service has, with all of its ports. */
function ownersIn(
  scan: Scan,
  { services, supervised, ownPids, ownFile }: UnusableOptions,
): Owner[] {
  const known = new Set(services.flatMap(({ pids }) => pids));
  const given = new Set(supervised.flatMap(({ listens }) => listens));
  const started = new Set(supervised.flatMap(({ pid }) => pid ?? []));
  const owners = new Map<number, Owner>();
  for (const { port, pids } of scan.observations) {
    if (given.has(port) || pids.some((pid) => known.has(pid) || ownPids.has(pid))) continue;
    // A process that a project has started, or that has come of one.
    if (pids.some((pid) => !ancestry(pid, scan.processes).isDisjointFrom(started))) continue;
    const [process] = pids.flatMap((pid) => scan.processes.get(pid) ?? []).sort(oldestFirst);
    if (process === undefined) continue;
    if (ownFile !== undefined && process.command.includes(ownFile)) continue;
    if (isUnwanted(process, { scan, ownPid: -1 }) || isNoServer(process)) continue;
    const before = owners.get(process.pid)?.ports ?? [];
    owners.set(process.pid, { process, ports: [...new Set([...before, port])] });
  }
  return [...owners.values()];
}

function faultOf(process: ObservedProcess, { scan, host }: { scan: Scan; host: Host }): Fault {
  const carrier = nameCarrier(process, { scan, ownPid: -1 });
  const its = carrier.name === undefined ? process : carrier;
  const { name, overwritten, unreadable, variable } = its;
  if (name === undefined && overwritten) return { kind: "overwritten" };
  if (name === undefined && unreadable) return { kind: "unreadable" };
  const isCommon =
    variable !== "LOCALHOSTESS_NAME" && scan.common?.some((its) => its.name === name);
  if (isCommon) return { kind: "common name", name: printable(name ?? "", 100) };
  const isComputers = name !== undefined && name !== "" && nameOf(name, host).kind === "none";
  return isComputers
    ? { kind: "computer's name", name: printable(name, 100) }
    : { kind: "no name" };
}

type Parts = Owner & {
  scan: Scan;
  taken: Set<string>;
  uid: number;
  fault: Fault;
};

function unusableOf({ process, ports, scan, taken, uid, fault }: Parts): Unusable {
  const { pid, startedAt, cwd, wantedPort } = process;
  // Nobody is to paste a command line that another user has written.
  const isTyped = !isLost(fault) && process.uid === uid;
  const sorted = ports.toSorted((a, b) => a - b) as [number, ...number[]];
  return {
    pid,
    startedAt,
    port: pickPort(sorted, new Set(wantedPort === undefined ? [] : [wantedPort])),
    ports: sorted,
    command: printable(shortCommand(process.command, cwd)),
    cwd: cwd === undefined ? undefined : printablePath(cwd),
    typed: isTyped ? typedOf(process, scan) : undefined,
    suggested: suggestedFor(process, taken),
    fault,
  };
}

/**
 * The command as typed. A shell makes each command a process group of its own, so that the group's first process is
 * what the person typed (`npm run dev`), where it runs in the same folder.
 */
function typedOf(process: ObservedProcess, { processes }: Scan): string | undefined {
  const leader = processes.get(process.group);
  const isTyped =
    leader !== undefined &&
    leader.uid === process.uid &&
    leader.cwd === process.cwd &&
    !shells.test(programOf(leader.command));
  return typedCommand((isTyped ? leader : process).command, process.cwd);
}

/** Its folder's name, or else its program's; with a number where a server has the name. */
function suggestedFor(process: ObservedProcess, taken: Set<string>): string {
  const folder = process.cwd?.slice(process.cwd.lastIndexOf("/") + 1).replace(deleted, "") ?? "";
  const wanted = labelFrom(folder) ?? labelFrom(programOf(process.command)) ?? "server";
  let name = wanted;
  for (let number = 2; taken.has(name); number++) name = `${wanted}-${number}`;
  taken.add(name);
  return name;
}
