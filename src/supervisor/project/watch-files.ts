/** Files that were read -> a word when one of them is no longer as it was, until somebody has looked at it. */
import { realpathSync } from "node:fs";
import { basename, dirname } from "node:path";
import type { Cancel, Clock } from "../../system/clock.ts";
import { fileFingerprint } from "../../system/file-fingerprint.ts";
import type { FolderEvents, Heard } from "../../system/folder-events.ts";
import { folderIdentity } from "../../system/folder-identity.ts";
import { quietNews } from "./quiet-news.ts";
import { troubleText } from "./watch-trouble.ts";

/** Absolute paths, which need not exist, each with its fingerprint. */
export type Fingerprints = ReadonlyMap<string, string>;

export type WatchFilesOptions = {
  clock: Clock;
  events: FolderEvents;
  /** Milliseconds without a further change before the report. */
  quiet?: number;
  onChange(paths: readonly string[]): void;
  /** Sentences about all that cannot be watched as it should: each time that they change. */
  onTrouble(troubles: readonly string[]): void;
};

/** Milliseconds between looks at all files. They alone are sufficient; events only make it faster. */
const lookPeriod = 2000;

/** Milliseconds after which a change that nobody has looked at is reported again. */
const tellAgain = 10_000;

/**
 * A file counts as changed for as long as it differs from what `looked` was told last: a look that fails loses no
 * change, and neither does one during which the file changes again.
 */
export class WatchFiles {
  readonly #options: WatchFilesOptions;
  readonly #news: ReturnType<typeof quietNews>;
  /** As they were when they were looked at. */
  readonly #known = new Map<string, string>();
  /** Changes that were reported, and when. */
  readonly #reported = new Map<string, { fingerprint: string; time: number }>();
  /** By folder: also of what a link leads to. */
  readonly #heard = new Map<string, Heard>();
  #names: ReadonlySet<string> = new Set();
  #stopLooking: Cancel | undefined;
  #told = "";

  constructor(options: WatchFilesOptions) {
    this.#options = options;
    this.#news = quietNews(options);
  }

  get paths(): readonly string[] {
    return [...this.#known.keys()];
  }

  /** Watches these files instead of the former ones. `settled`: what they hold has been looked at. */
  looked(files: Fingerprints, { settled }: { settled: boolean }): void {
    for (const path of [...this.#known.keys()]) if (!files.has(path)) this.#known.delete(path);
    this.#reported.clear();
    this.#news.cancel();
    const time = this.#options.clock.now();
    for (const [path, fingerprint] of files) {
      const known = this.#known.get(path);
      if (settled || known === undefined) this.#known.set(path, fingerprint);
      // Whoever has looked knows of it, and will look again.
      else if (known !== fingerprint) this.#reported.set(path, { fingerprint, time });
    }
    this.#stopLooking ??= this.#options.clock.every(lookPeriod, () => this.#look());
    // After the folders are listened to: what changed before is found here, and what changes later is heard of.
    this.#listen();
    this.#look();
  }

  /** Twice is harmless. */
  close(): void {
    this.#stopLooking?.();
    this.#stopLooking = undefined;
    this.#news.cancel();
    for (const heard of this.#heard.values()) heard.cancel();
    this.#heard.clear();
    this.#known.clear();
    this.#reported.clear();
  }

  #look(): void {
    const { clock } = this.#options;
    let listen = false;
    for (const [path, known] of this.#known) {
      const fingerprint = fileFingerprint(path);
      if (fingerprint === known) {
        this.#reported.delete(path);
        continue;
      }
      const reported = this.#reported.get(path);
      const time = clock.now();
      const again = reported === undefined || Math.abs(time - reported.time) >= tellAgain;
      if (!again && reported.fingerprint === fingerprint) continue;
      this.#reported.set(path, { fingerprint, time });
      this.#news.add(path);
      // A link may lead elsewhere now.
      listen = true;
    }
    for (const [folder, heard] of this.#heard) {
      if (heard.identity !== folderIdentity(folder) || heard.deaf !== undefined) listen = true;
    }
    if (listen) this.#listen();
  }

  #listen(): void {
    const paths = [...this.#known.keys()];
    const targets = paths.flatMap((path) => realOf(path) ?? []);
    const all = [...paths, ...targets];
    const folders = new Set(all.map((path) => dirname(path)));
    this.#names = new Set(all.map((path) => basename(path)));
    for (const [folder, heard] of [...this.#heard]) {
      const stays = folders.has(folder) && heard.deaf === undefined;
      if (stays && heard.identity === folderIdentity(folder)) continue;
      heard.cancel();
      this.#heard.delete(folder);
    }
    for (const folder of folders) {
      if (this.#heard.has(folder)) continue;
      const heard = this.#options.events.hear(folder, (name) => {
        if (name === undefined || this.#names.has(name)) this.#look();
      });
      this.#heard.set(folder, heard);
    }
    this.#tellTrouble();
  }

  #tellTrouble(): void {
    const codes = new Map<string, string>();
    for (const [path, { deaf }] of this.#heard) {
      if (deaf !== undefined && !codes.has(deaf)) codes.set(deaf, path);
    }
    const troubles = [...codes].flatMap(
      ([code, path]) => troubleText({ code, path, period: lookPeriod }) ?? [],
    );
    const told = troubles.join("\n");
    if (told === this.#told) return;
    this.#told = told;
    this.#options.onTrouble(troubles);
  }
}

export function fingerprintsOf(paths: Iterable<string>): Fingerprints {
  return new Map([...paths].map((path) => [path, fileFingerprint(path)]));
}

/** Undefined for a file that is no link, or leads nowhere. */
function realOf(path: string): string | undefined {
  try {
    const real = realpathSync(path);
    return real === path ? undefined : real;
  } catch {
    // Missing: it is waited for in its own folder.
    return undefined;
  }
}
