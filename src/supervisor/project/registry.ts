/** Projects that were ever up -> registry.json, in the first locald's words; and back. */
import { stat } from "node:fs/promises";
import * as v from "valibot";
import type { RegisteredProject } from "../../routes/project-report.ts";
import type { Clock } from "../../system/clock.ts";
import { jsonFile } from "../../system/json-file.ts";

const seconds = v.pipe(v.number(), v.integer(), v.minValue(0));
const entry = v.object({
  path: v.pipe(v.string(), v.startsWith("/")),
  name: v.string(),
  pinned: v.boolean(),
  last_seen: v.object({ secs_since_epoch: seconds, nanos_since_epoch: seconds }),
});
const registry = v.object({ projects: v.record(v.string(), entry) });

export type RegistryOptions = { path: string; clock: Clock; note(text: string): void };

export interface Registry {
  /** Reads the file; the registry is empty before. Never rejects. */
  load(): Promise<void>;
  /** The one that was seen last first. */
  list(): readonly RegisteredProject[];
  /** Notes that a project is up, or was named. */
  seen(path: string, name: string): void;
  /** A pinned project comes up with the daemon. False where it is not known. */
  pin(path: string, pinned: boolean): boolean;
  /** Forgets projects whose folder is gone, except pinned ones. Returns those it forgot. */
  clean(): Promise<readonly RegisteredProject[]>;
  flush(): Promise<void>;
}

export function registryAt(options: RegistryOptions): Registry {
  const { clock } = options;
  const projects = new Map<string, RegisteredProject>();
  const file = jsonFile({
    ...options,
    check(value) {
      const read = v.safeParse(registry, value);
      return read.success ? read.output : undefined;
    },
  });
  const save = (): void => file.save(() => ({ projects: Object.fromEntries(projects) }));

  return {
    async load() {
      const kept = await file.read();
      for (const [path, its] of Object.entries(kept?.projects ?? {})) projects.set(path, its);
    },
    list() {
      const time = ({ last_seen: its }: RegisteredProject) =>
        its.secs_since_epoch * 1e9 + its.nanos_since_epoch;
      return [...projects.values()].sort((a, b) => time(b) - time(a));
    },
    seen(path, name) {
      const now = clock.wall();
      const last_seen = {
        secs_since_epoch: Math.floor(now / 1000),
        nanos_since_epoch: Math.floor(now % 1000) * 1_000_000,
      };
      const pinned = projects.get(path)?.pinned ?? false;
      projects.set(path, { path, name, pinned, last_seen });
      save();
    },
    pin(path, pinned) {
      const known = projects.get(path);
      if (known === undefined) return false;
      projects.set(path, { ...known, pinned });
      save();
      return true;
    },
    async clean() {
      const gone: RegisteredProject[] = [];
      for (const its of [...projects.values()]) {
        if (its.pinned || (await isFolder(its.path))) continue;
        projects.delete(its.path);
        gone.push(its);
      }
      if (gone.length > 0) save();
      return gone;
    },
    flush: () => file.flush(),
  };
}

/** A path that cannot be read is not known to be gone. */
async function isFolder(path: string): Promise<boolean> {
  return await stat(path).then(
    (its) => its.isDirectory(),
    (error: NodeJS.ErrnoException) => error.code !== "ENOENT" && error.code !== "ENOTDIR",
  );
}
