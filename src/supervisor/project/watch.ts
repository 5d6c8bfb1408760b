/** Files, or globs under a folder -> a word when one of them is different, once for many changes at once. */
import { type FSWatcher, lstatSync, readdirSync, watch } from "node:fs";
import { basename, dirname, join, relative } from "node:path";
import type { Cancel, Clock } from "../../system/clock.ts";
import { fileFingerprint } from "../../system/file-fingerprint.ts";

export type WatchOptions = {
  clock: Clock;
  /** Reports a path that cannot be watched. */
  note(text: string): void;
  /** Milliseconds without a further change before the report. */
  quiet?: number;
  /** Paths as they were given, or from the folder of the globs. */
  onChange(paths: readonly string[]): void;
};

/** Editors write in several steps. */
const usualQuiet = 150;

/** Milliseconds between two looks at paths without events: other file systems, folders that come later. */
const lookPeriod = 2000;

/** Folders that `**` does not enter. */
const passedOver: ReadonlySet<string> = new Set([
  "node_modules",
  ".git",
  "__pycache__",
  ".venv",
  "target",
]);

/** Each takes a watch of the kernel's, of which a user has a few thousand (fs.inotify.max_user_watches). */
const mostFolders = 5000;

/** Milliseconds of work after which the event loop gets its turn. */
const slice = 5;

export type WatchFilesOptions = WatchOptions & {
  /** Fingerprints from before the files were read: a change since then is reported too. */
  since?: ReadonlyMap<string, string>;
};

/** `paths` are absolute, and need not exist. Cancelling twice is harmless. */
export function watchFiles(paths: readonly string[], options: WatchFilesOptions): Cancel {
  const { clock, since } = options;
  const known = new Map(paths.map((path) => [path, since?.get(path) ?? fileFingerprint(path)]));
  const tell = gathered(options);
  const look = (): void => {
    for (const [path, before] of known) {
      const now = fileFingerprint(path);
      if (now === before) continue;
      known.set(path, now);
      tell.add(path);
    }
  };
  const names = new Set(paths.map((path) => basename(path)));
  const watchers = new Map<string, FSWatcher>();
  for (const folder of new Set(paths.map(dirname))) {
    const watcher = watchFolder(folder, (name) => {
      if (name === undefined || names.has(name)) look();
    });
    if (watcher !== undefined) watchers.set(folder, watcher);
  }
  const stopLooking = clock.every(lookPeriod, look);
  look();
  return () => {
    stopLooking();
    tell.cancel();
    for (const watcher of watchers.values()) watcher.close();
  };
}

/** Globs are from `folder`, absolute. Cancelling twice is harmless. */
export function watchGlobs(
  globs: readonly string[],
  { folder, ...options }: WatchOptions & { folder: string },
): Cancel {
  const patterns = globs.map((glob) => new Bun.Glob(glob.replace(/^\.\//, "")));
  const tell = gathered(options);
  const watchers = new Map<string, FSWatcher>();
  let stopped = false;
  let full = false;
  const matches = (path: string): boolean => patterns.some((pattern) => pattern.match(path));

  const add = async (start: string, { fresh }: { fresh: boolean }): Promise<void> => {
    const folders = [start];
    let begun = performance.now();
    for (let here = folders.pop(); here !== undefined; here = folders.pop()) {
      if (stopped || watchers.has(here)) continue;
      if (watchers.size >= mostFolders) {
        if (!full) options.note(`${folder} has more than ${mostFolders} folders to watch`);
        full = true;
        return;
      }
      const current = here;
      const watcher = watchFolder(current, (name) => changed(current, name));
      if (watcher === undefined) continue;
      watchers.set(current, watcher);
      for (const entry of entriesOf(current)) {
        const path = join(current, entry.name);
        if (entry.isDirectory()) {
          if (!passedOver.has(entry.name)) folders.push(path);
        } else if (fresh && matches(relative(folder, path))) tell.add(relative(folder, path));
      }
      if (performance.now() - begun > slice) {
        await new Promise((resume) => setImmediate(resume));
        begun = performance.now();
      }
    }
  };

  const changed = (where: string, name: string | undefined): void => {
    if (stopped || name === undefined) return;
    const path = join(where, name);
    const short = relative(folder, path);
    if (matches(short)) tell.add(short);
    if (passedOver.has(name)) return;
    if (isFolder(path)) void add(path, { fresh: true });
    else {
      watchers.get(path)?.close();
      watchers.delete(path);
    }
  };

  for (const root of new Set(globs.map((glob) => join(folder, fixedPart(glob))))) {
    void add(root, { fresh: false });
  }
  return () => {
    stopped = true;
    tell.cancel();
    for (const watcher of watchers.values()) watcher.close();
    watchers.clear();
  };
}

/** The folders before the first wildcard: only these need a watch. */
function fixedPart(glob: string): string {
  const parts = glob.split("/");
  const wild = parts.findIndex((part) => /[*?[\]{}!\\]/.test(part));
  return parts.slice(0, wild === -1 ? parts.length - 1 : wild).join("/");
}

/** A link to one is none, as in `entriesOf`: a branch may bring one that leads to `/`. */
function isFolder(path: string): boolean {
  try {
    return lstatSync(path).isDirectory();
  } catch {
    // Gone again, or not ours to look at: then nothing of it is watched.
    return false;
  }
}

function entriesOf(folder: string) {
  try {
    return readdirSync(folder, { withFileTypes: true });
  } catch {
    // Gone again, or not ours to read: then nothing of it is watched.
    return [];
  }
}

/** Undefined where there is no such folder, or no watch left. */
function watchFolder(
  folder: string,
  hear: (name: string | undefined) => void,
): FSWatcher | undefined {
  try {
    const watcher = watch(folder, { persistent: false }, (_, name) => hear(name ?? undefined));
    // The folder is gone; the periodic look sees it when it is back.
    watcher.on("error", () => watcher.close());
    return watcher;
  } catch {
    return undefined;
  }
}

function gathered({ clock, onChange, quiet = usualQuiet }: WatchOptions) {
  const paths = new Set<string>();
  let timer: Cancel | undefined;
  return {
    add(path: string): void {
      paths.add(path);
      timer?.();
      timer = clock.after(quiet, () => {
        timer = undefined;
        const told = [...paths];
        paths.clear();
        onChange(told);
      });
    },
    cancel(): void {
      timer?.();
      timer = undefined;
    },
  };
}
