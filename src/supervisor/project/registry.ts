/** Projects that were ever up -> registry.json, in the first locald's words; and back. */
import { join } from "node:path";
import * as v from "valibot";
import { isoTime } from "../../routes/json-form.ts";
import type { RegisteredProject } from "../../routes/project-report.ts";
import type { Clock } from "../../system/clock.ts";
import { folderIdentity, isSameFolder, whereabouts } from "../../system/folder-identity.ts";
import { movedRoot } from "./moved-spec.ts";
import { jsonFile } from "../../system/json-file.ts";
import { onlyVersioned } from "../../system/state-format.ts";

const seconds = v.pipe(v.number(), v.integer(), v.minValue(0));
const entry = v.object({
  path: v.pipe(v.string(), v.startsWith("/")),
  name: v.string(),
  pinned: v.boolean(),
  last_seen: v.object({ secs_since_epoch: seconds, nanos_since_epoch: seconds }),
  /** The folder at the last `up`, by which it is known again where it was moved. Not a field of the first locald. */
  folder: v.optional(v.string()),
  /** Not fields of the first locald either: see `KeptNaming`. */
  given: v.optional(v.string()),
  instead: v.optional(v.string()),
  label: v.optional(v.string()),
  /** A linked worktree's own folder, and git's, which tells where the worktree is now. */
  root: v.optional(v.string()),
  repository: v.optional(v.string()),
});

type Entry = v.InferOutput<typeof entry>;

/** The parts of a project's name that its files do not say, as of the last `up`. */
export type KeptNaming = Pick<Entry, "given" | "instead" | "label" | "root" | "repository">;

/** A project, without where its folder is: that takes a look. */
export type Known = Omit<Entry, "folder" | keyof KeptNaming>;

const registry = v.object({ projects: v.record(v.string(), entry) });

/** The first locald's form of a time, in the file -> that of the API. */
function isoOf({ secs_since_epoch, nanos_since_epoch }: Entry["last_seen"]): string {
  return isoTime(secs_since_epoch * 1000 + Math.floor(nanos_since_epoch / 1e6)) ?? isoTime(0)!;
}

export const registryFormat = onlyVersioned;

export function registryPath(stateDirectory: string): string {
  return join(stateDirectory, "registry.json");
}

export type RegistryOptions = { path: string; clock: Clock; note(text: string): void };

export interface Registry {
  /** Reads the file, which another daemon may have written. Never rejects. */
  load(): Promise<void>;
  /** The one that was seen last first. */
  list(): readonly Known[];
  /** With where the folder of each is. */
  listed(): Promise<readonly RegisteredProject[]>;
  /** The project whose folder was at another path, and is at this one now. */
  movedTo(path: string): Entry | undefined;
  /** The folder that was at the path at the last `up`; undefined where that is not known. */
  identityOf(path: string): string | undefined;
  namingOf(path: string): KeptNaming;
  /**
   * The folder of another project with that name, if it is there. Not another worktree of `repository`: git has a
   * branch in one of them at a time, so that the name goes with it.
   */
  holderOf(name: string, its: { path: string; repository: string | undefined }): string | undefined;
  /** Its folder is at another path. */
  move(from: string, to: string): void;
  forget(path: string): void;
  /** Notes that a project is up, or was named. */
  seen(path: string, its: { name: string; naming: KeptNaming }): void;
  /** A pinned project comes up with the daemon. False where it is not known. */
  pin(path: string, pinned: boolean): boolean;
  flush(): Promise<void>;
}

export function registryAt(options: RegistryOptions): Registry {
  const { clock } = options;
  const projects = new Map<string, Entry>();
  const file = jsonFile({
    ...options,
    format: registryFormat,
    check(value) {
      const read = v.safeParse(registry, value);
      return read.success ? read.output : undefined;
    },
  });
  const save = (): void => file.save(() => ({ projects: Object.fromEntries(projects) }));

  return {
    async load() {
      const kept = await file.read();
      projects.clear();
      for (const [path, its] of Object.entries(kept?.projects ?? {})) projects.set(path, its);
    },
    list() {
      const time = ({ last_seen: its }: Entry) =>
        its.secs_since_epoch * 1e9 + its.nanos_since_epoch;
      return [...projects.values()]
        .sort((a, b) => time(b) - time(a))
        .map(({ path, name, pinned, last_seen }) => ({ path, name, pinned, last_seen }));
    },
    listed() {
      const looked = this.list().map(async (its) => ({
        ...its,
        last_seen: isoOf(its.last_seen),
        folder: await whereabouts(its.path, projects.get(its.path)?.folder),
      }));
      return Promise.all(looked);
    },
    movedTo(path) {
      const identity = folderIdentity(path);
      if (identity === "") return undefined;
      return [...projects.values()].find(
        (its) =>
          its.path !== path &&
          isSameFolder(its.folder ?? "", identity) &&
          // Mounted in two places, it is at both.
          !isSameFolder(folderIdentity(its.path), identity),
      );
    },
    identityOf: (path) => projects.get(path)?.folder,
    namingOf(path) {
      const { given, instead, label, root, repository } = projects.get(path) ?? {};
      return { given, instead, label, root, repository };
    },
    holderOf(name, { path, repository }) {
      const others = [...projects.values()].filter((its) => its.name === name && its.path !== path);
      const apart = others.filter(
        (its) => repository === undefined || its.repository !== repository,
      );
      return apart.find((its) => isStill(its))?.path;
    },
    move(from, to) {
      const its = projects.get(from);
      if (its === undefined) return;
      projects.delete(from);
      const root = its.root === undefined ? {} : { root: movedRoot(its.root, { from, to }) };
      projects.set(to, { ...its, path: to, ...root });
      save();
    },
    forget(path) {
      if (projects.delete(path)) save();
    },
    seen(path, { name, naming }) {
      const now = clock.wall();
      const last_seen = {
        secs_since_epoch: Math.floor(now / 1000),
        nanos_since_epoch: Math.floor(now % 1000) * 1_000_000,
      };
      const pinned = projects.get(path)?.pinned ?? false;
      const folder = folderIdentity(path) || projects.get(path)?.folder;
      projects.set(path, {
        ...{ path, name, pinned, last_seen },
        ...(folder === undefined ? {} : { folder }),
        ...naming,
      });
      save();
    },
    pin(path, pinned) {
      const known = projects.get(path);
      if (known === undefined) return false;
      projects.set(path, { ...known, pinned });
      save();
      return true;
    },
    flush: () => file.flush(),
  };
}

/** Its folder is where it was at the last `up`, as far as that is known. */
function isStill({ path, folder }: Entry): boolean {
  const now = folderIdentity(path);
  return now !== "" && (folder === undefined || folder.endsWith(" 0") || isSameFolder(folder, now));
}
