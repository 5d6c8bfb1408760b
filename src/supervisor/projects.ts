/** All projects of a daemon: brought up by their folder, kept apart by name and domain, taken over from the daemon before. */
import { realpath } from "node:fs/promises";
import { join } from "node:path";
import type { ProjectSpec, ServiceSpec } from "../manifest/project.ts";
import { nearest } from "../text/nearest.ts";
import { pendingText, upCommand, waitingOf, waitingText } from "../routes/pending.ts";
import { baseOf } from "../manifest/project-name.ts";
import type { RegisteredProject } from "../routes/project-report.ts";
import { isInside, isUnder } from "../routes/name-rights.ts";
import type { Supervised } from "../routes/supervised.ts";
import type { Cancel, Clock } from "../system/clock.ts";
import { type Locked, lockFile } from "../system/file-lock.ts";
import type { Loopback } from "../system/loopback.ts";
import type { Started } from "./project/boot.ts";
import type { Birth } from "./family/census.ts";
import { environmentOf } from "./service/environment.ts";
import type { Families } from "./family/family.ts";
import type { GitHead, GitHeadOptions } from "./project/git-head.ts";
import type { Watched } from "./project/idle.ts";
import { type LogStore, logStore } from "./logs/log-store.ts";
import { type PortBook, portBook } from "./project/port-book.ts";
import { type Declared, type Hear, Project, type ProjectState } from "./project/project.ts";
import type { ReadProject } from "./project/read-project.ts";
import { registryAt } from "./project/registry.ts";
import { type Service, type ServiceEffects, supervise } from "./service/service.ts";
import {
  type KeptProject,
  type KeptRun,
  type KeptState,
  keptSeen,
  seenOf,
  stateFile,
} from "./project/state-file.ts";
import { filledSpec, type Shell } from "./project/unit.ts";
import { admit, approve, nothingSeen, type Seen, type Up } from "./project/unseen-change.ts";
import { type Gauge, usageGauge } from "./family/usage-gauge.ts";
import { type FilesWatch, watchFiles, watchGlobs } from "./project/watch.ts";

export type ProjectsOptions = {
  stateDirectory: string;
  clock: Clock;
  effects: ServiceEffects;
  loopback: Loopback;
  /** This daemon's own environment: of services that were up before it, where no shell is known. */
  shell: Shell;
  read(directory: string, options: { shell: Shell }): Promise<ReadProject>;
  /** Of the git repository that the folder is in. Never rejects. */
  gitHead(directory: string, options: GitHeadOptions): Promise<GitHead>;
  /** What domains may end in, besides `localhost`. */
  tlds: readonly string[];
  /** Of a service of the project with that domain. */
  addressOf(routeName: string, domain: string): { url: string; domain: string };
  /** Variables that name the bundle of authorities; asked before every start of a project. */
  trust(): Promise<Readonly<Record<string, string>>>;
  /** Ports of this daemon. */
  ownPorts(): readonly number[];
  /** No other daemon of this state directory supervises any more; and: this one does not. */
  onOwned(): void;
  onReleased(): void;
  onChange(change: "appeared" | "changed" | "gone", snapshot: Supervised): void;
  /** A sentence for a person. */
  note(text: string): void;
};

export type UpRequest = {
  directory: string;
  /** Undefined: all that is not lazy. */
  names: readonly string[] | undefined;
  /** Undefined: what the project has already, or this daemon's own. */
  shell: Shell | undefined;
  /** What runs is started anew. */
  restart: boolean;
  hear: Hear;
};

/** `refused`: nothing was started; sentences say why. */
export type Brought = Started | { kind: "refused"; reasons: readonly string[] };

export type Named = { kind: "ids"; ids: readonly string[] } | { kind: "none"; why: string };

export type ServiceEnv =
  { kind: "env"; env: Record<string, string> } | { kind: "none"; why: string };

export interface Projects {
  /** What another daemon left is ended, and what should run is started. */
  readonly recovered: Promise<void>;
  /** Takes over from the daemon before, as soon as that has ended. */
  begin(): void;
  /** Never rejects. */
  up(request: UpRequest): Promise<Brought>;
  /** Services by `shop:api`, `api`, or a project's name; all of a folder's project where no name is given. */
  find(name: string | undefined, directory: string | undefined): Promise<Named>;
  stop(ids: readonly string[]): Promise<void>;
  /** Undefined: with the environment that each has. */
  restart(
    ids: readonly string[],
    options: { shell: Shell | undefined; hear: Hear },
  ): Promise<Started>;
  snapshots(): Supervised[];
  specOf(id: string): ServiceSpec | undefined;
  usage: Gauge;
  /** What a service has on top of its shell's environment, by its files as they are now. `shell`: for what refers to it. */
  envOf(
    name: string,
    options: { directory: string | undefined; shell: Shell | undefined },
  ): Promise<ServiceEnv>;
  /** Undefined for a worker. */
  addressOf(id: string): { url: string; domain: string } | undefined;
  readonly logs: LogStore;
  /** A request asks for it. */
  wake(id: string): void;
  /** No request has come for it for its `idle_timeout`. */
  doze(id: string): void;
  /** Those that have an `idle_timeout`. */
  mayDoze(): readonly Watched[];
  registered(): readonly RegisteredProject[];
  /** False where there is no project. */
  pin(directory: string, pinned: boolean): Promise<boolean>;
  clean(): Promise<number>;
  /** Ends all services, remembers what should run, and lets the next daemon have it. Twice is harmless. */
  stopAll(): Promise<void>;
}

/** A project that is known to this daemon. */
type Entry = {
  directory: string;
  project: Project;
  shell: Shell;
  /** What its files say now, where that is wrong. */
  mistakes: readonly string[];
  files: FilesWatch | undefined;
  /** By service. */
  globs: Map<string, { key: string; cancel: Cancel }>;
  /** What waits for `up`, as it was told last. */
  told: string;
  /** Looks in a row at which git was at work. */
  busyLooks: number;
  /** Of the next of them. */
  unlook: Cancel;
};

/** One whose files cannot be read now: it is started when they can. */
type Waiting = { kept: KeptProject; unwatch: Cancel };

/** Milliseconds between two attempts to have the lock. */
const lockPeriod = 50;
/** Milliseconds after which a wait for the other daemon is told. */
const lockPatience = 10_000;

/** Milliseconds until files are looked at again where git was at work. */
const busyPeriod = 500;
/** Looks after which what has changed waits for `up`: ten seconds. A lock may have been left by a git that was killed. */
const mostBusyLooks = 20;

export function projects(options: ProjectsOptions): Projects {
  const { stateDirectory, clock, effects, note, onChange } = options;
  const families: Families = effects.families;
  const entries = new Map<string, Entry>();
  const waiting = new Map<string, Waiting>();
  const turns = new Map<string, Promise<unknown>>();
  /** What a person has seen of each folder's project. */
  const seenIn = new Map<string, Seen>();
  const state = stateFile({ path: join(stateDirectory, "state.json"), clock, note });
  const registry = registryAt({ path: join(stateDirectory, "registry.json"), clock, note });
  const logs = logStore({ directory: join(stateDirectory, "logs"), clock, note });
  const recovered = Promise.withResolvers<void>();
  let key = hex(8);
  let ports: PortBook = bookOf({});
  let trust: Readonly<Record<string, string>> = {};
  let lock: Locked | undefined;
  let owned = false;
  let ready = false;
  /** The next daemon will know the key. */
  let keyKept = false;
  let stopping: Promise<void> | undefined;

  function bookOf(remembered: Readonly<Record<string, number>>): PortBook {
    return portBook({
      remembered,
      loopback: options.loopback,
      active: () => {
        const ids = new Set<string>();
        for (const { project } of entries.values()) {
          for (const unit of project.units()) {
            if (unit.wanted || unit.service?.run() !== undefined) ids.add(unit.id);
          }
        }
        return ids;
      },
      reserved() {
        const declared = [...entries.values()].flatMap(({ project }) =>
          project.spec.services.flatMap(({ port }) => (port === undefined ? [] : [port])),
        );
        return new Set([...declared, ...options.ownPorts()]);
      },
      onChange: save,
    });
  }

  /** Every process of ours has an id that begins with the same key, so that one which was started unseen is found too. */
  const ownEffects: ServiceEffects = { ...effects, runId: () => key + effects.runId() };

  // --- what is kept

  function save(): void {
    // What the last daemon left must not be written over before it is read.
    if (ready) state.save(kept);
  }

  function kept(): KeptState {
    const live = new Set<string>();
    const known = [...entries.values()].map(({ directory, project }) => {
      for (const unit of project.units()) live.add(unit.id);
      return { name: project.spec.name, directory, ...project.state, runs: runsOf(project) };
    });
    const others = [...waiting.values()].map((its) => its.kept);
    return {
      version: 1,
      key,
      boot: families.boot,
      strays: [...families.strays()],
      projects: [...known, ...others]
        .filter((its) => its.whole || its.wanted.length > 0 || Object.keys(its.runs).length > 0)
        .map((its) => ({
          ...its,
          wanted: [...its.wanted],
          unwanted: [...its.unwanted],
          dozing: [...its.dozing],
        })),
      ports: Object.fromEntries(ports.all),
      seen: [...seenIn]
        .filter(([directory]) => mayStart(directory))
        .map(([directory, seen]) => keptSeen(directory, seen)),
    };
  }

  /** It is known here, or the next daemon starts it by itself. */
  function mayStart(directory: string): boolean {
    if (entries.has(directory) || waiting.has(directory)) return true;
    return registry.list().some((its) => its.pinned && its.path === directory);
  }

  function runsOf(project: Project): Record<string, KeptRun> {
    const runs: Record<string, KeptRun> = {};
    for (const { spec, service } of project.units()) {
      const run = service?.run();
      if (run === undefined) continue;
      const members = [...families.remembered(run)];
      runs[spec.name] = { ...run, members, signal: spec.stopSignal, timeout: spec.stopTimeout };
    }
    return runs;
  }

  // --- taking over

  async function recover(): Promise<void> {
    await takeLock();
    if (stopping !== undefined) return;
    options.onOwned();
    owned = true;
    const [before] = await Promise.all([state.read(), registry.load()]);
    if (before !== undefined) {
      key = before.key;
      await endRuns(before);
    }
    ports = bookOf(before?.ports ?? {});
    for (const its of before?.seen ?? []) seenIn.set(its.directory, seenOf(its));
    // A daemon that did not write it down yet has started what was approved.
    const recorded = before?.seen !== undefined;
    ready = true;
    if (before !== undefined) {
      keyKept = true;
      save();
    }
    if (stopping !== undefined) return;
    const pinned = registry.list().filter((its) => its.pinned);
    const should = before?.projects.filter((its) => its.whole || its.wanted.length > 0) ?? [];
    const all = [
      ...should,
      ...pinned
        .filter(({ path }) => !should.some((its) => its.directory === path))
        .map(({ path, name }) => blankProject(name, path)),
    ].map((its) =>
      pinned.some(({ path }) => path === its.directory)
        ? { ...its, whole: true, unwanted: [] }
        : its,
    );
    await Promise.all(
      all.map((its) => {
        const wasUp = should.some(({ directory }) => directory === its.directory);
        const known = seenIn.has(its.directory) || (wasUp && !recorded);
        if (!known) seenIn.set(its.directory, nothingSeen);
        return inTurn(its.directory, () => resume(its));
      }),
    );
  }

  /** The kernel gives it to us when the daemon before has ended its services, or has itself ended. */
  async function takeLock(): Promise<void> {
    const began = clock.now();
    let told = false;
    while (stopping === undefined) {
      try {
        const got = lockFile(join(stateDirectory, "supervisor.lock"));
        if (got.kind === "locked") {
          lock = got;
          return;
        }
      } catch (error) {
        note(`services are started without a lock: ${(error as Error).message}`);
        return;
      }
      if (!told && clock.now() - began > lockPatience) {
        told = true;
        note("another daemon of this state directory still ends its services; ours wait for it");
      }
      await new Promise<void>((resolve) => void clock.after(lockPeriod, resolve));
    }
  }

  async function endRuns(before: KeptState): Promise<void> {
    // Pids and ticks begin anew with each boot.
    const sameBoot = families.boot !== undefined && before.boot === families.boot;
    const runs = before.projects.flatMap((its) =>
      Object.entries(its.runs).map(([name, run]) => ({
        id: `${its.name}:${name}`,
        run: sameBoot ? run : { ...run, birth: undefined, members: undefined },
      })),
    );
    const known = new Set(runs.map(({ run }) => run.runId));
    // Started by a daemon that was killed before it could write of it.
    const unwritten = await families.runsOf(before.key).catch((error: Error) => {
      note(error.message);
      return [];
    });
    for (const run of unwritten) {
      if (known.has(run.runId)) continue;
      const members = { birth: undefined, members: undefined };
      const how = { signal: "SIGTERM", timeout: 5000 } as const;
      runs.push({ id: `pid ${run.pid}`, run: { ...run, ...members, ...how } });
    }
    const strays = sameBoot ? (before.strays ?? []) : [];
    if (strays.length > 0) runs.push({ id: "a service", run: strayRun(strays) });
    await Promise.all(
      runs.map(async ({ id, run }) => {
        const { signal, timeout } = run;
        const ended = await families.end(run, { signal, timeout }).done;
        if (ended.kind === "left")
          note(`${id} of the daemon before cannot be ended: ${ended.pids.join(", ")}`);
      }),
    );
  }

  /** Where no service runs, nobody has a use for what one has left, and no later stop would find it. */
  async function endStrays(): Promise<void> {
    const running = [...entries.values()].some(({ project }) =>
      [...project.units()].some(({ service }) => service?.run() !== undefined),
    );
    const strays = families.strays();
    if (running || strays.length === 0) return;
    const run = strayRun(strays);
    const ended = await families.end(run, run).done;
    if (ended.kind === "left") note(`what services left cannot be ended: ${ended.pids.join(", ")}`);
  }

  async function resume(its: KeptProject): Promise<void> {
    const found = await load(its.directory, { shell: options.shell });
    if (found.kind === "refused") {
      note(`${its.name} is not started: ${found.reasons.join("; ")}`);
      const { cancel: unwatch } = watchFiles(found.files, {
        clock,
        note,
        onChange: () => void inTurn(its.directory, () => retry(its.directory)),
      });
      waiting.set(its.directory, { kept: { ...its, runs: {} }, unwatch });
      return;
    }
    found.entry.project.resume(its, options.shell);
    save();
  }

  async function retry(directory: string): Promise<void> {
    const its = waiting.get(directory);
    if (its === undefined) return;
    its.unwatch();
    waiting.delete(directory);
    await resume(its.kept);
  }

  // --- a folder's project

  /** One after another for each folder. */
  function inTurn<T>(directory: string, action: () => Promise<T>): Promise<T> {
    const mine = (turns.get(directory) ?? Promise.resolve()).then(action, action);
    const settled = mine.catch((error: Error) =>
      note(`${directory}: ${error.stack ?? error.message}`),
    );
    turns.set(directory, settled);
    void settled.then(() => {
      if (turns.get(directory) === settled) turns.delete(directory);
    });
    return mine;
  }

  type Loaded =
    | {
        kind: "entry";
        entry: Entry;
        /** For a person: what was not seen before, and is now. */
        takes: readonly string[];
      }
    | { kind: "refused"; reasons: readonly string[]; files: readonly string[] };

  type LoadOptions = {
    shell: Shell;
    /** Said with `up`; undefined: nobody said it. */
    up?: Up | undefined;
  };

  /** Its files as they are now, applied to what runs as far as a person has seen them. */
  async function load(directory: string, { shell, up }: LoadOptions): Promise<Loaded> {
    const before = seenIn.get(directory);
    const since = before?.head;
    const look = () => options.gitHead(directory, { since, now: clock.now() });
    // Files come before HEAD moves. So what is seen has the HEAD from before they were read, and what is not the one from after.
    const first = await look();
    const read = await options.read(directory, { shell });
    const entry = entries.get(directory);
    if (read.kind === "none") {
      const why = `there is no locald.toml and no Procfile in ${directory}; localhostess init writes one`;
      return { kind: "refused", reasons: [why], files: read.files };
    }
    if (read.kind === "mistakes") {
      if (entry !== undefined) watchEntry(entry, read.files);
      return { kind: "refused", reasons: read.mistakes, files: read.files };
    }
    const conflict = conflictOf(read.project);
    if (conflict !== undefined) {
      return { kind: "refused", reasons: [conflict], files: read.project.files };
    }
    trust = await options.trust();
    const { reviewed, takes, again } = admit(read.project, {
      seen: before,
      first,
      last: await look(),
      up,
      patient: (entry?.busyLooks ?? 0) < mostBusyLooks,
    });
    if (again && entry !== undefined) {
      watchEntry(entry, read.project.files);
      lookAgain(entry);
      return { kind: "entry", entry, takes };
    }
    seenIn.set(directory, reviewed.seen);
    const { spec } = reviewed;
    if (entry !== undefined && entry.project.spec.name === spec.name) {
      entry.mistakes = [];
      entry.busyLooks = 0;
      await entry.project.apply(reviewed, shell);
      watchEntry(entry, spec.files);
      tellPending(entry);
      return { kind: "entry", entry, takes };
    }
    // Under another name, every service is another.
    const former = entry?.project.state;
    if (entry !== undefined) await drop(entry);
    const made: Entry = {
      directory,
      project: projectOf(reviewed),
      shell,
      mistakes: [],
      files: undefined,
      globs: new Map(),
      told: "",
      busyLooks: 0,
      unlook: () => {},
    };
    entries.set(directory, made);
    if (!keyKept) {
      save();
      await state.flush();
      keyKept = true;
    }
    if (former !== undefined) made.project.resume(former, shell);
    watchEntry(made, spec.files);
    if (again) lookAgain(made);
    else tellPending(made);
    return { kind: "entry", entry: made, takes };
  }

  function lookAgain(entry: Entry): void {
    entry.busyLooks += 1;
    entry.unlook();
    entry.unlook = clock.after(busyPeriod, () => void inTurn(entry.directory, () => reload(entry)));
  }

  /** Once, until something else waits. */
  function tellPending(entry: Entry): void {
    const [waits] = waitingOf(entry.project.snapshots());
    const text = waits === undefined ? "" : waitingText(waits);
    if (text === entry.told) return;
    entry.told = text;
    if (waits === undefined) return;
    note(text);
    for (const [name, pending] of waits.services) {
      const unit = entry.project.unit(name);
      if (unit?.service?.run() === undefined) continue;
      const what = pendingText(name, pending);
      logs.of(unit.id).say(`${what} waits for ${upCommand(entry.directory)}: ${pending.why}`);
    }
  }

  function projectOf(declared: Declared): Project {
    const { spec } = declared;
    return new Project(declared, {
      clock,
      logs,
      supervise: (its, given): Service => supervise(its, { ...given, effects: ownEffects }),
      portOf: (id, declared) => ports.of(id, declared),
      claimPort: (id, declared) => ports.claim(id, declared),
      urlOf: (routeName) => options.addressOf(routeName, spec.domain).url,
      trust: () => trust,
      onChange,
      onState: save,
    });
  }

  /** A sentence with both paths, where another project that is up has the name or the address. */
  function conflictOf(spec: ProjectSpec): string | undefined {
    for (const { directory, project } of entries.values()) {
      if (directory === spec.directory || !project.isActive) continue;
      const both = `${directory} and ${spec.directory}`;
      if (project.spec.name === spec.name) {
        return `two projects are named ${spec.name}: ${both}; give one another name in its locald.toml, or stop the other`;
      }
      const [inner, outer] = nestedOf(spec, project.spec);
      if (inner !== undefined && !isInside(inner.directory, outer.directory)) {
        return `${inner.domain} of ${inner.directory} lies under ${outer.domain}, which is the domain of ${outer.directory}; give one another domain in its locald.toml, or stop ${project.spec.name}`;
      }
      if (project.spec.domain === spec.domain) {
        return `two projects have the domain ${spec.domain}: ${both}; give one another domain in its locald.toml, or stop the other`;
      }
      const theirs = new Set(project.spec.services.map(({ routeName }) => routeName));
      const twice = spec.services.find(
        (its) => its.routeName !== undefined && theirs.has(its.routeName),
      );
      if (twice !== undefined) {
        return `two services have the address ${twice.routeName}.localhost: in ${both}; rename one of them, or stop the other project`;
      }
    }
    return undefined;
  }

  /** Which of the two has a domain under the other's, if one has. */
  function nestedOf(
    one: ProjectSpec,
    other: ProjectSpec,
  ): [ProjectSpec, ProjectSpec] | [undefined] {
    const [its, others] = [one, other].map(({ domain }) => baseOf(domain, options.tlds));
    if (its === others) return [undefined];
    if (isUnder(its!, others!)) return [one, other];
    return isUnder(others!, its!) ? [other, one] : [undefined];
  }

  async function drop(entry: Entry): Promise<void> {
    entry.files?.cancel();
    entry.unlook();
    for (const { cancel } of entry.globs.values()) cancel();
    await entry.project.dispose();
    entries.delete(entry.directory);
    save();
  }

  function watchEntry(entry: Entry, files: readonly string[]): void {
    entry.files ??= watchFiles(files, {
      clock,
      note,
      onChange: () => void inTurn(entry.directory, () => reload(entry)),
    });
    entry.files.paths(files);
    const wanted = new Map(
      entry.project.spec.services.flatMap((its) =>
        its.watch.length === 0 ? [] : [[its.name, its] as const],
      ),
    );
    for (const [name, { key: before, cancel }] of [...entry.globs]) {
      const its = wanted.get(name);
      if (its !== undefined && globKey(its) === before) continue;
      cancel();
      entry.globs.delete(name);
    }
    for (const [name, its] of wanted) {
      if (entry.globs.has(name)) continue;
      const cancel = watchGlobs(its.watch, {
        folder: its.workdir,
        clock,
        note,
        onChange: ([first, ...others]) => {
          const more = others.length === 0 ? "" : ` and ${others.length} more`;
          entry.project.renew(name, `${first}${more} changed`);
        },
      });
      entry.globs.set(name, { key: globKey(its), cancel });
    }
  }

  /** A file has changed. */
  async function reload(entry: Entry): Promise<void> {
    if (stopping !== undefined || entries.get(entry.directory) !== entry) return;
    const found = await load(entry.directory, { shell: entry.shell });
    if (found.kind === "entry") {
      save();
      return;
    }
    const again = String(found.reasons) === String(entry.mistakes);
    entry.mistakes = found.reasons;
    if (again) return;
    const name = entry.project.spec.name;
    note(`${name} goes on as it was, as its files have mistakes: ${found.reasons.join("; ")}`);
    for (const unit of entry.project.units()) {
      if (unit.service?.run() !== undefined) {
        logs.of(unit.id).say(`not reloaded: ${found.reasons.join("; ")}`);
      }
    }
  }

  // --- names

  async function find(name: string | undefined, from: string | undefined): Promise<Named> {
    const directory = from === undefined ? undefined : await real(from);
    const here = directory === undefined ? undefined : entries.get(directory);
    if (name === undefined) {
      if (here === undefined) {
        return { kind: "none", why: `no project of ${directory ?? "any folder"} is up` };
      }
      return { kind: "ids", ids: [...here.project.units()].map(({ id }) => id) };
    }
    const units = [...entries.values()].flatMap(({ project }) => [...project.units()]);
    const exact = units.find(({ id }) => id === name);
    if (exact !== undefined) return { kind: "ids", ids: [exact.id] };
    const own = here?.project.unit(name);
    if (own !== undefined) return { kind: "ids", ids: [own.id] };
    const others = units.filter(({ spec }) => spec.name === name);
    if (others.length === 1) return { kind: "ids", ids: [others[0]!.id] };
    if (others.length > 1) {
      const ids = others.map(({ id }) => id).join(", ");
      return { kind: "none", why: `${name} is in several projects: ${ids}; say which` };
    }
    const whole = [...entries.values()].find(({ project }) => project.spec.name === name);
    if (whole !== undefined) {
      return { kind: "ids", ids: [...whole.project.units()].map(({ id }) => id) };
    }
    const near = nearest(name, [
      ...units.map(({ id }) => id),
      ...units.map(({ spec }) => spec.name),
    ]);
    const hint = near === undefined ? "" : `; did you mean ${near}?`;
    return { kind: "none", why: `no service is named ${JSON.stringify(name)}${hint}` };
  }

  function unitOf(id: string) {
    const [project, name] = id.split(":");
    for (const entry of entries.values()) {
      if (entry.project.spec.name !== project) continue;
      const unit = entry.project.unit(name ?? "");
      if (unit !== undefined) return { entry, unit };
    }
    return undefined;
  }

  function byProject(ids: readonly string[]): { entry: Entry; names: string[] }[] {
    return [...entries.values()].flatMap((entry) => {
      const names = ids.flatMap((id) => {
        const unit = unitOf(id);
        return unit?.entry === entry ? [unit.unit.spec.name] : [];
      });
      return names.length === 0 ? [] : [{ entry, names }];
    });
  }

  async function bring({ directory, names, restart, hear, ...its }: UpRequest): Promise<Brought> {
    const shell = its.shell ?? entries.get(directory)?.shell ?? options.shell;
    hear({ type: "StepStarted", data: { id: "config", description: "Loading configuration" } });
    waiting.get(directory)?.unwatch();
    waiting.delete(directory);
    const isNew = !entries.has(directory);
    const wasSeen = seenIn.has(directory);
    const found = await inTurn(directory, async () => {
      const loaded = await load(directory, { shell, up: { names } });
      if (loaded.kind === "entry") loaded.entry.shell = shell;
      return loaded;
    });
    const refuse = (reasons: readonly string[]): Brought => {
      const Err = reasons.join("\n");
      hear({ type: "StepFinished", data: { id: "config", result: { Err } } });
      return { kind: "refused", reasons };
    };
    if (found.kind === "refused") return refuse(found.reasons);
    const { project } = found.entry;
    const known = project.spec.services.map(({ name }) => name);
    const own = names?.map((name) => name.replace(`${project.spec.name}:`, ""));
    const wrong = own?.filter((name) => !known.includes(name)) ?? [];
    if (wrong.length > 0) {
      if (isNew && !project.isActive) await drop(found.entry);
      // What was refused is not what a person has said yes to.
      if (!wasSeen) seenIn.delete(directory);
      return refuse(
        wrong.map((name) => {
          const near = nearest(name, known);
          const hint =
            near === undefined ? `; there are ${known.join(", ")}` : `; did you mean ${near}?`;
          return `${project.spec.name} has no service ${JSON.stringify(name)}${hint}`;
        }),
      );
    }
    if (found.takes.length > 0) {
      const message = `takes what is new: ${found.takes.join(", ")}`;
      hear({ type: "StepProgress", data: { id: "config", message } });
      note(`${project.spec.name}: up ${message}`);
    }
    hear({ type: "StepFinished", data: { id: "config", result: { Ok: null } } });
    registry.seen(directory, project.spec.name);
    const started = restart
      ? project.restart({ names: own, shell, hear })
      : project.up({ names: own, shell, hear });
    return await started;
  }

  return {
    recovered: recovered.promise,
    begin() {
      recover()
        .catch((error: Error) => note(`what ran before cannot be taken over: ${error.message}`))
        .finally(() => recovered.resolve());
    },
    async up(request) {
      await recovered.promise;
      if (stopping !== undefined)
        return { kind: "refused", reasons: ["the daemon is about to end"] };
      try {
        return await bring({ ...request, directory: await real(request.directory) });
      } catch (error) {
        return { kind: "refused", reasons: [(error as Error).message] };
      }
    },
    find,
    async stop(ids) {
      await Promise.all(
        byProject(ids).map(({ entry, names }) => {
          const all = names.length === [...entry.project.units()].length;
          return entry.project.stop(all ? undefined : names);
        }),
      );
      await endStrays();
      await state.flush();
    },
    async restart(ids, { shell, hear }) {
      const all = await Promise.all(
        byProject(ids).map(({ entry, names }) =>
          entry.project.restart({ names, shell: shell ?? entry.shell, hear }),
        ),
      );
      const reasons = all.flatMap((its) => (its.kind === "failed" ? its.reasons : []));
      return reasons.length === 0 ? { kind: "ready" } : { kind: "failed", reasons };
    },
    snapshots() {
      return [...entries.values()].flatMap(({ project, mistakes }) => {
        const warning =
          mistakes[0] === undefined ? [] : [`its files have mistakes: ${mistakes[0]}`];
        return project
          .snapshots()
          .map((its) =>
            warning.length === 0 ? its : { ...its, warnings: [...its.warnings, ...warning] },
          );
      });
    },
    specOf: (id) => unitOf(id)?.unit.spec,
    usage: usageGauge({
      clock,
      families,
      runs: () =>
        [...entries.values()].flatMap(({ project }) =>
          [...project.units()].flatMap(({ id, service }) => {
            const run = service?.run();
            return run === undefined ? [] : [{ id, run }];
          }),
        ),
    }),
    async envOf(name, { directory, shell }) {
      await recovered.promise;
      if (directory !== undefined) {
        const path = await real(directory);
        const given = shell ?? entries.get(path)?.shell ?? options.shell;
        const loaded = await inTurn(path, () => load(path, { shell: given }));
        if (loaded.kind === "refused") return { kind: "none", why: loaded.reasons.join("\n") };
      }
      const named = await find(name, directory);
      if (named.kind === "none") return named;
      if (named.ids.length > 1) {
        return {
          kind: "none",
          why: `${name} is a project; say which service: ${named.ids.join(", ")}`,
        };
      }
      const { unit, entry } = unitOf(named.ids[0]!)!;
      const { spec } = entry.project;
      const portOf = (other: string): number | undefined => {
        const its = entry.project.unit(other);
        return its?.spec.type === "exec" ? ports.of(its.id, its.spec.port) : undefined;
      };
      const filled = filledSpec(
        { spec: unit.spec, shell: shell ?? entry.shell },
        { project: spec, portOf },
      );
      if (filled.kind === "mistakes") return { kind: "none", why: filled.mistakes.join("\n") };
      const { routeName } = unit.spec;
      const env = environmentOf(
        // A command has the terminal that it is run in.
        { ...filled.spec, pty: false },
        {
          shell: {},
          port: portOf(unit.spec.name),
          url: routeName === undefined ? undefined : options.addressOf(routeName, spec.domain).url,
          trust: await options.trust(),
          run: undefined,
        },
      );
      return { kind: "env", env };
    },
    addressOf(id) {
      const found = unitOf(id);
      const routeName = found?.unit.spec.routeName;
      if (found === undefined || routeName === undefined) return undefined;
      return options.addressOf(routeName, found.entry.project.spec.domain);
    },
    logs,
    wake(id) {
      const found = unitOf(id);
      found?.entry.project.wake(found.unit.spec.name);
    },
    doze(id) {
      const found = unitOf(id);
      void found?.entry.project.doze(found.unit.spec.name);
    },
    mayDoze: () =>
      [...entries.values()].flatMap(({ project }) =>
        [...project.units()].flatMap(({ id, spec: { idleTimeout, routeName }, service }) => {
          if (idleTimeout === undefined || routeName === undefined) return [];
          const { state, readyAt } = service?.snapshot() ?? {
            state: "stopped",
            readyAt: undefined,
          };
          const well = state === "ready" || state === "unready";
          return [{ id, routeName, idleTimeout, readyAt: well ? readyAt : undefined }];
        }),
      ),
    registered: () => registry.list(),
    async pin(directory, pinned) {
      const path = await real(directory);
      const known = registry.pin(path, pinned);
      if (pinned && !seenIn.has(path)) {
        // Who has it start with the daemon has seen what it starts.
        const head = await options.gitHead(path, { since: undefined, now: clock.now() });
        const read = await options.read(path, { shell: options.shell });
        if (read.kind === "project") {
          const names = undefined;
          seenIn.set(path, approve(read.project, { seen: undefined, names, head }));
          registry.seen(path, read.project.name);
          registry.pin(path, true);
        } else if (!known) return false;
      } else if (!known) return false;
      save();
      await Promise.all([registry.flush(), state.flush()]);
      return true;
    },
    async clean() {
      const gone = await registry.clean();
      await registry.flush();
      return gone.length;
    },
    stopAll() {
      stopping ??= (async () => {
        for (const { files, unlook, globs } of entries.values()) {
          files?.cancel();
          unlook();
          for (const { cancel } of globs.values()) cancel();
        }
        for (const { unwatch } of waiting.values()) unwatch();
        await Promise.all([...entries.values()].map(({ project }) => project.rest()));
        await endStrays();
        if (entries.size > 0) save();
        if (ready) await Promise.all([state.flush(), registry.flush()]);
        await logs.close();
        if (owned) options.onReleased();
        if (lock?.kind === "locked") lock.release();
      })();
      return stopping;
    },
  };

  function globKey({ watch, workdir }: ServiceSpec): string {
    return JSON.stringify([workdir, watch]);
  }
}

/** A run that nobody started: what it is to end is in `members`. */
function strayRun(members: readonly Birth[]): KeptRun {
  const identity = { pid: 0, startedAt: 0, runId: "0".repeat(32), birth: undefined };
  return { ...identity, members: [...members], signal: "SIGTERM", timeout: 5000 };
}

function blankProject(name: string, directory: string): KeptProject & ProjectState {
  return { name, directory, whole: true, wanted: [], unwanted: [], dozing: [], runs: {} };
}

/** Two ways to one folder are one project. */
async function real(path: string): Promise<string> {
  return await realpath(path).catch(() => path);
}

function hex(bytes: number): string {
  return Buffer.from(crypto.getRandomValues(new Uint8Array(bytes))).toString("hex");
}
