/** Scan after scan -> names for servers that nothing else names, the same ones for the same folders. */
import type { Claim } from "../routes/claim.ts";
import type { Supervised } from "../routes/supervised.ts";
import { isInside, isUnder } from "../routes/name-rights.ts";
import { ancestry } from "./ancestry.ts";
import { type CommandWords, commandWords } from "./command-words.ts";
import type { Candidate } from "./inferred-units.ts";
import { inferredNames } from "./inferred.ts";
import { type KeptName, KeptNames } from "./kept-names.ts";
import { neverNamedAs } from "./never-named.ts";
import type { ObservedProcess, Scan } from "./observation.ts";
import { isUnwanted } from "./name-carrier.ts";
import { PastNames } from "./past-names.ts";
import type { NamedProcess } from "./process-names.ts";
import type { Project } from "./project.ts";
import type { ProjectFolders } from "./project-folders.ts";
import { Twins } from "./inferred-twins.ts";
import { type ServerWord, serverWord } from "./server-words.ts";

/** Servers and names that somebody has given already. */
export type Named = {
  named: ReadonlyMap<number, NamedProcess>;
  /** Processes whose sockets a claim names. */
  pids: ReadonlySet<number>;
  /** Names that are claimed. */
  names: ReadonlyMap<string, Claim>;
  /** Our own process, which is nobody's server. */
  ownPid: number;
};

export type Infer = (scan: Scan, its: Named) => ReadonlyMap<number, NamedProcess>;

export type InferenceOptions = {
  /** Only processes of this user are named. */
  uid: number;
  /** A path in the command line of every process of ours: other daemons, with another state directory. */
  ownFile?: string | undefined;
  folders: ProjectFolders;
  supervised: () => readonly Supervised[];
  /** Those of before. */
  names: readonly KeptName[];
  /** Folders of projects that name nothing, as a person has said. */
  forgotten?: () => ReadonlySet<string>;
  /** Milliseconds since the Unix epoch. */
  wall: () => number;
  /** Called after a scan that has named a new folder. */
  onChange?(names: readonly KeptName[]): void;
};

type Read = { command: string; cwd: string; never: boolean; server: ServerWord };

/** Milliseconds. */
const day = 86_400_000;

export function inference(options: InferenceOptions): Infer {
  const { uid, folders, onChange } = options;
  let { names } = options;
  /** By identity: what its command line says. Of processes that listened at the last scan. */
  let read = new Map<string, Read>();
  const twins = new Twins();
  const past = new PastNames();

  function remember(
    { observations }: Scan,
    { named, names, now: at }: Named & { now: number },
  ): void {
    for (const pid of observations.flatMap(({ pids }) => pids)) {
      const its = named.get(pid);
      if (its !== undefined) past.see(its.name, { cwd: its.process.cwd, at });
    }
    // One that a person has given is kept until that person takes it back.
    for (const { name, source, cwd } of names.values()) {
      if (source !== "given") past.see(name, { cwd, at });
    }
  }

  function readingOf(process: ObservedProcess, cwd: string, folder: string): Read {
    const { pid, startedAt, command } = process;
    const key = `${pid} ${startedAt}`;
    const before = read.get(key);
    if (before?.command === command && before.cwd === cwd) return before;
    const words: CommandWords = commandWords(command, [cwd, folder]);
    const never = neverNamedAs(words) !== undefined;
    return { command, cwd, never, server: serverWord(words) };
  }

  function candidatesIn(scan: Scan, its: Named): Map<number, Candidate> {
    const found = new Map<number, Candidate>();
    const now = new Map<string, Read>();
    const { ownPid } = its;
    const forgotten = options.forgotten?.();
    const given = options.supervised();
    const started = new Set(given.flatMap(({ pid }) => pid ?? []));
    const ports = new Set(given.flatMap(({ listens }) => listens));
    for (const { port, pids } of scan.observations) {
      if (ports.has(port) || pids.some((pid) => its.named.has(pid))) continue;
      for (const pid of pids) {
        const process = scan.processes.get(pid);
        if (process === undefined || found.has(pid) || pid === ownPid || its.pids.has(pid))
          continue;
        if (process.uid !== uid || isUnwanted(process, { scan, ownPid })) continue;
        const project = folders.of(process);
        if (project === undefined || forgotten?.has(project.folder)) continue;
        if (options.ownFile !== undefined && process.command.includes(options.ownFile)) continue;
        if (started.size > 0 && !ancestry(pid, scan.processes).isDisjointFrom(started)) continue;
        const reading = readingOf(process, process.cwd!, project.folder);
        now.set(`${pid} ${process.startedAt}`, reading);
        if (!reading.never) found.set(pid, { process, project, server: reading.server });
      }
    }
    read = now;
    return found;
  }

  return (scan, its) => {
    const now = options.wall();
    remember(scan, { ...its, now });
    twins.begin();
    const candidates = candidatesIn(scan, its);
    if (candidates.size === 0) return none;
    const kept = new KeptNames({
      entries: names,
      day: Math.floor(now / day),
      isThere: folders.isThere,
    });
    const isGiven = takenBy(its, options);
    const isTaken = (name: string, project: Project): boolean =>
      isGiven(name, project) || past.isKept(name, { folder: project.folder, now });
    const found = inferredNames(scan, { candidates, kept, isTaken, twins });
    if (kept.changed) {
      names = kept.entries();
      onChange?.(names);
    }
    return found;
  };
}

const none: ReadonlyMap<number, NamedProcess> = new Map();

/** Names of processes and claims, those of projects, and all below a project that is in another folder. */
function takenBy(
  { named, names }: Named,
  { supervised }: Pick<InferenceOptions, "supervised">,
): (name: string, project: Project) => boolean {
  // With the labels of their worktrees.
  const given = new Set([...named.values()].map(({ name }) => name));
  const declared = new Set<string>();
  const bases = new Map<string, Supervised>();
  for (const its of supervised()) {
    const { routeName, instance, domain } = its;
    for (const name of [routeName, instance?.routeName]) if (name !== undefined) declared.add(name);
    bases.set(domain.slice(0, Math.max(0, domain.lastIndexOf("."))), its);
  }
  return (name, { folder, label, repository }) => {
    if (given.has(name) || names.has(name) || declared.has(name)) return true;
    for (const [base, { directory, checkout }] of bases) {
      if (!isUnder(name, base) || isInside(folder, directory)) continue;
      // The same program in another worktree, whose label is in front.
      const isOther = label !== undefined && repository === checkout?.repository;
      if (!isOther) return true;
    }
    return false;
  };
}
