/** The files of a project and the patterns of its services -> news of what changed, until they are closed. */
import { join } from "node:path";
import type { ServiceSpec } from "../../manifest/project.ts";
import { watchPatterns } from "../../manifest/watch-pattern.ts";
import type { Clock } from "../../system/clock.ts";
import type { FolderEvents } from "../../system/folder-events.ts";
import { type Fingerprints, fingerprintsOf, WatchFiles } from "./watch-files.ts";
import { WatchTree } from "./watch-tree.ts";

export type WatchesOptions = {
  clock: Clock;
  events: FolderEvents;
  /** A file of the project changed. */
  onFiles(): void;
  /** A file that a service watches did: `src/a.ts and 2 more`. Their paths are absolute. */
  onWatched(service: string, what: string, paths: readonly string[]): void;
  /** A sentence about what cannot be watched as it should; undefined: about the project's own files. */
  onTrouble(service: string | undefined, trouble: string): void;
};

type Watched = { key: string; tree: WatchTree; troubles: readonly string[] };

export class Watches {
  readonly #options: WatchesOptions;
  readonly #files: WatchFiles;
  /** Troubles with the project's own files. */
  #troubles: readonly string[] = [];
  /** By service; `key` identifies what it watches. */
  readonly #trees = new Map<string, Watched>();

  constructor(options: WatchesOptions) {
    const { clock, events, onFiles, onTrouble } = options;
    this.#options = options;
    this.#files = new WatchFiles({
      clock,
      events,
      onChange: onFiles,
      onTrouble: (troubles) => {
        for (const its of newOf(troubles, this.#troubles)) onTrouble(undefined, its);
        this.#troubles = troubles;
      },
    });
  }

  /** The watched files as they are now, for `files` once they have been read. */
  fingerprints(): Fingerprints {
    return fingerprintsOf(this.#files.paths);
  }

  /** Watches these files instead of the former ones: as they were before they were read. */
  files(files: Fingerprints, { settled }: { settled: boolean }): void {
    this.#files.looked(files, { settled });
  }

  /** Watches for these services instead of the former ones. `since`: until then, another daemon has watched. */
  services(services: readonly ServiceSpec[], { since }: { since?: number | undefined } = {}): void {
    const wanted = new Map(
      services.flatMap((its) => (its.watch.length === 0 ? [] : [[its.name, its] as const])),
    );
    for (const [name, { key, tree }] of [...this.#trees]) {
      const its = wanted.get(name);
      if (its !== undefined && keyOf(its) === key) continue;
      tree.close();
      this.#trees.delete(name);
    }
    for (const [name, its] of wanted) if (!this.#trees.has(name)) this.#watch(name, its, since);
  }

  /** Tells at once of what services' files have changed. */
  flush(): void {
    for (const { tree } of this.#trees.values()) tree.flush();
  }

  /** Sentences about all that cannot be watched as it should, for a service. */
  troubles(service: string): readonly string[] {
    return [...this.#troubles, ...(this.#trees.get(service)?.troubles ?? [])];
  }

  close(): void {
    this.#files.close();
    this.services([]);
  }

  #watch(name: string, its: ServiceSpec, since: number | undefined): void {
    const { clock, events, onWatched, onTrouble } = this.#options;
    const watched: Watched = {
      key: keyOf(its),
      troubles: [],
      tree: new WatchTree(watchPatterns(its.watch, its.workdir), {
        folder: its.workdir,
        clock,
        events,
        since,
        onChange(paths) {
          const [first, ...others] = paths;
          const more = others.length === 0 ? "" : ` and ${others.length} more`;
          const absolute = paths.map((path) => join(its.workdir, path));
          onWatched(name, `${first}${more}`, absolute);
        },
        onTrouble(troubles) {
          for (const text of newOf(troubles, watched.troubles)) onTrouble(name, text);
          watched.troubles = troubles;
        },
      }),
    };
    this.#trees.set(name, watched);
  }
}

function keyOf({ watch, workdir }: ServiceSpec): string {
  return JSON.stringify([workdir, watch]);
}

function newOf(now: readonly string[], before: readonly string[]): string[] {
  return now.filter((text) => !before.includes(text));
}
