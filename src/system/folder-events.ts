/** Folders -> news of their entries from the kernel: one watch a folder, however many listen. */
import { type FSWatcher, statfsSync, watch } from "node:fs";
import type { Cancel } from "./clock.ts";
import { folderIdentity } from "./folder-identity.ts";

/** A name in the folder; undefined: any of them. */
export type Listener = (name: string | undefined) => void;

export type Heard = {
  /** The folder that was there; empty: none was. Another one at the path is not listened to. */
  readonly identity: string;
  /** Why no news come, as a code of an error; undefined: they do. */
  readonly deaf: string | undefined;
  /** Twice is harmless. */
  cancel: Cancel;
};

export interface FolderEvents {
  /** Listens to the folder that is at the path now. Never throws. */
  hear(path: string, listener: Listener): Heard;
}

export type FolderEventsOptions = {
  watch?: (path: string, listener: Listener) => Pick<FSWatcher, "close" | "on">;
};

/** The code where the kernel accepts a watch and has no news: files that another computer changes. */
export const remote = "REMOTE";

/** Attempts to listen to a folder that is replaced at that moment. */
const mostAttempts = 3;

/** Types of statfs(2): NFS, SMB (1, 2, CIFS), 9P, FUSE, VirtualBox, Parallels, Ceph, AFS. */
const remoteTypes: ReadonlySet<number> = new Set([
  ...[0x6969, 0x517b, 0xfe534d42, 0xff534d42, 0x01021997],
  ...[0x65735546, 0x786f4256, 0x7c7c6673, 0x00c36400, 0x5346414f],
]);

type Entry = {
  identity: string;
  deaf: string | undefined;
  watcher: Pick<FSWatcher, "close"> | undefined;
  listeners: Set<Listener>;
};

export function folderEvents({ watch: begin = watched }: FolderEventsOptions = {}): FolderEvents {
  const entries = new Map<string, Entry>();
  /** Device -> whether it is another computer's. */
  const remotes = new Map<string, boolean>();

  const isRemote = (path: string, identity: string): boolean => {
    const device = identity.split(" ", 1)[0]!;
    let known = remotes.get(device);
    if (known === undefined) {
      known = isOnRemote(path);
      remotes.set(device, known);
    }
    return known;
  };

  const tell = (entry: Entry, name: string | undefined): void => {
    for (const listener of [...entry.listeners]) listener(name);
  };

  const arm = (path: string, entry: Entry): void => {
    let now = folderIdentity(path);
    for (let attempt = 0; attempt < mostAttempts; attempt++) {
      if (now === entry.identity && entry.watcher !== undefined) return;
      // Closed first: Bun gives a second watch of a path the news of the first, which may be of a folder moved away.
      entry.watcher?.close();
      Object.assign(entry, { watcher: undefined, identity: now, deaf: undefined });
      if (now === "") return;
      try {
        const watcher = begin(path, (name) => {
          if (entry.watcher === watcher) tell(entry, name);
        });
        watcher.on("error", (error: NodeJS.ErrnoException) => {
          if (entry.watcher !== watcher) return;
          watcher.close();
          Object.assign(entry, { watcher: undefined, deaf: error.code ?? error.message });
          tell(entry, undefined);
        });
        entry.watcher = watcher;
        if (isRemote(path, now)) entry.deaf = remote;
      } catch (error) {
        const { code, message } = error as NodeJS.ErrnoException;
        entry.deaf = code ?? message;
        return;
      }
      now = folderIdentity(path);
    }
  };

  return {
    hear(path, listener) {
      let entry = entries.get(path);
      if (entry === undefined) {
        entry = { identity: "", deaf: undefined, watcher: undefined, listeners: new Set() };
        entries.set(path, entry);
      }
      const its = entry;
      const before = its.identity;
      arm(path, its);
      // Those who listened to a folder that is here no longer look for themselves.
      if (before !== its.identity) tell(its, undefined);
      its.listeners.add(listener);
      return {
        identity: its.identity,
        deaf: its.deaf,
        cancel() {
          its.listeners.delete(listener);
          if (its.listeners.size > 0 || entries.get(path) !== its) return;
          entries.delete(path);
          its.watcher?.close();
          its.watcher = undefined;
        },
      };
    },
  };
}

function watched(path: string, listener: Listener): FSWatcher {
  return watch(path, { persistent: false }, (_, name) => listener(name ?? undefined));
}

function isOnRemote(path: string): boolean {
  if (process.platform !== "linux") return false;
  try {
    return remoteTypes.has(statfsSync(path).type);
  } catch {
    // Gone again: the next look finds that out.
    return false;
  }
}
