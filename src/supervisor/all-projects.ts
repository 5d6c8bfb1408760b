/** Folders -> all projects of a daemon, kept apart by name and domain, taken over from the previous daemon. */
import { closeSync } from "node:fs";
import { realpath } from "node:fs/promises";
import { join } from "node:path";
import { graphOf, startOrder } from "../manifest/graph.ts";
import type { ServiceSpec } from "../manifest/project.ts";
import { servicesNamed } from "../routes/named.ts";
import type { RegisteredProject } from "../routes/project-report.ts";
import type { Supervised } from "../routes/supervised.ts";
import type { Clock } from "../system/clock.ts";
import { lockOf } from "../system/file-lock.ts";
import { folderEvents } from "../system/folder-events.ts";
import { isThere } from "../system/process-now.ts";
import { isFolder } from "../system/is-folder.ts";
import { slices } from "../system/slices.ts";
import { didYouMean } from "../text/nearest.ts";
import type { Loopback } from "../system/loopback.ts";
import type { Ending } from "./family/ending.ts";
import { type Gauge, usageGauge } from "./family/usage-gauge.ts";
import { type Given, type HandedPart, type Line, TakenOver } from "./handed.ts";
import { Handing } from "./handing.ts";
import { Keepers } from "./keepers.ts";
import { lineAt, type LineStart } from "./line.ts";
import { returned } from "./returned.ts";
import { type Taken, takenFrom } from "./taken.ts";
import type { Size } from "./logs/log-lines.ts";
import { type LogStore, logStore } from "./logs/log-store.ts";
import { type Attachment, Attachments } from "./project/attachments.ts";
import type { Started } from "./project/boot.ts";
import { type Brought, bringUp, tellingWaits } from "./project/bring-up.ts";
import { conflictOf } from "./project/conflict.ts";
import { Folder, type ReadOptions } from "./project/folder.ts";
import { Folders, type Place } from "./project/folders.ts";
import type { GitHead, GitHeadOptions } from "./project/git-head.ts";
import { type Watched, watchedOf } from "./project/idle.ts";
import { worktreeOf } from "./project/naming.ts";
import { GoneWorktrees } from "./project/gone-worktrees.ts";
import { type Handover, handoverOf, type Shells, shellsIn } from "./project/handover.ts";
import { inputsFingerprint } from "../build/inputs-fingerprint.ts";
import { Kept } from "./project/kept.ts";
import { type Hear, Project } from "./project/project.ts";
import type { Declared } from "./project/units.ts";
import type { ReadProject } from "./project/read-project.ts";
import { type ServiceBuild, type ServiceBuilds, serviceBuild } from "./project/service-build.ts";
import { type ServiceEnv, serviceEnv } from "./project/service-env.ts";
import { siteWatch } from "./project/site-watch.ts";
import { type KeptState, seenOf } from "./project/state-file.ts";
import { endRuns, endStrays, type Lock, takeLock, toResume } from "./project/takeover.ts";
import type { Completed, Shell } from "./project/unit.ts";
import { approve, nothingSeen } from "./project/unseen-change.ts";
import { adopt, type LifecycleEffects, supervise } from "./service/lifecycle.ts";
import type { SiteEffects } from "./service/served-site.ts";
import { buildFiles } from "./service/build-files.ts";
import { adoptBuilt, isSwapped, superviseBuilt } from "./service/built-lifecycle.ts";
import { adoptSite, superviseSite } from "./service/site-lifecycle.ts";
import type { HandingMachine } from "./service/machine.ts";
import type { KindMachine } from "./types/kind.ts";
import type { Forgotten, Found, Projects, UpRequest } from "./projects.ts";
import { type FoundStore, storeAmong } from "./store-sight.ts";
import { StoreWork } from "./store-work.ts";

export type ProjectsOptions = {
  stateDirectory: string;
  clock: Clock;
  effects: LifecycleEffects;
  loopback: Loopback;
  /** This daemon's own environment: of services that were up before it, where no shell is known. */
  shell: Shell;
  read(directory: string, options: ReadOptions): Promise<ReadProject>;
  /** Reads HEAD of the git repository that the folder is in. Never rejects. */
  gitHead(directory: string, options: GitHeadOptions): Promise<GitHead>;
  /** Endings that domains may have, besides `localhost`. */
  tlds: readonly string[];
  /** The address of a service of the project with that domain. */
  addressOf(routeName: string, domain: string): { url: string; domain: string };
  /** Variables that name the bundle of authorities; asked before every start of a project. */
  trust(): Promise<Readonly<Record<string, string>>>;
  /** Ports of this daemon. */
  ownPorts(): readonly number[];
  /** No other daemon of this state directory supervises any more. `takesOver`: its services go on. */
  onOwned(options: { takesOver: boolean }): void;
  /** This one supervises no more. `handsOver`: its services go on. */
  onReleased(options: { handsOver: boolean }): void;
  /** The parts of this machine that managed services need. */
  kinds: KindMachine;
  /** A path for a unix socket of this daemon's own, used once. */
  socketPath(): string;
  /** Undefined where services cannot go on under another daemon. */
  machine: HandingMachine | undefined;
  onChange(change: "appeared" | "changed" | "gone", snapshot: Supervised): void;
  /** A sentence for a person. */
  note(text: string): void;
};

/** Milliseconds for which the data of a worktree that was deleted is kept: a week. */
const leftPeriod = 7 * 24 * 60 * 60 * 1000;

export function allProjects(options: ProjectsOptions): Projects {
  return new AllProjects(options);
}

class AllProjects implements Projects {
  readonly logs: LogStore;
  readonly usage: Gauge;
  readonly #options: ProjectsOptions;
  readonly #folders = new Folders((directory) => this.#newFolder(directory));
  readonly #kept: Kept;
  readonly #attachments: Attachments;
  #recovered = Promise.withResolvers<void>();
  readonly #effects: LifecycleEffects;
  readonly #events = folderEvents();
  readonly #sites: SiteEffects;
  /** Answers of sites that go on while another daemon has them. */
  readonly #leavings: Promise<void>[] = [];
  #trust: Readonly<Record<string, string>> = {};
  /** The shells of services that are not taken over yet. */
  #inherited: Shells = new Map();
  #lock: Lock | undefined;
  #owned = false;
  /** From the daemon before, until they are taken over. */
  #taken: Taken | undefined;
  /** The daemons before us that still have children. */
  readonly #keepers: Keepers | undefined;
  #handing: Handing | undefined;
  /** Set once the next daemon has everything: services as it tells of them, by id. */
  #left: { line: Line; snapshots: Map<string, Supervised> } | undefined;
  /** Processes that have ended since another daemon supervises them, or did for a while. */
  readonly #ended = new Map<number, Ending>();
  #stopping: Promise<void> | undefined;
  /** Shared by all projects: launches of one turn of the event loop take little more than this, in milliseconds. */
  readonly #breathe = slices(8);
  readonly #gone: GoneWorktrees;
  readonly stores: StoreWork;

  constructor(options: ProjectsOptions) {
    const { stateDirectory, clock, effects, note } = options;
    const { families } = effects;
    this.#options = options;
    this.logs = logStore({ directory: join(stateDirectory, "logs"), clock, note });
    this.#attachments = new Attachments({
      clock,
      logs: this.logs,
      inputOf: (id) => this.#folders.place(id)?.unit.service?.input(),
      hasTerminal: (id) => this.specOf(id)?.pty ?? false,
    });
    this.#kept = new Kept({ ...options, families, folders: () => this.#folders.all() });
    this.#gone = new GoneWorktrees({
      ...{ clock, note, registry: this.#kept.registry, folders: this.#folders },
      follow: (to) => this.#follow(to, { up: false }),
      forget: async (path) => {
        await this.#forget(path);
        await this.#kept.flush();
      },
      isOver: async () => (await this.isTakenOver()) || this.#stopping !== undefined,
    });
    this.stores = new StoreWork({
      ...{ clock, note, places: options.kinds.places },
      isAlive: isThere,
    });
    this.#keepers =
      options.machine &&
      new Keepers({
        clock,
        machine: options.machine,
        onWake: (id) => this.wake(id),
        onChange: ({ directory, service, what }) =>
          this.#folders.known(directory)?.project?.renew(service, `${what} changed`),
      });
    this.#effects = {
      ...effects,
      runId: () => this.#kept.key + effects.runId(),
      ownerOf: (pids) => this.#ownerOf(pids),
    };
    this.#sites = {
      socketPath: options.socketPath,
      onLeft: (done) => void this.#leavings.push(done),
      watch: siteWatch({ clock, events: this.#events }),
    };
    this.usage = usageGauge({
      clock,
      families,
      runs: () =>
        this.#folders.places().flatMap(({ unit: { id, service } }) => {
          const run = service?.run();
          return run === undefined ? [] : [{ id, run, age: service?.age() ?? 0 }];
        }),
    });
  }

  inherit(shells: unknown): void {
    this.#inherited = shellsIn(shells);
  }

  async receive(batches: AsyncIterable<Given>): Promise<void> {
    if (this.#options.machine === undefined) throw new Error("services cannot be taken over here");
    // From a conversation that broke off.
    this.#taken?.drop();
    this.#taken = undefined;
    this.#taken = await takenFrom(batches);
  }

  handing(): HandedPart {
    const { clock, machine } = this.#options;
    const part = new Handing({
      clock,
      own: machine?.own ?? new Set(),
      folders: () => this.#folders.all(),
      snapshots: () => this.snapshots(),
      descriptors: () => {
        if (machine === undefined || !this.#owned || this.#stopping !== undefined) {
          throw new Error("its services cannot be handed over");
        }
        return machine.descriptors();
      },
      lock: () => this.#lock?.descriptor,
      keepers: () => this.#keepers?.lines ?? new Map(),
      ready: () => this.#recovered.promise,
      onHalt: async () => {
        await this.stores.close();
        await this.#kept.halt();
      },
      onTakeBack: () => {
        this.stores.open();
        if (this.#owned) this.#kept.goOn();
      },
      onGiven: (line) => this.#leave(line),
      onEnded: (pid, ending) => {
        this.#ended.set(pid, ending);
        machine?.adopted.told(pid, ending);
        this.#left?.line.tell({ ended: { pid, ...ending } });
      },
      // The lock goes with the copy that the other has.
      onSettled: () => this.#lock?.release(),
      onComeBack: (copies) => this.#comeBack(copies),
      keep: (descriptor) => machine?.keep(descriptor),
    });
    this.#handing = part;
    return part;
  }

  begin(line?: LineStart): void {
    const { note } = this.#options;
    if (line === undefined) {
      this.#taken?.drop();
      this.#taken = undefined;
    }
    this.#recover(line)
      .catch((error: Error) => note(`what ran before cannot be taken over: ${error.message}`))
      .finally(() => this.#recovered.resolve());
  }

  handover(): Handover {
    const known = this.#folders.all().map((its) => [its.directory, its.shells] as const);
    // Until its services are ours, a daemon that replaces us gets what we got.
    return handoverOf(new Map([...known, ...this.#inherited]));
  }

  async up({ directory, shell, file, ...asked }: UpRequest): Promise<Brought> {
    try {
      await tellingWaits(this.#open(), {
        ...{ clock: this.#options.clock, hear: asked.hear },
        message: "waits for the daemon before to end its services",
      });
      if (this.#stopping !== undefined) {
        return { kind: "refused", reasons: ["the daemon is about to end"] };
      }
      return await this.#folders.with(
        await this.#placeOf(directory, { up: asked.names === undefined }),
        (folder) =>
          bringUp(folder, {
            asked: {
              ...asked,
              shell: shell ?? folder.shell,
              isShell: shell !== undefined,
              // Whoever restarts what runs means the file that it was started from.
              file: file ?? (asked.restart ? folder.file : undefined),
            },
            clock: this.#options.clock,
            onProject: (name) =>
              this.#kept.registry.seen(folder.directory, { name, naming: folder.naming }),
            note: this.#options.note,
          }),
      );
    } catch (error) {
      return { kind: "refused", reasons: [(error as Error).message] };
    }
  }

  async find(name: string | undefined, from: string | undefined): Promise<Found> {
    await this.#open();
    const directory = from === undefined ? undefined : await this.#placeOf(from);
    const rows = this.#folders.places().map(({ folder, project, unit: { id, spec } }) => ({
      id,
      service: spec.name,
      of: spec.instance?.of,
      project: project.spec.name,
      directory: folder.directory,
    }));
    const idsOf = (these: readonly { id: string }[]) => these.map(({ id }) => id);
    if (name === undefined) {
      const isUp = directory !== undefined && this.#folders.known(directory)?.project !== undefined;
      const why = `no project of ${directory ?? "any folder"} is up`;
      if (!isUp) return { kind: "none", why };
      return { kind: "ids", ids: idsOf(rows.filter((row) => row.directory === directory)) };
    }
    const found = servicesNamed(name, { rows, directory });
    if (found.kind === "none") return { kind: "none", why: found.why };
    return { kind: "ids", ids: idsOf(found.rows) };
  }

  async ids(): Promise<readonly string[]> {
    await this.#open();
    return this.#folders.places().map(({ unit }) => unit.id);
  }

  async stop(ids: readonly string[]): Promise<void> {
    await this.#open();
    await Promise.all(
      this.#folders.byProject(ids).map(({ project, names }) => {
        const all = names.length === project.units().length;
        return project.stop(all ? undefined : names);
      }),
    );
    await this.#endStrays();
    await this.#kept.flush();
  }

  async restart(
    ids: readonly string[],
    { shell, hear }: { shell: Shell | undefined; hear: Hear },
  ): Promise<Started> {
    await this.#open();
    const all = await Promise.all(
      this.#folders
        .byProject(ids)
        .map(({ folder, project, names }) =>
          project.restart({ names, shell: shell ?? folder.shell, hear }),
        ),
    );
    const reasons = all.flatMap((its) => (its.kind === "failed" ? its.reasons : []));
    return reasons.length === 0 ? { kind: "ready" } : { kind: "failed", reasons };
  }

  async resume(directory: string, { hear }: { hear: Hear }): Promise<Started> {
    await this.#open();
    const folder = this.#folders.known(await this.#placeOf(directory));
    const project = folder?.project;
    if (project === undefined || this.#stopping !== undefined) {
      return {
        kind: "failed",
        reasons: [`no project of ${directory} was up; localhostess up starts it`],
      };
    }
    const { profiles } = project.wishes;
    return await project.up({ names: undefined, profiles, shell: folder!.shell, hear });
  }

  async envOf(
    name: string,
    { directory, shell }: { directory: string | undefined; shell: Shell | undefined },
  ): Promise<ServiceEnv> {
    await this.#open();
    const why = await this.#unloadable(directory, shell);
    if (why !== undefined) return { kind: "none", why };
    const found = await this.find(name, directory);
    if (found.kind === "none") return found;
    const places = found.ids.map((id) => this.#folders.place(id)!);
    const { instance } = places[0]!.unit.spec;
    // For a name that instances share, the first of them.
    if (
      !places.every(({ unit }) => instance && unit.spec.instance?.of === instance.of) &&
      places.length > 1
    ) {
      const why = `${name} is a project; say which service: ${found.ids.join(", ")}`;
      return { kind: "none", why };
    }
    return serviceEnv(places[0]!.unit, await this.#envOptions(places[0]!, shell));
  }

  async #envOptions({ folder, project }: Place, shell: Shell | undefined) {
    return {
      project,
      shell: shell ?? folder.shell,
      portOf: (id: string, declared: number | undefined) => this.#kept.ports.of(id, declared),
      urlOf: (routeName: string) => this.#options.addressOf(routeName, project.spec.domain).url,
      trust: await this.#options.trust(),
    };
  }

  async buildsOf(
    name: string | undefined,
    { directory, shell }: { directory: string | undefined; shell: Shell | undefined },
  ): Promise<ServiceBuilds> {
    await this.#open();
    const known = directory === undefined ? await this.#foldersOf(name) : [directory];
    for (const its of known) {
      const why = await this.#unloadable(its, shell);
      if (why !== undefined) return { kind: "none", why };
    }
    const found = await this.find(name, directory);
    if (found.kind === "none") return found;
    const builds = new Map<string, ServiceBuild>();
    for (const { project, names } of this.#folders.byProject(found.ids)) {
      for (const service of startOrder(graphOf(project.spec.services))) {
        if (!names.includes(service)) continue;
        const place = this.#folders.place(`${project.spec.name}:${service}`)!;
        const its = serviceBuild(place.unit, await this.#envOptions(place, shell));
        if (its?.kind === "none") return its;
        // Instances run what is built once.
        if (its !== undefined && !builds.has(its.build.service)) {
          builds.set(its.build.service, its.build);
        }
      }
    }
    return { kind: "builds", builds: [...builds.values()] };
  }

  /** Those of the projects that have services of that name. */
  async #foldersOf(name: string | undefined): Promise<string[]> {
    const found = await this.find(name, undefined);
    if (found.kind === "none") return [];
    return this.#folders.byProject(found.ids).map(({ folder }) => folder.directory);
  }

  async storeOf(
    name: string | undefined,
    { directory, shell }: { directory: string | undefined; shell: Shell | undefined },
  ): Promise<FoundStore> {
    await this.#open();
    const why = await this.#unloadable(directory, shell);
    if (why !== undefined) return { kind: "none", why };
    const found = await this.find(name, directory);
    if (found.kind === "none") return found;
    return storeAmong(
      found.ids.map((id) => this.#folders.place(id)!),
      { name, machine: this.#options.kinds },
    );
  }

  async removeStores(directory: string): Promise<string | undefined> {
    await this.#open();
    const { places } = this.#options.kinds;
    // The folder may be gone, so that no link of its path leads anywhere.
    const folder = this.#folders.known(directory);
    if (folder?.project?.isActive === true) {
      const { name } = folder.project.spec;
      return `${name} is up; stop it first: localhostess stop ${name}`;
    }
    await places.remove(directory);
    return undefined;
  }

  /** Reads the project of that folder, if there is one. Returns why that cannot be. */
  async #unloadable(
    directory: string | undefined,
    shell: Shell | undefined,
  ): Promise<string | undefined> {
    if (directory === undefined) return undefined;
    const loaded = await this.#folders.with(await this.#placeOf(directory), (folder) =>
      folder.inTurn(() => folder.load({ shell: shell ?? folder.shell })),
    );
    return loaded.kind === "refused" ? loaded.reasons.join("\n") : undefined;
  }

  async registered(): Promise<readonly RegisteredProject[]> {
    await this.#open();
    return await this.#kept.registry.listed();
  }

  async pin(directory: string, pinned: boolean): Promise<boolean> {
    await this.#open();
    const path = await this.#placeOf(directory);
    const known = this.#kept.registry.pin(path, pinned);
    const shown =
      pinned &&
      (await this.#folders.with(path, (folder) => folder.inTurn(() => this.#show(folder))));
    if (!known && !shown) return false;
    this.#kept.save();
    await this.#kept.flush();
    return true;
  }

  async clean(): Promise<number> {
    await this.#open();
    let count = 0;
    for (const { path, pinned, folder } of await this.#kept.registry.listed()) {
      if (pinned || folder !== "gone" || this.#folders.known(path)?.project?.isActive) continue;
      await this.#forget(path);
      count += 1;
    }
    await this.#kept.flush();
    return count;
  }

  async forget(word: string, from: string | undefined): Promise<Forgotten> {
    await this.#open();
    const all = await this.#kept.registry.listed();
    const path = from === undefined ? undefined : await real(from);
    const there = all.filter((its) => its.path === path || its.path === from);
    const found = there.length > 0 ? there : all.filter(({ name }) => name === word);
    const [its, ...others] = found;
    if (its === undefined) {
      const names = all.map(({ name }) => name);
      const otherwise = "; for those that are: localhostess registry list";
      const near = didYouMean(word, names, { otherwise });
      return { kind: "none", why: `no project is known as ${word}${near}` };
    }
    if (others.length > 0) {
      const paths = found.map((one) => one.path).join(", ");
      return { kind: "none", why: `several projects are named ${word}; name a folder: ${paths}` };
    }
    const { name, folder } = its;
    const isActive = this.#folders.known(its.path)?.project?.isActive === true;
    if (isActive && folder !== "gone") {
      return { kind: "none", why: `${name} is up; stop it first: localhostess stop ${name}` };
    }
    await this.#forget(its.path);
    await this.#kept.flush();
    return { kind: "forgotten", name, path: its.path };
  }

  async follow(directory: string): Promise<string | undefined> {
    await this.#open();
    return await this.#follow(await real(directory), { up: false });
  }

  snapshots(): Supervised[] {
    if (this.#left !== undefined) return [...this.#left.snapshots.values()];
    if (this.#taken !== undefined) return [...this.#taken.snapshots];
    return this.#folders.all().flatMap((folder) => this.#snapshotsOf(folder));
  }

  #snapshotsOf({ project }: Folder): Supervised[] {
    return (project?.snapshots() ?? []).map((its) => this.#inFolder(its));
  }

  /** With what is to be said of its folder. */
  #inFolder(its: Supervised): Supervised {
    const folder = this.#folders.known(its.directory);
    if (folder === undefined) return its;
    const warnings = [...its.warnings, ...folder.warnings(its.service)];
    const checkout = folder.project?.spec.checkout;
    return {
      ...its,
      warnings,
      ...(checkout === undefined ? {} : { checkout }),
      ...(folder.isGone ? { isGone: true } : {}),
    };
  }

  attach(id: string, size: Size | undefined): Attachment {
    return this.#attachments.attach(id, size);
  }

  specOf(id: string): ServiceSpec | undefined {
    return this.#folders.place(id)?.unit.spec;
  }

  ageOf(id: string): number | undefined {
    return this.#folders.place(id)?.unit.service?.age();
  }

  addressOf(routeName: string, domain: string): { url: string; domain: string } {
    return this.#options.addressOf(routeName, domain);
  }

  wake(id: string): void {
    // Its project is about to be known.
    if (this.#taken !== undefined) {
      void this.#recovered.promise.then(() => this.wake(id));
      return;
    }
    if (this.#left !== undefined) {
      this.#left.line.tell({ wake: id });
      return;
    }
    if (this.#handing?.settled !== undefined) {
      void this.#handing.settled.then(() => this.wake(id));
      return;
    }
    const place = this.#folders.place(id);
    place?.project.wake(place.unit.spec.name);
  }

  doze(id: string): void {
    if (this.#left !== undefined || this.#handing?.settled !== undefined) return;
    const place = this.#folders.place(id);
    void place?.project.doze(place.unit.spec.name);
  }

  mayDoze(): readonly Watched[] {
    return this.#folders
      .places()
      .flatMap(({ unit, project }) => watchedOf(unit, { together: project.together(unit) }) ?? []);
  }

  /** The folder that a path leads to, once a project that was moved there is known to be there. */
  async #placeOf(path: string, { up = false }: { up?: boolean } = {}): Promise<string> {
    const directory = await real(path);
    await this.#follow(directory, { up });
    return directory;
  }

  /** Goes on with a project whose folder was moved there. Returns the path where it was. */
  async #follow(directory: string, { up }: { up: boolean }): Promise<string | undefined> {
    const { registry } = this.#kept;
    if (this.#folders.known(directory)?.project?.isActive) return undefined;
    const from = registry.movedTo(directory)?.path ?? (up && (await this.#copyOf(directory)));
    if (!from) return undefined;
    const here = this.#folders.known(directory);
    if (here !== undefined) await here.inTurn(() => here.drop());
    registry.move(from, directory);
    try {
      this.#options.kinds.places.moved(from, directory);
      this.#options.kinds.builds.moved(from, directory);
    } catch (error) {
      // A folder that was renamed is known again anyway, once a store of it is asked for.
      this.#options.note(
        `the data of ${from} is not known as that of ${directory}: ${String(error)}`,
      );
    }
    const folder = this.#folders.move(from, directory);
    await folder?.inTurn(() => folder.moved(directory));
    this.#options.note(`${from} was moved to ${directory}`);
    this.#kept.save();
    return from;
  }

  /** The path of a project that is gone there, and here by its name: moved to another file system, or cloned anew. */
  async #copyOf(directory: string): Promise<string | undefined> {
    const { registry } = this.#kept;
    const known = await registry.listed();
    const gone = known.filter(({ folder }) => folder === "gone");
    if (gone.length === 0 || known.some(({ path }) => path === directory)) return undefined;
    const read = await this.#options.read(directory, {
      shell: this.#options.shell,
      file: undefined,
    });
    if (read.kind !== "project") return undefined;
    const same = gone.filter(({ name }) => name === read.project.name);
    return same.length === 1 ? same[0]!.path : undefined;
  }

  /** A project of which no service is wanted, or whose folder is gone: its services end. */
  async #forget(path: string): Promise<void> {
    const { registry, ports } = this.#kept;
    const name = registry.list().find((its) => its.path === path)?.name;
    const worktree = registry.namingOf(path).label !== undefined;
    registry.forget(path);
    const folder = this.#folders.known(path);
    if (folder !== undefined) {
      folder.kept = undefined;
      await folder.inTurn(() => folder.drop());
      folder.seen = undefined;
      this.#folders.forget(path);
    }
    this.#options.kinds.places.leave(path, { time: this.#options.clock.wall(), worktree });
    await this.#removeBuilds(path);
    // Logs and ports go by the name, which another folder may have too.
    const others = [
      ...registry.list().map((its) => its.name),
      ...this.#folders.all().map(({ project }) => project?.spec.name),
    ];
    if (name !== undefined && !others.includes(name)) {
      ports.forget(name);
      await this.logs.erase(name);
    }
    this.#kept.save();
  }

  async #removeBuilds(path: string): Promise<void> {
    // An engine may take its time.
    void this.#options.kinds.removeBuilt({ directory: path });
    try {
      await this.#options.kinds.builds.remove(path);
    } catch (error) {
      this.#options.note(`the builds of ${path} cannot be removed: ${String(error)}`);
    }
  }

  release(): void {
    this.#keepers?.release();
  }

  fails(why: string): boolean {
    return this.#keepers?.fails(why) ?? false;
  }

  stopAll(): Promise<void> {
    this.#stopping ??= this.#end();
    return this.#stopping;
  }

  async #isLeft(): Promise<boolean> {
    if (this.#left === undefined) return false;
    await Promise.all(this.#leavings);
    this.#options.onReleased({ handsOver: true });
    return true;
  }

  async #end(): Promise<void> {
    this.#keepers?.halt();
    if (await this.#isLeft()) return;
    if (this.#taken !== undefined) await this.#recovered.promise;
    await this.stores.close();
    const all = this.#folders.all();
    for (const folder of all) folder.close();
    await Promise.all(all.map(({ project }) => project?.rest()));
    // Another daemon has taken them meanwhile.
    if (await this.#isLeft()) return;
    await this.#endStrays();
    if (all.some(({ project }) => project !== undefined)) this.#kept.save();
    await this.#kept.flush();
    await this.logs.close();
    this.#keepers?.end();
    if (this.#owned) this.#options.onReleased({ handsOver: false });
    this.#lock?.release();
  }

  /** `line`: to the daemon before, where its services go on. */
  async #recover(line: LineStart | undefined): Promise<void> {
    const isOver = (): boolean => this.#stopping !== undefined;
    const taken = this.#taken;
    this.#lock =
      taken?.lock === undefined ? await takeLock({ ...this.#options, isOver }) : lockOf(taken.lock);
    // Services that were handed over are ended like those that were started here.
    if (isOver() && taken === undefined) return;
    this.#options.onOwned({ takesOver: taken !== undefined });
    this.#owned = true;
    const before = await this.#kept.read();
    if (taken === undefined || line === undefined) {
      await this.#goOnFrom(before, undefined);
      return;
    }
    await this.#addKeepers(taken, line);
    await this.#goOnFrom(before, taken);
  }

  /** `taken`: services that go on; all others that the daemon before has started end. */
  async #goOnFrom(before: KeptState | undefined, taken: Taken | undefined): Promise<void> {
    const { note, effects } = this.#options;
    const isOver = (): boolean => this.#stopping !== undefined;
    this.#kept.remember(before);
    const goOn = new Set<string>();
    for (const { handed } of taken?.folders ?? []) {
      for (const { service } of handed.units) {
        const { life } = service?.lifecycle ?? {};
        if (life !== undefined) goOn.add(life.runId);
      }
    }
    const endOthers = async (): Promise<void> => {
      if (before === undefined) return;
      // A build beside a service that goes on has begun by now, and a process that was to be tried again may have.
      const own = (): ReadonlySet<string> => this.#runIds();
      await endRuns(before, { families: effects.families, note, except: goOn, own });
    };
    if (taken === undefined) await endOthers();
    for (const its of before?.seen ?? []) this.#folders.of(its.directory).seen = seenOf(its);
    for (const { directory, tasks } of before?.completed ?? []) {
      const { completed } = this.#folders.of(directory);
      for (const [name, run] of tasks) completed.set(name, run);
    }
    for (const folder of this.#folders.all()) {
      folder.identity = this.#kept.registry.identityOf(folder.directory);
    }
    if (taken !== undefined) {
      for (const runId of await this.#adopt(taken)) goOn.delete(runId);
    }
    this.#kept.begin(before);
    if (isOver()) return;
    if (taken !== undefined) await endOthers();
    await Promise.all(
      (taken?.folders ?? []).map(({ handed }) => this.#folders.of(handed.directory).takeUp(handed)),
    );
    const adopted = new Set(taken?.folders.map(({ handed }) => handed.directory));
    // A daemon that did not write it down yet has started what was approved.
    const recorded = before?.seen !== undefined;
    await Promise.all(
      toResume(before, this.#kept.registry.list()).map(({ kept, wasUp }) => {
        if (adopted.has(kept.directory)) return undefined;
        const folder = this.#folders.of(kept.directory);
        folder.identity ??= this.#kept.registry.identityOf(kept.directory);
        if (!wasUp || recorded) folder.seen ??= nothingSeen;
        // The daemon before died with what it did not hand over.
        const lost = wasUp && kept.shelled !== false;
        const known = this.#inherited.get(kept.directory) ?? {
          shell: undefined,
          lost,
          services: new Map(),
        };
        return folder.resume(kept, known);
      }),
    );
    this.#inherited = new Map();
    void this.#gone.sweep();
    void this.#options.kinds.builds.sweep({ isAlive: isThere, note });
    void this.#options.kinds.places.sweep({
      before: this.#options.clock.wall() - leftPeriod,
      isAlive: isThere,
      note,
    });
    // Those whose services are not started again; the others remove theirs by themselves.
    void this.#options.kinds
      .removeOthers(() => this.#runIds())
      .then((warning) => {
        if (warning !== undefined) note(warning);
      });
  }

  /** Runs of all services that run, or are about to. */
  #runIds(): ReadonlySet<string> {
    const runs = this.#folders
      .places()
      .flatMap(({ unit: { service, leaving } }) => [
        ...[service?.run(), service?.besides?.(), leaving?.run()],
      ]);
    return new Set(runs.flatMap((its) => its?.runId ?? []));
  }

  /** The lines to the daemons before us. */
  async #addKeepers({ pid, keepers }: Taken, line: LineStart): Promise<void> {
    const { onTrial } = line;
    this.#keepers?.add(pid, await lineAt(line), { serves: true, onTrial });
    const early = new Uint8Array();
    for (const [its, descriptor] of keepers) {
      this.#keepers?.add(its, await lineAt({ descriptor, early }), { serves: false });
    }
  }

  /** Goes on with what the daemon before has supervised until now. Returns the runs for which that cannot be. */
  async #adopt({ environments, folders }: Taken): Promise<string[]> {
    const lost = await Promise.all(
      folders.map(async ({ handed, streams }) => {
        const folder = this.#folders.of(handed.directory);
        folder.identity ??= this.#kept.registry.identityOf(handed.directory);
        const failed = await folder.inTurn(() => folder.adopt(handed, { streams, environments }));
        return handed.units.flatMap(({ name, service }) => {
          const why = failed.get(name);
          if (why === undefined) return [];
          this.#options.note(`${handed.spec.name}:${name} is started again: ${why}`);
          return service?.lifecycle.life?.runId ?? [];
        });
      }),
    );
    this.#taken = undefined;
    for (const snapshot of this.snapshots()) this.#options.onChange("appeared", snapshot);
    this.#keepers?.begin();
    return lost.flat();
  }

  /** The next daemon has everything. Clients who wait here for a service hear of it still. */
  #leave(line: Line): void {
    const snapshots = new Map(this.snapshots().map((its) => [its.id, its] as const));
    this.#left = { line, snapshots };
    this.#keepers?.halt();
    this.#keepers?.release();
    line.hear = (value) => {
      const { supervised } = (value ?? {}) as { supervised?: Supervised };
      if (supervised === undefined) return;
      snapshots.set(supervised.id, supervised);
      this.#options.onChange("changed", supervised);
    };
  }

  /** The next daemon has failed. */
  #comeBack(copies: readonly Given[]): void {
    const { note } = this.#options;
    this.#recovered = Promise.withResolvers();
    this.#return(copies)
      .catch((error: Error) => note(`what the next daemon left cannot be taken over: ${error}`))
      .finally(() => this.#recovered.resolve());
  }

  async #return(copies: readonly Given[]): Promise<void> {
    const news = [...(this.#left?.snapshots.values() ?? [])];
    const endings = [...this.#ended];
    for (const folder of this.#folders.all()) this.#folders.forget(folder.directory);
    const none = { pid: process.pid, environments: [], folders: [], keepers: new Map() };
    const had =
      copies.length === 0
        ? { ...none, snapshots: news, lock: undefined, drop() {} }
        : await takenFrom(inTurn(copies));
    // Ours are open still.
    for (const one of [had.lock, ...had.keepers.values()]) if (one !== undefined) closeSync(one);
    this.#taken = { ...had, snapshots: news, lock: undefined, keepers: new Map() };
    this.#left = undefined;
    await this.logs.reread();
    this.stores.open();
    const before = await this.#kept.read();
    const { registry } = this.#kept;
    const isKnown = (path: string) => registry.list().some((its) => its.path === path);
    const { folders, unused } = returned(had.folders, { before, isKnown, news });
    for (const one of unused) closeSync(one);
    await this.#goOnFrom(before, { ...this.#taken, folders });
    for (const [pid, ending] of endings) this.#options.machine?.adopted.told(pid, ending);
  }

  async isTakenOver(): Promise<boolean> {
    await this.#handing?.settled;
    return this.#left !== undefined;
  }

  /** Resolves when this daemon supervises, and is not about to hand over. @throws TakenOver */
  async #open(): Promise<void> {
    await this.#recovered.promise;
    if (await this.isTakenOver()) throw new TakenOver();
  }

  #changed(change: "appeared" | "changed" | "gone", snapshot: Supervised): void {
    this.#keepers?.tell(snapshot);
    // Nothing that it had before has changed for those who look at this daemon.
    if (this.#taken === undefined) this.#options.onChange(change, snapshot);
  }

  /** Pinning a project approves its files. False where there is no project, or it was seen before. */
  async #show(folder: Folder): Promise<boolean> {
    const { read, gitHead, clock, shell } = this.#options;
    const { directory } = folder;
    if (folder.seen !== undefined) return false;
    const head = await gitHead(directory, { since: undefined, now: clock.wall() });
    const found = await read(directory, { shell, file: folder.file, naming: folder.naming });
    if (found.kind !== "project") return false;
    const naming = { ...folder.naming, ...worktreeOf(found.project) };
    folder.naming = naming;
    folder.seen = approve(found.project, { seen: undefined, names: undefined, head });
    this.#kept.registry.seen(directory, { name: found.project.name, naming });
    this.#kept.registry.pin(directory, true);
    return true;
  }

  /** The service that one of these processes belongs to. */
  async #ownerOf(pids: readonly number[]): Promise<string | undefined> {
    const { families } = this.#options.effects;
    const found = await Promise.all(
      this.#folders.places().map(async ({ unit: { id, service } }) => {
        const run = service?.run();
        if (run === undefined) return [];
        const members = await families.members(run).catch((error: Error) => {
          this.#options.note(error.message);
          return [];
        });
        return members.some(({ pid }) => pids.includes(pid)) ? [id] : [];
      }),
    );
    return found.flat()[0];
  }

  /** Ends what services have left, once no service runs. */
  async #endStrays(): Promise<void> {
    const { effects, note } = this.#options;
    if (this.#folders.places().some(({ unit }) => unit.service?.run() !== undefined)) return;
    await endStrays({ families: effects.families, note });
  }

  #newFolder(directory: string): Folder {
    const { tlds } = this.#options;
    const folder = new Folder(directory, {
      ...this.#options,
      events: this.#events,
      logs: this.logs,
      conflictOf: (spec) => conflictOf(spec, { others: this.#folders.activeSpecs(), tlds }),
      holderOf: ({ name, directory: path, checkout }) => {
        const active = this.#folders.activeSpecs();
        const its = active.find((spec) => spec.name === name && spec.directory !== path);
        const repository = checkout?.label === undefined ? undefined : checkout.repository;
        return its?.directory ?? this.#kept.registry.holderOf(name, { path, repository });
      },
      prepare: async () => {
        this.#trust = await this.#options.trust();
        await this.#kept.keepKey();
      },
      make: (declared, completed) => this.#make(declared, completed),
      onDoubt: (folder) => {
        for (const its of this.#snapshotsOf(folder)) this.#options.onChange("changed", its);
      },
      onGone: ({ directory: path }) => void this.#gone.gone(path),
      onState: () => this.#kept.save(),
      isOver: () => this.#stopping !== undefined,
    });
    folder.naming = this.#kept.registry.namingOf(directory);
    return folder;
  }

  #make(declared: Declared, completed: Map<string, Completed>): Project {
    const { domain } = declared.spec;
    return new Project(declared, {
      clock: this.#options.clock,
      breathe: this.#breathe,
      logs: this.logs,
      machine: this.#options.kinds,
      supervise: (spec, its) => {
        const given = { ...its, effects: this.#effects };
        if (spec.own?.kind === "site") return superviseSite(spec, { ...given, sites: this.#sites });
        return isSwapped(spec)
          ? superviseBuilt(spec, { ...given, files: buildFiles })
          : supervise(spec, given);
      },
      adopt: (spec, its) => {
        const given = { ...its, effects: this.#effects };
        if (spec.own?.kind === "site") return adoptSite(spec, { ...given, sites: this.#sites });
        return isSwapped(spec)
          ? adoptBuilt(spec, { ...given, files: buildFiles })
          : adopt(spec, given);
      },
      portOf: (id, port) => this.#kept.ports.of(id, port),
      claimPort: (id, port) => this.#kept.ports.claim(id, port),
      isFree: (port) => this.#effects.isFree(port),
      isFolder,
      inputsOf: ({ inputs, workdir }) => inputsFingerprint(inputs, workdir),
      completed,
      urlOf: (routeName) => this.#options.addressOf(routeName, domain).url,
      trust: () => this.#trust,
      onChange: (change, its) => this.#changed(change, this.#inFolder(its)),
      onState: () => this.#kept.save(),
    });
  }
}

async function* inTurn(batches: readonly Given[]): AsyncGenerator<Given> {
  yield* batches;
}

/** Two ways to one folder are one project. */
async function real(path: string): Promise<string> {
  return await realpath(path).catch(() => path);
}
