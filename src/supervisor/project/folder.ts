/** A folder -> its project, loaded as far as a person has seen its files, and reloaded as they change. */
import type { ProjectSpec } from "../../manifest/project.ts";
import { goneText } from "../../routes/state-sentence.ts";
import { pendingText, upCommand, waitingOf, waitingText } from "../../routes/pending.ts";
import type { Cancel, Clock } from "../../system/clock.ts";
import type { FolderEvents } from "../../system/folder-events.ts";
import { folderIdentity, isSameFolder } from "../../system/folder-identity.ts";
import type { OwnDescriptors } from "../../system/own-descriptors.ts";
import type { Ending } from "../family/ending.ts";
import type { LogStore } from "../logs/log-store.ts";
import type { FolderShells } from "./handover.ts";
import type { GitHead, GitHeadOptions } from "./git-head.ts";
import { type Move, movedRoot, movedService, movedSpec } from "./moved-spec.ts";
import { isService, nameNotes, namesToTry, worktreeOf } from "./naming.ts";
import { type HandedFolder, type HandedShell, sayable } from "./handed-project.ts";
import type { HandedUnits, Project } from "./project.ts";
import type { AskedNaming, ReadProject } from "./read-project.ts";
import type { KeptNaming } from "./registry.ts";
import type { KeptProject } from "./state-file.ts";
import { type Completed, isWanted, type Shell, type Unit } from "./unit.ts";
import type { Declared } from "./units.ts";
import { admit, nothingSeen, type Seen, type Up } from "./unseen-change.ts";
import { type Fingerprints, fingerprintsOf } from "./watch-files.ts";
import { Watches } from "./watches.ts";

export type ReadOptions = { shell: Shell; file: string | undefined; naming?: AskedNaming };

export type FolderEffects = {
  clock: Clock;
  events: FolderEvents;
  logs: LogStore;
  /** This daemon's own environment: of services that were up before it, where no shell is known. */
  shell: Shell;
  read(directory: string, options: ReadOptions): Promise<ReadProject>;
  /** Reads HEAD of the git repository that the folder is in. Never rejects. */
  gitHead(directory: string, options: GitHeadOptions): Promise<GitHead>;
  /** Why it cannot be up beside the projects that are. */
  conflictOf(spec: ProjectSpec): string | undefined;
  /** Another folder, which is known and there, of a project with that name. */
  holderOf(spec: ProjectSpec): string | undefined;
  /** Awaited before a service of the folder starts or restarts. */
  prepare(): Promise<void>;
  make(declared: Declared, completed: Map<string, Completed>): Project;
  /** Called when what its services are told of the folder's files has changed. */
  onDoubt(folder: Folder): void;
  /** Called when the folder, of a linked worktree, is not where it was, or another one is there. */
  onGone(folder: Folder): void;
  /** Called when the state for the next daemon changed. */
  onState(): void;
  /** The daemon is about to end. */
  isOver(): boolean;
  note(text: string): void;
};

export type Loaded =
  | {
      kind: "project";
      project: Project;
      /** For a person: changes that this `up` approves. */
      takes: readonly string[];
      /** For a person: how it is named here, and what it has of its own. */
      notes: readonly string[];
    }
  | { kind: "refused"; reasons: readonly string[]; files: Fingerprints };

export type LoadOptions = {
  shell: Shell;
  /** The services that `up` names; undefined: nobody said `up`. */
  up?: Up | undefined;
  /** With `up`: the file that declares the project; undefined: locald.toml or a Procfile. */
  file?: string | undefined;
  /** With `up`: the project's name here; null: the one that its files say. */
  name?: string | null | undefined;
};

/** Warnings about its files that every service reports: a file that is no env file at all has one for each line. */
const mostWarnings = 10;

/** Milliseconds until files are looked at again where git was at work. */
const busyPeriod = 500;
/** Milliseconds until files are looked at again where that failed. */
const failedPeriod = 2000;
/** Reads until the files that a project has stay the same: each layer may name others. */
const mostReads = 5;
/** Looks after which a change waits for `up`: ten seconds. A killed git may have left its lock. */
const mostBusyLooks = 20;

export class Folder {
  #directory: string;
  readonly #effects: FolderEffects;
  readonly #watches: Watches;
  /** The declarations that a person has seen; undefined: the project is unknown. */
  seen: Seen | undefined;
  /** The name of the file that the last `up` gave. */
  file: string | undefined;
  /** Set once its files were read. */
  project: Project | undefined;
  /** The wishes of a project whose files cannot be read now: it starts when they can. */
  kept: KeptProject | undefined;
  /** The last completed run of each task, by name. */
  readonly completed = new Map<string, Completed>();
  /** How it was named at the last `up`. */
  naming: KeptNaming = {};
  /** A declaration that is about to be up: no other folder may take its names meanwhile. */
  coming: ProjectSpec | undefined;
  /** Notes of the last `up`, so that they are told once. */
  #noted: readonly string[] = [];
  /** The folder at the last `up`; undefined where that is not known. */
  identity: string | undefined;
  /** There was no folder at the last look. */
  #isGone = false;
  /** The environment of the shell that said `up` last. */
  shell: Shell;
  /** In the place of the environment of a shell that no daemon knows any more. */
  standIn: Shell | undefined;
  /** The shells that the daemon before has handed over. */
  #inherited: FolderShells | undefined;
  /** Errors in its files as they are now. */
  mistakes: readonly string[] = [];
  /** The last report of what waits for `up`. */
  #told = "";
  /** Looks in a row at which git was at work. */
  #busyLooks = 0;
  #cancelLook: Cancel | undefined;
  /** A look that has been asked for, and has not begun. */
  #due: Promise<void> | undefined;
  /** Why the last look failed, as it was reported. */
  #failure: string | undefined;
  #turn: Promise<unknown> = Promise.resolve();
  /** Actions that have not ended. */
  #turns = 0;
  /** While another daemon may be about to take over: services of which a watched file has changed, with what it was. */
  #missed: Map<string, string> | undefined;

  constructor(directory: string, effects: FolderEffects) {
    this.#directory = directory;
    this.#effects = effects;
    this.shell = effects.shell;
    this.#watches = new Watches({
      clock: effects.clock,
      events: effects.events,
      onFiles: () => void this.#lookSoon(),
      onWatched: (service, what, paths) => {
        if (this.#missed === undefined) this.project?.renew(service, `${what} changed`, { paths });
        else this.#missed.set(service, what);
      },
      onTrouble: (service, trouble) => this.#tellTrouble(service, trouble),
    });
  }

  /** Absolute. */
  get directory(): string {
    return this.#directory;
  }

  /** True while nothing is known of the folder, and no action runs on it. */
  get isBlank(): boolean {
    const { seen, project, kept, completed } = this;
    const isUnknown = [seen, project, kept, this.coming].every((its) => its === undefined);
    return isUnknown && completed.size === 0 && this.#turns === 0;
  }

  /** The shells of its services, for the next daemon. */
  get shells(): FolderShells {
    const { project, standIn, shell } = this;
    const blank = { shell: undefined, lost: false, services: new Map() };
    if (project === undefined) return this.#inherited ?? blank;
    const isKnown = (its: Shell): boolean => its !== standIn && its !== this.#effects.shell;
    const services = new Map<string, Shell>();
    for (const unit of project.units()) {
      if (unit.shell !== shell && isKnown(unit.shell)) services.set(unit.spec.name, unit.shell);
    }
    return { shell: isKnown(shell) ? shell : undefined, lost: shell === standIn, services };
  }

  /** True while the folder is not where it was. */
  get isGone(): boolean {
    return this.#isGone;
  }

  #goneText(): string {
    const { directory, project } = this;
    return goneText({ directory, project: project?.spec.name ?? directory });
  }

  #lacksShell(unit: Unit): boolean {
    const { own, command, hooks } = unit.spec;
    // No program runs for it that could miss something.
    const isStill = own?.kind === "site" && command === "" && Object.keys(hooks).length === 0;
    return this.standIn !== undefined && unit.shell === this.standIn && isWanted(unit) && !isStill;
  }

  #lostText(): string {
    return `runs without the environment of the shell that ran up, which was lost with the daemon before; ${upCommand(this.directory)} passes it on`;
  }

  /** One after another. */
  inTurn<T>(action: () => Promise<T>): Promise<T> {
    this.#turns += 1;
    const mine = this.#turn.then(action).finally(() => {
      this.#turns -= 1;
    });
    this.#turn = mine.catch((error: Error) =>
      this.#effects.note(`${this.directory}: ${error.stack ?? error.message}`),
    );
    return mine;
  }

  /** Its files as they are now, applied to what runs as far as a person has seen them. In turn. */
  async load({
    shell,
    up,
    file = up === undefined ? this.file : undefined,
    name: asked,
  }: LoadOptions): Promise<Loaded> {
    const { directory, seen, project } = this;
    const { clock, gitHead } = this.#effects;
    const look = () => gitHead(directory, { since: seen?.head, now: clock.wall() });
    // Files come before HEAD moves. So what is seen gets the HEAD from before the read, and what is unseen the one from
    // after.
    const first = await look();
    const named = () => this.#readNamed({ shell, file }, { up, asked });
    let found = await named();
    // Another folder has taken the name while this one was read.
    if (up !== undefined && this.#conflictOf(found.read) !== undefined) found = await named();
    const { read, files, naming, taken } = found;
    const now = folderIdentity(directory);
    if (read.kind === "none") {
      this.#isGone = now === "";
      const why = this.#isGone
        ? `its folder ${directory} is gone`
        : `no locald.toml, Procfile.dev or Procfile in ${directory}; create one with: localhostess init`;
      if (project !== undefined) this.#watch(files, { settled: true });
      // A folder that is being deleted loses its files first, and none of them tells when it is gone.
      if (this.naming.label !== undefined && !this.#isGone) this.#lookAfter(failedPeriod);
      return { kind: "refused", reasons: [why], files };
    }
    if (read.kind === "mistakes") {
      if (project !== undefined) this.#watch(files, { settled: true });
      return { kind: "refused", reasons: read.mistakes, files };
    }
    if (up === undefined && project?.isActive && read.project.services.length === 0) {
      this.#watch(files, { settled: true });
      const why = `its files declare no services any more, and what runs goes on; ${upCommand(directory)} takes them as they are`;
      return { kind: "refused", reasons: [why], files };
    }
    this.#isGone = false;
    const isReplaced = isAnother(this.identity, now);
    const isOther = isReplaced && up === undefined;
    const { name } = read.project;
    if (isOther && (project?.spec ?? this.kept ?? read.project).name !== name) {
      if (project !== undefined) this.#watch(files, { settled: true });
      const why = `${directory} is another folder now, with the project ${name}; ${upCommand(directory)} starts it`;
      return { kind: "refused", reasons: [why], files };
    }
    const conflict = this.#conflictOf(read);
    if (conflict !== undefined) {
      // Looked at again by itself: the other project may stop meanwhile.
      if (project !== undefined) this.#watch(files, { settled: false });
      return { kind: "refused", reasons: [conflict], files };
    }
    if (up !== undefined) this.coming = read.project;
    await this.#effects.prepare();
    const patient = this.#busyLooks < mostBusyLooks;
    const last: GitHead = isOther
      ? { kind: "unknown", why: `${directory} is another folder than at the last up` }
      : await look();
    const { reviewed, takes, again } = admit(read.project, { seen, first, last, up, patient });
    if (again && project !== undefined) {
      this.#watch(files, { settled: false });
      this.#lookAgain();
      return { kind: "project", project, takes, notes: [] };
    }
    this.seen = reviewed.seen;
    this.file = file;
    if (!isOther) this.identity = now;
    if (up !== undefined) this.naming = { ...naming, ...worktreeOf(read.project) };
    // Running services stand in the folder that was there before.
    const loaded = await this.#take(reviewed, { shell, anew: isReplaced && !isOther });
    this.#watch(files, { settled: !again });
    if (again) this.#lookAgain();
    else this.#tellPending(loaded);
    const notes = nameNotes(read.project, { taken, labelNow: read.labelNow });
    const fresh = notes.filter((note) => !this.#noted.includes(note));
    if (up !== undefined) this.#noted = notes;
    return { kind: "project", project: loaded, takes, notes: fresh };
  }

  #conflictOf(read: ReadProject): string | undefined {
    return read.kind === "project" ? this.#effects.conflictOf(read.project) : undefined;
  }

  /** Its files, under the name that it has: where another folder has that, under one that this `up` can give it. */
  async #readNamed(
    options: Omit<ReadOptions, "naming">,
    { up, asked }: Pick<LoadOptions, "up"> & { asked: LoadOptions["name"] },
  ): Promise<{
    read: ReadProject;
    files: Fingerprints;
    naming: KeptNaming;
    /** A clause: why it has not the name that it would have. */
    taken: string | undefined;
  }> {
    // Whatever its branch is now, what runs keeps its names, also one without a label.
    const stays = this.project !== undefined && (up === undefined || this.project.isActive);
    // One that was never up is named as it was read.
    const { label = this.project?.spec.checkout?.label, instead: before } = this.naming;
    const forgets = asked === null || (up !== undefined && !stays && label !== undefined);
    const kept: KeptNaming = {
      given: asked === undefined ? this.naming.given : (asked ?? undefined),
      // In a worktree, another branch has another name.
      instead: forgets ? undefined : before,
    };
    const otherwise = up === undefined ? label : undefined;
    const naming = { ...kept, label: stays ? (label ?? null) : otherwise };
    const first = await this.#read({ ...options, naming });
    const own = { ...first, naming: kept, taken: undefined };
    if (up === undefined || stays || kept.given !== undefined) return own;
    const taken = this.#takenWhy(first.read);
    if (first.read.kind !== "project" || taken === undefined) return own;
    for (const instead of namesToTry(first.read.project)) {
      const other = await this.#read({ ...options, naming: { ...naming, instead } });
      const isFree =
        other.read.kind === "project" &&
        other.read.project.name === instead &&
        this.#conflictOf(other.read) === undefined &&
        this.#effects.holderOf(other.read.project) === undefined;
      if (isFree) return { ...other, naming: { ...kept, instead }, taken };
    }
    return { ...own, taken };
  }

  /** Another folder has the name; a worktree's may also be that of a service, or lie under the domain of a clone. */
  #takenWhy(read: ReadProject): string | undefined {
    if (read.kind !== "project" || this.project?.spec.name === read.project.name) return undefined;
    const holder = this.#effects.holderOf(read.project);
    if (holder !== undefined) return `${holder} has the name already`;
    const { label } = read.project.checkout ?? {};
    if (label === undefined) return undefined;
    const isOwn = read.project.name.startsWith(`${label}.`);
    if (isOwn && isService(label, read.project)) return `${label} is a service of it too`;
    return this.#conflictOf(read)?.split(";")[0];
  }

  /** Says so in the log of each service that starts without its shell's environment, and once in the daemon's. */
  #tellLost(project: Project): void {
    const lacking = project.units().filter((unit) => this.#lacksShell(unit));
    if (lacking.length === 0) return;
    this.#effects.note(`${project.spec.name} ${this.#lostText()}`);
    for (const { id } of lacking) this.#effects.logs.of(id).say(this.#lostText());
  }

  /** Starts what the previous daemon ran; where its files cannot be read now, when they can. Never rejects. */
  resume(kept: KeptProject, known: FolderShells): Promise<void> {
    this.kept = { ...kept, runs: {} };
    this.file = kept.file;
    this.#inherited = known;
    if (known.lost) this.standIn ??= { ...this.#effects.shell };
    return this.#lookSoon();
  }

  /** The folder is at another path. Whatever runs goes on; what is not approved stays so. In turn. */
  async moved(to: string): Promise<void> {
    const move: Move = { from: this.#directory, to };
    const { project, kept, seen } = this;
    this.#directory = to;
    this.#isGone = false;
    this.mistakes = [];
    const { root } = this.naming;
    if (root !== undefined) this.naming = { ...this.naming, root: movedRoot(root, move) };
    if (seen !== undefined) {
      const specs = [...seen.specs].map(
        ([name, spec]) => [name, movedService(spec, move)] as const,
      );
      this.seen = { ...seen, specs: new Map(specs) };
    }
    if (project !== undefined) {
      const spec = movedSpec(project.spec, move);
      project.moved(spec);
      this.#watch(fingerprintsOf(spec.files), { settled: true });
      this.#effects.onDoubt(this);
    }
    this.#effects.onState();
    if (kept === undefined) return;
    this.kept = { ...kept, directory: to };
    void this.#lookSoon();
  }

  /** Stops waiting for files that could not be read. */
  forgetKept(): void {
    this.kept = undefined;
    if (this.project === undefined) this.#watches.close();
  }

  // --- another daemon takes over

  /** True unless something is under way that another daemon could not go on with. */
  get isSettled(): boolean {
    return this.#turns === 0 && (this.project?.isSettled ?? true);
  }

  /** Undefined where there is no project: state.json says what is to be started. */
  async halt(
    own: OwnDescriptors,
    place: (shell: Shell) => number,
  ): Promise<{ handed: HandedFolder; streams: HandedUnits["streams"] } | undefined> {
    const { directory, file, project, standIn } = this;
    if (project === undefined) return undefined;
    this.#missed = new Map();
    this.#cancelLook?.();
    const watchedUntil = this.#effects.clock.wall();
    const placed = (shell: Shell): HandedShell => {
      if (shell === standIn) return "lost";
      return shell === this.#effects.shell ? "own" : place(shell);
    };
    const { units, streams } = await project.halt({ own, place: placed });
    const { whole, profiles } = project.wishes;
    return {
      handed: {
        ...{ directory, file, whole, watchedUntil },
        spec: sayable(project.spec) as typeof project.spec,
        shell: placed(this.shell),
        isLost: standIn !== undefined,
        profiles: [...profiles],
        units: [...units],
      },
      streams,
    };
  }

  goOn(): void {
    const missed = this.#missed ?? [];
    this.#missed = undefined;
    this.project?.goOn();
    for (const [service, what] of missed) this.project?.renew(service, `${what} changed`);
    void this.#lookSoon();
  }

  /** Another daemon has it. Returns what it may not have seen: files of services that have changed meanwhile. */
  leave(ended: (pid: number, ending: Ending) => void): ReadonlyMap<string, string> {
    this.#watches.flush();
    this.close();
    this.project?.leave(ended);
    return this.#missed ?? new Map();
  }

  /**
   * Goes on with the project of the daemon before, whatever its files say now: they are looked at later. Returns
   * services that could not be adopted, with the reason.
   */
  async adopt(
    handed: HandedFolder,
    { streams, environments }: { streams: HandedUnits["streams"]; environments: readonly Shell[] },
  ): Promise<ReadonlyMap<string, string>> {
    if (handed.isLost) this.standIn ??= { ...this.#effects.shell };
    const shellOf = (place: HandedShell): Shell => {
      if (place === "lost") return this.standIn ?? this.#effects.shell;
      return place === "own" ? this.#effects.shell : (environments[place] ?? this.#effects.shell);
    };
    const { spec } = handed;
    const pending = new Map(
      handed.units.flatMap(({ name, unseen }) =>
        unseen === undefined ? [] : [[name, unseen] as const],
      ),
    );
    const known = spec.services.filter(({ name }) => pending.get(name)?.held !== true);
    const specs = new Map(known.map((its) => [its.name, its] as const));
    this.seen = { ...(this.seen ?? nothingSeen), specs };
    this.file = handed.file;
    this.naming = { ...this.naming, ...worktreeOf(spec) };
    this.project = this.#effects.make({ spec, pending }, this.completed);
    this.shell = shellOf(handed.shell);
    const failed = await this.project.adopt(handed, { streams, shellOf });
    this.#watch(fingerprintsOf(spec.files), { settled: true, since: handed.watchedUntil });
    return failed;
  }

  /** Starts what should run beside the rest: what the daemon before left behind has ended. */
  async takeUp(handed: HandedFolder): Promise<void> {
    await this.#effects.prepare();
    this.project?.takeUp(handed);
    await this.#lookSoon();
  }

  /** Ends all services: the project is gone. */
  async drop(): Promise<void> {
    this.close();
    await this.project?.dispose();
    this.project = undefined;
    this.#effects.onState();
  }

  /** Looks at no files any more. Twice is harmless. */
  close(): void {
    this.#watches.close();
    this.#cancelLook?.();
  }

  async #take(
    declared: Declared,
    { shell, anew }: { shell: Shell; anew: boolean },
  ): Promise<Project> {
    const { project } = this;
    this.mistakes = [];
    this.#busyLooks = 0;
    if (project !== undefined && project.spec.name === declared.spec.name && !anew) {
      await project.apply(declared, shell);
      return project;
    }
    // Under another name, or in another folder, every service is another.
    const former = project?.wishes;
    if (project !== undefined) await this.drop();
    const made = this.#effects.make(declared, this.completed);
    this.project = made;
    this.shell = shell;
    this.#told = "";
    if (former !== undefined) made.resume(former, { shell, services: new Map() });
    return made;
  }

  /** Its files, each with its fingerprint from before it was read: a change meanwhile must not be missed. */
  async #read(options: ReadOptions): Promise<{ read: ReadProject; files: Fingerprints }> {
    let before = this.#watches.fingerprints();
    for (let left = mostReads; ; left--) {
      const read = await this.#effects.read(this.directory, options);
      const paths = read.kind === "project" ? read.project.files : read.files;
      const unknown = paths.filter((path) => !before.has(path));
      if (unknown.length === 0 || left <= 0) {
        return { read, files: new Map(paths.map((path) => [path, before.get(path) ?? ""])) };
      }
      before = fingerprintsOf(paths);
    }
  }

  #watch(
    files: Fingerprints,
    { settled, since }: { settled: boolean; since?: number | undefined },
  ): void {
    this.#watches.files(files, { settled });
    this.#watches.services(this.project?.spec.services ?? [], { since });
  }

  #lookAgain(): void {
    this.#busyLooks += 1;
    this.#lookAfter(busyPeriod);
  }

  #lookAfter(period: number): void {
    this.#cancelLook?.();
    this.#cancelLook = this.#effects.clock.after(period, () => void this.#lookSoon());
  }

  /** In turn. Once for all that was heard before it begins; one that fails is repeated. */
  #lookSoon(): Promise<void> {
    this.#due ??= this.inTurn(async () => {
      this.#due = undefined;
      try {
        await this.#reload();
        this.#failure = undefined;
      } catch (error) {
        const { message, stack } = error as Error;
        if (message !== this.#failure) {
          this.#effects.note(
            `${this.directory}: its files cannot be looked at: ${stack ?? message}`,
          );
        }
        this.#failure = message;
        this.#lookAfter(failedPeriod);
      }
    });
    return this.#due;
  }

  /** For a person: what is wrong with its files, or cannot be watched as it should. */
  warnings(service: string): readonly string[] {
    const mistakes = this.mistakes.slice(0, 1).map((its) => `its files have mistakes: ${its}`);
    if (this.#isGone) return [this.#goneText()];
    const unit = this.project?.unit(service);
    const own = unit?.spec.instance?.of ?? service;
    const doubts = (this.project?.spec.warnings ?? [])
      .filter((text) => [undefined, own].includes(this.#concerned(text)))
      .slice(0, mostWarnings);
    const lost = unit !== undefined && this.#lacksShell(unit) ? [this.#lostText()] : [];
    return [...mistakes, ...lost, ...doubts, ...this.#watches.troubles(service)];
  }

  /** The service that a warning of its files is about; undefined for the whole project. */
  #concerned(warning: string): string | undefined {
    const name = /^\S+ services\.([\w-]+)[.:[]/.exec(warning)?.[1];
    const services = this.project?.spec.services ?? [];
    return services.find((its) => (its.instance?.of ?? its.name) === name) && name;
  }

  #tellTrouble(service: string | undefined, trouble: string): void {
    const { project } = this;
    const name = [project?.spec.name ?? this.directory, service].filter(Boolean).join(":");
    this.#effects.note(`${name}: ${trouble}`);
    if (project === undefined || service === undefined) return;
    this.#effects.logs.of(`${project.spec.name}:${service}`).say(trouble);
  }

  /** Reports what waits for `up`, once until that changes. */
  #tellPending(project: Project): void {
    const [waits] = waitingOf(project.snapshots());
    const text = waits === undefined ? "" : waitingText(waits);
    if (text === this.#told) return;
    this.#told = text;
    if (waits === undefined) return;
    this.#effects.note(text);
    for (const [name, pending] of waits.services) {
      const what = `${pendingText(name, pending)} waits for ${upCommand(this.directory)}`;
      this.#sayTo(project, { only: name, text: `${what}: ${pending.why}` });
    }
  }

  /** Writes a line to the logs of services that run. */
  #sayTo(project: Project, { only, text }: { only?: string; text: string }): void {
    for (const { id, spec, service } of project.units()) {
      if (only !== undefined && spec.name !== only) continue;
      if (service?.run() !== undefined) this.#effects.logs.of(id).say(text);
    }
  }

  /** A file has changed, or what the previous daemon ran is to start. */
  async #reload(): Promise<void> {
    const { note, onState, isOver, shell } = this.#effects;
    if (isOver() || this.#missed !== undefined) return;
    const { kept, project } = this;
    if (project === undefined && kept === undefined) return;
    const services = this.#inherited?.services ?? new Map<string, Shell>();
    const resumed = this.#inherited?.shell ?? this.standIn ?? shell;
    const doubtful = this.mistakes.length > 0;
    const isReplaced = isAnother(this.identity, folderIdentity(this.directory));
    if (isReplaced && this.naming.label !== undefined) this.#effects.onGone(this);
    const found = await this.load({ shell: project === undefined ? resumed : this.shell });
    if (found.kind === "project") {
      this.kept = undefined;
      const resumes = kept !== undefined && project === undefined;
      if (resumes) found.project.resume(kept, { shell: resumed, services });
      onState();
      if (doubtful) this.#effects.onDoubt(this);
      if (resumes) this.#tellLost(found.project);
      return;
    }
    const again = String(found.reasons) === String(this.mistakes);
    this.mistakes = found.reasons;
    if (this.#isGone && this.naming.label !== undefined) this.#effects.onGone(this);
    const why = found.reasons.join("; ");
    if (project === undefined) {
      this.#watches.files(found.files, { settled: true });
      if (!again) note(`${kept!.name} is not started: ${why}`);
      return;
    }
    if (again) return;
    this.#effects.onDoubt(this);
    if (this.#isGone) {
      note(`${project.spec.name} goes on as it was: ${this.#goneText()}`);
      this.#sayTo(project, { text: this.#goneText() });
      return;
    }
    note(`${project.spec.name} goes on as it was, as its files have mistakes: ${why}`);
    this.#sayTo(project, { text: `not reloaded: ${why}` });
  }
}

/** Both known, and not one. */
function isAnother(one: string | undefined, other: string): boolean {
  const known = one !== undefined && one !== "" && !one.endsWith(" 0");
  return known && other !== "" && !isSameFolder(one, other);
}
