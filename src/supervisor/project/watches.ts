/** The files of a project and the globs of its services -> news of what changed in them, until they are closed. */
import type { ServiceSpec } from "../../manifest/project.ts";
import type { Cancel, Clock } from "../../system/clock.ts";
import { fileFingerprint } from "../../system/file-fingerprint.ts";
import { watchFiles, watchGlobs } from "./watch.ts";

export type WatchesOptions = {
  clock: Clock;
  note(text: string): void;
  /** A file of the project changed. */
  onFiles(): void;
  /** A file that a service watches did: `src/a.ts and 2 more`. */
  onGlob(service: string, what: string): void;
};

export class Watches {
  readonly #options: WatchesOptions;
  #files: readonly string[] = [];
  #cancelFiles: Cancel | undefined;
  /** Watched globs by service; `key` identifies the watched files. */
  readonly #globs = new Map<string, { key: string; cancel: Cancel }>();

  constructor(options: WatchesOptions) {
    this.#options = options;
  }

  /** The watched files as they are now, for `files` to compare with once they have been read. */
  fingerprints(): ReadonlyMap<string, string> {
    return new Map(this.#files.map((path) => [path, fileFingerprint(path)]));
  }

  /** Watches these files instead of the former ones. `since`: fingerprints from before they were read. */
  files(paths: readonly string[], since: ReadonlyMap<string, string>): void {
    const { clock, note, onFiles } = this.#options;
    this.#cancelFiles?.();
    this.#files = paths;
    this.#cancelFiles = watchFiles(paths, { clock, note, since, onChange: onFiles });
  }

  /** Watches the globs of these services instead of the former ones. */
  globs(services: readonly ServiceSpec[]): void {
    const wanted = new Map(
      services.flatMap((its) => (its.watch.length === 0 ? [] : [[its.name, its] as const])),
    );
    for (const [name, { key, cancel }] of [...this.#globs]) {
      const its = wanted.get(name);
      if (its !== undefined && keyOf(its) === key) continue;
      cancel();
      this.#globs.delete(name);
    }
    for (const [name, its] of wanted) if (!this.#globs.has(name)) this.#watch(name, its);
  }

  close(): void {
    this.#cancelFiles?.();
    this.#cancelFiles = undefined;
    this.globs([]);
  }

  #watch(name: string, its: ServiceSpec): void {
    const { clock, note, onGlob } = this.#options;
    const cancel = watchGlobs(its.watch, {
      folder: its.workdir,
      clock,
      note,
      onChange([first, ...others]) {
        const more = others.length === 0 ? "" : ` and ${others.length} more`;
        onGlob(name, `${first}${more}`);
      },
    });
    this.#globs.set(name, { key: keyOf(its), cancel });
  }
}

function keyOf({ watch, workdir }: ServiceSpec): string {
  return JSON.stringify([workdir, watch]);
}
