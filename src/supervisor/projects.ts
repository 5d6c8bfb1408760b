/** The requests that all projects of a daemon answer. */
import type { ServiceSpec } from "../manifest/project.ts";
import type { RegisteredProject } from "../routes/project-report.ts";
import type { Supervised } from "../routes/supervised.ts";
import type { Gauge } from "./family/usage-gauge.ts";
import type { Given, HandedPart } from "./handed.ts";
import type { LineStart } from "./line.ts";
import type { LogStore } from "./logs/log-store.ts";
import type { Size } from "./logs/log-lines.ts";
import type { Attachment } from "./project/attachments.ts";
import type { Started } from "./project/boot.ts";
import type { Brought } from "./project/bring-up.ts";
import type { Watched } from "./project/idle.ts";
import type { Handover } from "./project/handover.ts";
import type { Hear } from "./project/project.ts";
import type { ServiceEnv } from "./project/service-env.ts";
import type { Shell } from "./project/unit.ts";
import type { FoundStore } from "./store-sight.ts";
import type { StoreWork } from "./store-work.ts";

export type UpRequest = {
  directory: string;
  /** The name of the file in the folder that declares the project; undefined: locald.toml or a Procfile. */
  file: string | undefined;
  /** The project's name in this folder from now on; null: the one that its files say; undefined: as before. */
  name?: string | null | undefined;
  /** Undefined: all that is not lazy. */
  names: readonly string[] | undefined;
  /** True: tasks are run again, whether they are completed or not. */
  tasks?: boolean;
  /** With the whole project, services of these start too. */
  profiles?: readonly string[] | undefined;
  /** Undefined: what the project has already, or this daemon's own. */
  shell: Shell | undefined;
  /** Set: services that run are started again. */
  restart: boolean;
  hear: Hear;
  /** Milliseconds for which a service is waited for that runs and has no deadline; by default a minute. */
  patience?: number | undefined;
};

export type Found = { kind: "ids"; ids: readonly string[] } | { kind: "none"; why: string };

export type Forgotten =
  { kind: "forgotten"; name: string; path: string } | { kind: "none"; why: string };

/**
 * Methods that return a promise wait until the daemon before has ended, what it left has, and what should run is being
 * started. Those that change something reject with
 * `TakenOver` where another daemon has taken over meanwhile. The others say what there is at this moment, which is
 * nothing before.
 */
export interface Projects {
  /** The shells that the daemon before has handed over, of services that `begin` is to bring up. */
  inherit(shells: unknown): void;
  /**
   * Services that the daemon before hands over: shown from now on, and not ours before `begin`. @throws where they
   * are not what we understand.
   */
  receive(batches: AsyncIterable<Given>): Promise<void>;
  /**
   * Takes over from the daemon before: at once where it has handed over, and `line` is the connection on which it did,
   * which is ours from now on; else as soon as that has ended.
   */
  begin(line?: LineStart): void;
  /** The services, for the next daemon. To be asked for once for each that wants them. */
  handing(): HandedPart;
  /** Once it is known: whether another daemon has taken over, so that what is asked here is for that one to do. */
  isTakenOver(): Promise<boolean>;
  /** The shells of `up`, for the next daemon. They are in memory only, and go nowhere else. */
  handover(): Handover;
  /** Never rejects. */
  up(request: UpRequest): Promise<Brought>;
  /** Services by `shop:api`, `api`, or a project's name; all of a folder's project where no name is given. */
  find(name: string | undefined, directory: string | undefined): Promise<Found>;
  /** The ids of all services. */
  ids(): Promise<readonly string[]>;
  stop(ids: readonly string[]): Promise<void>;
  /** Undefined: with the environment that each has. */
  restart(
    ids: readonly string[],
    options: { shell: Shell | undefined; hear: Hear },
  ): Promise<Started>;
  /**
   * Starts what an `up` of the folder's whole project starts, as it was approved by the last one: changes that wait go
   * on waiting.
   */
  resume(directory: string, options: { hear: Hear }): Promise<Started>;
  /**
   * The environment that a service has on top of its shell's, by its files as they are now. `shell` fills references to
   * it.
   */
  envOf(
    name: string,
    options: { directory: string | undefined; shell: Shell | undefined },
  ): Promise<ServiceEnv>;
  /** A managed store by its service's name; without one, the only one of the folder's project. */
  storeOf(
    name: string | undefined,
    options: { directory: string | undefined; shell: Shell | undefined },
  ): Promise<FoundStore>;
  /** Removes the data of all stores of a folder's project. Returns why that cannot be, in a sentence. */
  removeStores(directory: string): Promise<string | undefined>;
  /** Whatever is asked of the data of stores. */
  readonly stores: StoreWork;
  registered(): Promise<readonly RegisteredProject[]>;
  /** False where there is no project. */
  pin(directory: string, pinned: boolean): Promise<boolean>;
  /** Forgets registered projects whose folder is gone, and of which nothing runs, and says how many. */
  clean(): Promise<number>;
  /** Forgets a project by its name or, where it is given, its folder: pin, approvals, ports and logs. */
  forget(name: string, directory: string | undefined): Promise<Forgotten>;
  /** Goes on with a project whose folder was moved there. Returns where it was; undefined: none was. */
  follow(directory: string): Promise<string | undefined>;
  snapshots(): Supervised[];
  specOf(id: string): ServiceSpec | undefined;
  /** Milliseconds since its process was started. */
  ageOf(id: string): number | undefined;
  readonly usage: Gauge;
  /** The address of a name of a project. */
  addressOf(routeName: string, domain: string): { url: string; domain: string };
  readonly logs: LogStore;
  /** Somebody is at the terminal of a service, and has a terminal of that size, or none. */
  attach(id: string, size: Size | undefined): Attachment;
  /** A request asks for it. */
  wake(id: string): void;
  /** No request has come for it for its `idle_timeout`. */
  doze(id: string): void;
  /** Services that have an `idle_timeout`. */
  mayDoze(): readonly Watched[];
  /** The daemon before is not to go on: we end as we were told to. Twice is harmless. */
  release(): void;
  /** A fault of ours: `why`, for a sentence. @returns whether the daemon before goes on once this process has ended. */
  fails(why: string): boolean;
  /** Ends all services, keeps what should run, and hands over to the next daemon. Does not wait. Twice is harmless. */
  stopAll(): Promise<void>;
}
