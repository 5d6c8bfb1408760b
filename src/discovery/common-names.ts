/** The processes of a scan -> values of NAME that are no names, as many unrelated programs have them. Pure. */
import type { CommonName } from "../routes/common-name.ts";
import { unwanted } from "./name.ts";
import type { ObservedProcess, Scan } from "./observation.ts";

export type CommonOptions = {
  /** Inside WSL, which starts the first program of each terminal with the computer's name as NAME. */
  wsl?: boolean | undefined;
  /** Folders in which anything is started, such as the home: to be in one relates nobody. `/` always is one. */
  commonFolders?: ReadonlySet<string> | undefined;
  /** The same for all folders of one repository, with all its worktrees; undefined: the folder is in none. */
  repositoryOf?: ((folder: string) => string | undefined) | undefined;
};

/**
 * Programs that do not listen, unrelated to each other and to servers, that show a NAME to be everybody's; and servers
 * of which nobody runs so many under one name on purpose. Two are usual: a server is started a second time, elsewhere.
 */
const enough = { bystanders: 2, withServers: 3, servers: 4 };

/**
 * Each scan -> the same with its common names. A value that was found to be one stays one for as long as a process has
 * it, so that servers do not change their names as other programs come and go.
 */
export function commonNames(options: CommonOptions): (scan: Scan) => Scan {
  let before: ReadonlySet<string> = new Set();
  return (scan) => {
    const common = commonIn(scan, { options, before });
    before = new Set(common.map(({ name }) => name));
    return common.length === 0 ? scan : { ...scan, common };
  };
}

function commonIn(
  scan: Scan,
  { options, before }: { options: CommonOptions; before: ReadonlySet<string> },
): CommonName[] {
  const common: CommonName[] = [];
  const all = [...scan.processes.values(), ...(scan.bystanders ?? [])];
  // A supervisor gives a name of its own to each process.
  const named = all.filter(
    ({ name, variable }) => name && name !== unwanted && variable !== "LOCALHOSTESS_NAME",
  );
  const listening = new Set(scan.observations.flatMap(({ pids }) => pids));
  for (const [name, holders] of Map.groupBy(named, (process) => process.name!)) {
    const isFew = holders.length < enough.withServers && options.wsl !== true;
    if (isFew && !before.has(name)) continue;
    const groups = unrelated(holders, { scan, options });
    const isBystander = (group: readonly ObservedProcess[]) =>
      group.every(({ pid }) => !listening.has(pid)) ||
      group.some((process) => isTerminals(process, scan));
    const bystanders = groups.filter(isBystander).length;
    const isComputers = options.wsl === true && holders.some((its) => isTerminals(its, scan));
    const isCommon =
      isComputers ||
      groups.length >= enough.servers ||
      (groups.length >= enough.withServers && bystanders >= enough.bystanders);
    if (!isCommon && !before.has(name)) continue;
    const pids = groups.map(([first]) => first!.pid).sort((a, b) => a - b);
    common.push({ name, pids });
  }
  return common;
}

/** The first program of a terminal, usually a shell. A NAME that a person types there is not in its environment. */
function isTerminals({ pid }: ObservedProcess, { sessions }: Scan): boolean {
  const session = sessions?.get(pid);
  return session?.terminal === true && session.id === pid;
}

/**
 * Groups of processes that have a NAME from one command, as far as can be seen: of one session or process group, parent
 * and child unless the child is a terminal's, or in one folder or repository.
 */
function unrelated(
  holders: readonly ObservedProcess[],
  { scan, options }: { scan: Scan; options: CommonOptions },
): ObservedProcess[][] {
  const groups = new Map<ObservedProcess, ObservedProcess[]>(holders.map((its) => [its, [its]]));
  const leaders = new Map<ObservedProcess, ObservedProcess>(holders.map((its) => [its, its]));
  const join = (a: ObservedProcess, b: ObservedProcess): void => {
    const [into, from] = [leaders.get(a)!, leaders.get(b)!];
    if (into === from) return;
    const moved = groups.get(from)!;
    groups.get(into)!.push(...moved);
    groups.delete(from);
    for (const process of moved) leaders.set(process, into);
  };
  const firsts = new Map<string, ObservedProcess>();
  const byPid = new Map(holders.map((its) => [its.pid, its]));
  for (const process of holders) {
    for (const mark of marksOf(process, scan, options)) {
      const first = firsts.get(mark);
      if (first === undefined) firsts.set(mark, process);
      else join(first, process);
    }
    const parent = byPid.get(process.parent);
    if (parent !== undefined && !isTerminals(process, scan)) join(parent, process);
  }
  return [...groups.values()];
}

/** Two processes with one mark in common are related. */
function marksOf(
  { pid, group, parent, cwd, uid }: ObservedProcess,
  { sessions }: Scan,
  { commonFolders, repositoryOf }: CommonOptions,
): string[] {
  const session = sessions?.get(pid)?.id ?? 0;
  const marks: string[] = [];
  // 0: of another pid namespace, which says nothing.
  if (group > 0) marks.push(`group ${group} of ${uid}`);
  if (session > 0) marks.push(`session ${session}`);
  // Without sessions, what one shell has started is told by its parent.
  if (sessions === undefined && parent > 1) marks.push(`child of ${parent}`);
  if (cwd !== undefined && cwd !== "/" && commonFolders?.has(cwd) !== true) {
    marks.push(`folder ${repositoryOf?.(cwd) ?? cwd}`);
  }
  return marks;
}
