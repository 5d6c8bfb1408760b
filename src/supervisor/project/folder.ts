/** A folder -> its project, loaded as far as a person has seen its files, and reloaded as they change. */
import type { ProjectSpec } from "../../manifest/project.ts";
import { pendingText, upCommand, waitingOf, waitingText } from "../../routes/pending.ts";
import type { Cancel, Clock } from "../../system/clock.ts";
import type { LogStore } from "../logs/log-store.ts";
import type { FolderShells } from "./handover.ts";
import type { GitHead, GitHeadOptions } from "./git-head.ts";
import type { Project } from "./project.ts";
import type { ReadProject } from "./read-project.ts";
import type { KeptProject } from "./state-file.ts";
import { isWanted, type Shell, type Unit } from "./unit.ts";
import type { Declared } from "./units.ts";
import { admit, type Seen, type Up } from "./unseen-change.ts";
import { Watches } from "./watches.ts";

export type ReadOptions = { shell: Shell; file: string | undefined };

export type FolderEffects = {
  clock: Clock;
  logs: LogStore;
  /** This daemon's own environment: of services that were up before it, where no shell is known. */
  shell: Shell;
  read(directory: string, options: ReadOptions): Promise<ReadProject>;
  /** Reads HEAD of the git repository that the folder is in. Never rejects. */
  gitHead(directory: string, options: GitHeadOptions): Promise<GitHead>;
  /** Why it cannot be up beside the projects that are. */
  conflictOf(spec: ProjectSpec): string | undefined;
  /** Awaited before a service of the folder starts or restarts. */
  prepare(): Promise<void>;
  make(declared: Declared): Project;
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
    }
  | { kind: "refused"; reasons: readonly string[]; files: readonly string[] };

export type LoadOptions = {
  shell: Shell;
  /** The services that `up` names; undefined: nobody said `up`. */
  up?: Up | undefined;
  /** With `up`: the file that declares the project; undefined: locald.toml or a Procfile. */
  file?: string | undefined;
};

/** Warnings about its files that every service reports: a file that is no env file at all has one for each line. */
const mostWarnings = 10;

/** Milliseconds until files are looked at again where git was at work. */
const busyPeriod = 500;
/** Looks after which a change waits for `up`: ten seconds. A killed git may have left its lock. */
const mostBusyLooks = 20;

export class Folder {
  readonly directory: string;
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
  #turn: Promise<unknown> = Promise.resolve();
  /** Actions that have not ended. */
  #turns = 0;

  constructor(directory: string, effects: FolderEffects) {
    this.directory = directory;
    this.#effects = effects;
    this.shell = effects.shell;
    this.#watches = new Watches({
      clock: effects.clock,
      note: effects.note,
      onFiles: () => void this.inTurn(() => this.#reload()),
      onGlob: (service, what) => this.project?.renew(service, `${what} changed`),
    });
  }

  /** True while nothing is known of the folder, and no action runs on it. */
  get isBlank(): boolean {
    const { seen, project, kept } = this;
    return [seen, project, kept].every((its) => its === undefined) && this.#turns === 0;
  }

  /** Sentences for a person about a service. */
  warningsOf(service: string): readonly string[] {
    const [mistake] = this.mistakes;
    const mistakes = mistake === undefined ? [] : [`its files have mistakes: ${mistake}`];
    const unit = this.project?.unit(service);
    const lost = unit !== undefined && this.#lacksShell(unit) ? [this.#lostText()] : [];
    return [...mistakes, ...lost, ...(this.project?.spec.warnings ?? []).slice(0, mostWarnings)];
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

  #lacksShell(unit: Unit): boolean {
    return this.standIn !== undefined && unit.shell === this.standIn && isWanted(unit);
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
  }: LoadOptions): Promise<Loaded> {
    const { directory, seen, project } = this;
    const since = this.#watches.fingerprints();
    const { clock, gitHead } = this.#effects;
    const look = () => gitHead(directory, { since: seen?.head, now: clock.now() });
    // Files come before HEAD moves. So what is seen gets the HEAD from before the read, and what is unseen the one from
    // after.
    const first = await look();
    const read = await this.#effects.read(directory, { shell, file });
    if (read.kind === "none") {
      const why = `there is no locald.toml, Procfile.dev or Procfile in ${directory}; localhostess init writes one`;
      return { kind: "refused", reasons: [why], files: read.files };
    }
    if (read.kind === "mistakes") {
      if (project !== undefined) this.#watch(read.files, since);
      return { kind: "refused", reasons: read.mistakes, files: read.files };
    }
    const { files } = read.project;
    const conflict = this.#effects.conflictOf(read.project);
    if (conflict !== undefined) return { kind: "refused", reasons: [conflict], files };
    await this.#effects.prepare();
    const patient = this.#busyLooks < mostBusyLooks;
    const last = await look();
    const { reviewed, takes, again } = admit(read.project, { seen, first, last, up, patient });
    if (again && project !== undefined) {
      this.#watch(files, since);
      this.#lookAgain();
      return { kind: "project", project, takes };
    }
    this.seen = reviewed.seen;
    this.file = file;
    const loaded = await this.#take(reviewed, shell);
    this.#watch(files, since);
    if (again) this.#lookAgain();
    else this.#tellPending(loaded);
    return { kind: "project", project: loaded, takes };
  }

  /** Starts what the previous daemon ran. In turn. */
  async resume(kept: KeptProject, known: FolderShells): Promise<void> {
    const { note, onState } = this.#effects;
    this.file = kept.file;
    this.#inherited = known;
    if (known.lost) this.standIn ??= { ...this.#effects.shell };
    const shell = known.shell ?? this.standIn ?? this.#effects.shell;
    const found = await this.load({ shell });
    if (found.kind === "refused") {
      note(`${kept.name} is not started: ${found.reasons.join("; ")}`);
      this.kept = { ...kept, runs: {} };
      this.#watches.files(found.files, new Map());
      return;
    }
    found.project.resume(kept, { shell, services: known.services });
    onState();
    this.#tellLost(found.project);
  }

  /** Says so in the log of each service that starts without its shell's environment, and once in the daemon's. */
  #tellLost(project: Project): void {
    const lacking = project.units().filter((unit) => this.#lacksShell(unit));
    if (lacking.length === 0) return;
    this.#effects.note(`${project.spec.name} ${this.#lostText()}`);
    for (const { id } of lacking) this.#effects.logs.of(id).say(this.#lostText());
  }

  /** Stops waiting for files that could not be read. */
  forgetKept(): void {
    this.kept = undefined;
    if (this.project === undefined) this.#watches.close();
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

  async #take(declared: Declared, shell: Shell): Promise<Project> {
    const { project } = this;
    this.mistakes = [];
    this.#busyLooks = 0;
    if (project !== undefined && project.spec.name === declared.spec.name) {
      await project.apply(declared, shell);
      return project;
    }
    // Under another name, every service is another.
    const former = project?.wishes;
    if (project !== undefined) await this.drop();
    const made = this.#effects.make(declared);
    this.project = made;
    this.shell = shell;
    this.#told = "";
    if (former !== undefined) made.resume(former, { shell, services: new Map() });
    return made;
  }

  /** `since`: a change while the files were being read must not be missed. */
  #watch(files: readonly string[], since: ReadonlyMap<string, string>): void {
    this.#watches.files(files, since);
    this.#watches.globs(this.project?.spec.services ?? []);
  }

  #lookAgain(): void {
    this.#busyLooks += 1;
    this.#cancelLook?.();
    this.#cancelLook = this.#effects.clock.after(
      busyPeriod,
      () => void this.inTurn(() => this.#reload()),
    );
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

  /** A file has changed. */
  async #reload(): Promise<void> {
    const { note, onState, isOver } = this.#effects;
    if (isOver()) return;
    const { kept, project } = this;
    if (project === undefined) {
      this.forgetKept();
      if (kept !== undefined) await this.resume(kept, this.shells);
      return;
    }
    const found = await this.load({ shell: this.shell });
    if (found.kind === "project") {
      onState();
      return;
    }
    const again = String(found.reasons) === String(this.mistakes);
    this.mistakes = found.reasons;
    if (again) return;
    const why = found.reasons.join("; ");
    note(`${project.spec.name} goes on as it was, as its files have mistakes: ${why}`);
    this.#sayTo(project, { text: `not reloaded: ${why}` });
  }
}
