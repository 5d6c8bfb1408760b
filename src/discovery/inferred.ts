/** One scan, folders, and names of before -> names for servers that have none: that of their project. Pure. */
import type { KeptNames } from "./kept-names.ts";
import type { ObservedProcess, Scan } from "./observation.ts";
import type { NamedProcess } from "./process-names.ts";
import type { Project } from "./project.ts";
import { scriptWord } from "./command-words.ts";
import { type Candidate, type Unit, unitsOf } from "./inferred-units.ts";
import type { Twins } from "./inferred-twins.ts";
import { standingOf } from "./standing.ts";
import { oldestFirst } from "./observation.ts";

/** A name of a server that is not to be taken: of a process, a claim or a project. */
export type TakenNames = {
  /** Whether the name, with the label of its worktree, is somebody's already. `project`: the one that asks. */
  isTaken(name: string, project: Project): boolean;
};

export type InferredOptions = TakenNames & {
  /** The processes that may be named, by pid. */
  candidates: ReadonlyMap<number, Candidate>;
  kept: KeptNames;
  /** Remembers the servers of the scan before. */
  twins: Twins;
};

/** By pid: listening processes, and those that they have come of within their server. */
export function inferredNames(scan: Scan, options: InferredOptions): Map<number, NamedProcess> {
  const { candidates, twins, kept } = options;
  const named = new Map<number, NamedProcess>();
  const units = unitsOf(scan, candidates)
    .map((unit) => ({ unit, standing: standingOf(unit.main, scriptOf(unit.main, scan)) }))
    .sort(
      (a, b) =>
        a.standing.rank - b.standing.rank || oldestFirst(a.unit.main.process, b.unit.main.process),
    );
  const names = new Names(options);
  const asking: Asking[] = [];
  const folders = Map.groupBy(units, ({ unit }) => unit.main.project.folder);
  for (const [folder, its] of folders) {
    const kinds = Map.groupBy(its, ({ standing }) => standing.id);
    const withPorts = new Map(
      [...kinds].map(([id, alike]) => {
        const all = { folder, id, units: alike.map(({ unit }) => unit) };
        return [id, twins.withPorts(all, kept)];
      }),
    );
    for (const { unit, standing } of its) {
      const { project } = unit.main;
      const again = withPorts.get(standing.id)?.has(unit) ? unit.port : undefined;
      asking.push({ unit, project, parts: names.partsOf(project, { ...standing, again }) });
    }
  }
  for (const [{ unit, project }, name] of names.givenTo(asking)) {
    const { protocol } = unit.main.server;
    for (const process of withParents(unit, scan)) {
      named.set(process.pid, {
        process,
        key: name,
        name,
        why:
          protocol === undefined
            ? undefined
            : `speaks the protocol of ${protocol}, and not HTTP: it is reached at port ${unit.port}`,
        source: "folder",
        because: project.because,
        unit: unit.main.process.pid,
      });
    }
  }
  return named;
}

/** `parts`: the labels of the name that it has where nobody else has that. */
type Asking = { unit: Unit; project: Project; parts: readonly string[] };

type Wanted = {
  id: string;
  words: readonly string[];
  isPlain: boolean;
  /** The port of one more server of the same kind in the folder. */
  again: number | undefined;
};

/** Labels from the right: the root's, the package's, the server's. */
class Names {
  readonly #used = new Set<string>();
  readonly #options: InferredOptions;

  constructor(options: InferredOptions) {
    this.#options = options;
  }

  /** Those whose names are free come first: a number that another one needs is none of theirs. */
  givenTo(all: readonly Asking[]): Map<Asking, string> {
    const found = new Map<Asking, string>();
    const give = (its: Asking, name: string) => {
      found.set(its, name);
      this.#used.add(visible(name, its.project));
    };
    for (const its of all) {
      const name = its.parts.join(".");
      if (this.#isFree(name, its.project)) give(its, name);
    }
    for (const its of all) if (!found.has(its)) give(its, this.#numbered(its));
    return found;
  }

  #isFree(name: string, project: Project): boolean {
    const whole = visible(name, project);
    return !this.#used.has(whole) && !this.#options.isTaken(whole, project);
  }

  /** On the last label where that helps, since names below a project's are all its own; else on the first. */
  #numbered({ parts, project }: Asking): string {
    const [first = "", ...rest] = parts;
    const { label: scope = "", root, folder } = project;
    const top = { scope, folder: root?.folder ?? folder };
    for (let number = 2; ; number++) {
      const last = `${parts.at(-1)}-${number}`;
      const moved = [...parts.slice(0, -1), last].join(".");
      const numbered = [`${first}-${number}`, ...rest].join(".");
      if (numbered !== moved && this.#isFree(numbered, project)) return numbered;
      if (!this.#options.kept.isOthers(last, top) && this.#isFree(moved, project)) return moved;
    }
  }

  partsOf({ folder, name, root, label = "", isCertain }: Project, wanted: Wanted): string[] {
    const { kept } = this.#options;
    const top = root ?? { folder, name, isCertain };
    const topLabel = kept.give({
      ...{ scope: label, folder: top.folder, id: "" },
      ...{ wanted: [top.name], isCertain: top.isCertain },
    });
    const isPackage = root !== undefined && root.name !== name;
    const asked = { scope: top.folder, folder, id: "", wanted: [name], isCertain };
    const own = isPackage ? [kept.give(asked), topLabel] : [topLabel];
    const { id, words, isPlain, again } = wanted;
    const [first = "", ...rest] = own;
    // A second one of the same kind: `shop-5174`.
    const base = again === undefined ? own : [`${first}-${again}`, ...rest];
    const apart = words.filter((word) => !own.includes(word));
    const labels = [...(isPlain ? [""] : []), ...apart, ...(isPlain ? [] : ["server"])];
    const scope = isPackage ? folder : top.folder;
    const word = kept.give({ scope, folder, id: id || "server", wanted: labels, isCertain: true });
    return word === "" ? base : [word, ...base];
  }
}

/** With the label of its worktree. */
function visible(name: string, { label }: Project): string {
  return label === undefined ? name : `${label}.${name}`;
}

/** The word of the script that started it: `api` of `npm run dev:api`, in the same folder. */
function scriptOf({ process, project }: Candidate, { processes }: Scan): string | undefined {
  let at: ObservedProcess | undefined = process;
  for (let steps = 0; at !== undefined && steps < 16; steps++) {
    const word = scriptWord(at.command);
    if (word !== undefined) return word;
    at = processes.get(at.parent);
    if (at?.uid !== process.uid || at.cwd === undefined) return undefined;
    if (at.cwd !== process.cwd && at.cwd !== project.folder) return undefined;
  }
  return undefined;
}

/** The members, and the processes between them, so that they are one tree. */
function withParents({ members }: Unit, { processes }: Scan): Set<ObservedProcess> {
  const pids = new Set(members.map(({ pid }) => pid));
  const all = new Set(members);
  for (const member of members) {
    const path: ObservedProcess[] = [];
    let at = processes.get(member.parent);
    while (at !== undefined && !pids.has(at.pid) && path.length < 64) {
      path.push(at);
      at = processes.get(at.parent);
    }
    if (at !== undefined && pids.has(at.pid)) for (const its of path) all.add(its);
  }
  return all;
}
