/** Wishes, runs, seen declarations, ports and known projects -> files on disk for the next daemon. */
import type { Clock } from "../../system/clock.ts";
import type { JsonFile } from "../../system/json-file.ts";
import type { Loopback } from "../../system/loopback.ts";
import type { Families } from "../family/family.ts";
import type { Folder } from "./folder.ts";
import { type PortBook, portBook } from "./port-book.ts";
import type { Project } from "./project.ts";
import { type Registry, registryAt, registryPath } from "./registry.ts";
import {
  statePath,
  type KeptProject,
  type KeptRun,
  type KeptState,
  keptSeen,
  stateFile,
} from "./state-file.ts";
import { isWanted } from "./unit.ts";

export type KeptOptions = {
  stateDirectory: string;
  clock: Clock;
  families: Families;
  loopback: Loopback;
  folders(): Iterable<Folder>;
  /** Ports of this daemon. */
  ownPorts(): readonly number[];
  note(text: string): void;
};

export class Kept {
  readonly registry: Registry;
  readonly #options: KeptOptions;
  readonly #file: JsonFile<KeptState>;
  /** A prefix of all run ids: it finds processes that were started but not yet written down. */
  key = hex(8);
  ports: PortBook;
  /** Set once the previous daemon's state was read; writing earlier would lose it. */
  #ready = false;
  /** The next daemon will know the key. */
  #keyKept = false;

  constructor(options: KeptOptions) {
    const { stateDirectory, clock, note } = options;
    this.#options = options;
    this.#file = stateFile({ path: statePath(stateDirectory), clock, note });
    this.registry = registryAt({ path: registryPath(stateDirectory), clock, note });
    this.ports = this.#bookOf({});
  }

  /** Reads the previous daemon's state, and takes over its key. */
  async read(): Promise<KeptState | undefined> {
    const [before] = await Promise.all([this.#file.read(), this.registry.load()]);
    if (before !== undefined) this.key = before.key;
    return before;
  }

  /** Ports go to the services that had them. */
  remember(before: KeptState | undefined): void {
    this.ports = this.#bookOf(before?.ports ?? {});
    this.#keyKept = before !== undefined;
  }

  /** From now on it is written. */
  begin(before: KeptState | undefined): void {
    this.#ready = true;
    if (before !== undefined) this.save();
  }

  save(): void {
    if (this.#ready) this.#file.save(() => this.#state());
  }

  /** Writes the key before the first start: by it the next daemon finds a process that was not written down. */
  async keepKey(): Promise<void> {
    if (this.#keyKept) return;
    this.save();
    await this.#file.flush();
    this.#keyKept = true;
  }

  /** All is written, and nothing is until `goOn`: another daemon may be about to write the files. */
  async halt(): Promise<void> {
    if (!this.#ready) return;
    this.save();
    await this.flush();
    this.#ready = false;
  }

  goOn(): void {
    this.#ready = true;
    this.save();
  }

  async flush(): Promise<void> {
    if (this.#ready) await Promise.all([this.#file.flush(), this.registry.flush()]);
  }

  #state(): KeptState {
    const { families, folders } = this.#options;
    const all = [...folders()];
    return {
      key: this.key,
      boot: families.boot,
      strays: [...families.strays()],
      projects: all
        .flatMap((folder) => keptProject(folder, families) ?? [])
        .filter((its) => its.whole || its.wanted.length > 0 || Object.keys(its.runs).length > 0),
      ports: Object.fromEntries(this.ports.all),
      seen: all.flatMap((folder) =>
        folder.seen !== undefined && this.#mayStart(folder)
          ? [keptSeen(folder.directory, folder.seen)]
          : [],
      ),
      completed: all.flatMap((folder) => this.#completedIn(folder)),
    };
  }

  /** Tasks are not run again because a project was stopped: kept for as long as the project is known. */
  #completedIn({ directory, completed, project }: Folder) {
    const isKnown = this.registry.list().some(({ path }) => path === directory);
    if (!isKnown) return [];
    const tasks = [...completed].filter(
      ([name]) => project === undefined || isTaskIn(project, name),
    );
    return tasks.length === 0 ? [] : [{ directory, tasks }];
  }

  /** True for a folder that is known here, or that the next daemon starts by itself. */
  #mayStart({ directory, project, kept }: Folder): boolean {
    if (project !== undefined || kept !== undefined) return true;
    return this.registry.list().some((its) => its.pinned && its.path === directory);
  }

  #bookOf(remembered: Readonly<Record<string, number>>): PortBook {
    const { loopback, folders, ownPorts } = this.#options;
    const projects = () => [...folders()].flatMap(({ project }) => project ?? []);
    return portBook({
      remembered,
      loopback,
      active: () =>
        new Set(
          projects().flatMap((project) =>
            project
              .units()
              .filter((unit) => isWanted(unit) || unit.service?.run() !== undefined)
              .map(({ id }) => id),
          ),
        ),
      reserved() {
        const declared = projects().flatMap(({ spec }) => [
          ...spec.services.flatMap((its) => its.port ?? []),
          ...(spec.freedPorts ?? []).map((its) => its.port),
        ]);
        return new Set([...declared, ...ownPorts()]);
      },
      onChange: () => this.save(),
    });
  }
}

function keptProject(
  { directory, file, shells, project, kept }: Folder,
  families: Families,
): KeptProject | undefined {
  if (project === undefined) return kept;
  const { whole, wanted, unwanted, dozing, profiles } = project.wishes;
  return {
    name: project.spec.name,
    directory,
    ...(file === undefined ? {} : { file }),
    shelled: shells.shell !== undefined || shells.lost || shells.services.size > 0,
    whole,
    wanted: [...wanted],
    unwanted: [...unwanted],
    dozing: [...dozing],
    profiles: [...profiles],
    runs: runsOf(project, families),
  };
}

function runsOf(project: Project, families: Families): Record<string, KeptRun> {
  const runs: Record<string, KeptRun> = {};
  for (const { spec, service } of project.units()) {
    const run = service?.run();
    if (run === undefined) continue;
    const members = [...families.remembered(run)];
    runs[spec.name] = { ...run, members, signal: spec.stopSignal, timeout: spec.stopTimeout };
  }
  return runs;
}

function isTaskIn(project: Project, name: string): boolean {
  return project.unit(name)?.spec.type === "task";
}

function hex(bytes: number): string {
  return Buffer.from(crypto.getRandomValues(new Uint8Array(bytes))).toString("hex");
}
