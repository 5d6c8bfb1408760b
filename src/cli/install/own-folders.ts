/** The environment -> every folder and file that this user's daemons and commands have made, with its size. */
import { lstatSync, readdirSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { storesFolder } from "../../stores/folders.ts";

/** In the order in which they are shown and removed: what cannot be made again comes first. */
const ids = ["databases", "state", "configuration", "cache", "sockets"] as const;

export type OwnFolder = {
  id: (typeof ids)[number];
  path: string;
  /** The size of all files in it; hard links count once for each name. */
  bytes: number;
};

export type FoldersOptions = {
  env: Readonly<Record<string, string | undefined>>;
  platform: NodeJS.Platform;
  home: string;
  uid: number;
  /** The state directory of the usual daemon, which has those of the sandboxes. */
  state: string;
  /** Undefined: a variable names it in a way that is not understood. */
  configFile: string | undefined;
  /** `/`, except in tests. */
  root: string;
};

/** Only what is there, and this user's own. */
export function ownFolders(options: FoldersOptions): OwnFolder[] {
  const { env, platform, home, uid, state, configFile, root } = options;
  const cache = env.XDG_CACHE_HOME?.startsWith("/") ? env.XDG_CACHE_HOME : join(home, ".cache");
  const states = [state, ...sandboxesIn(state)];
  const stores = states.map((its) => storesFolder(its, { env, platform, uid }));
  const runtime = env.XDG_RUNTIME_DIR;
  // A folder that was chosen by a variable may have other things in it, and so may the one around the file.
  const around = configFile === undefined ? "" : dirname(configFile);
  const all: Record<OwnFolder["id"], readonly string[]> = {
    databases: stores.filter((path) => !path.startsWith(`${state}/`)),
    state: [state],
    configuration:
      configFile === undefined ? [] : [basename(around) === "localhostess" ? around : configFile],
    cache: [
      join(cache, "localhostess"),
      ...(uid === 0 ? [join(root, "var/cache/localhostess")] : []),
    ],
    sockets: [
      ...(runtime?.startsWith("/") ? inFolder(runtime, /^localhostess(?:-[0-9a-f]{8})?$/) : []),
      ...inFolder(join(root, "tmp"), new RegExp(`^localhostess-${uid}(?:-[0-9a-f]{16})?$`)),
    ],
  };
  return ids.flatMap((id) =>
    all[id].flatMap((path) => {
      const its = lstatSync(path, { throwIfNoEntry: false });
      return its === undefined || its.uid !== uid ? [] : [{ id, path, bytes: sizeOf(path) }];
    }),
  );
}

/** State directories of sandboxes. */
export function sandboxesIn(state: string): string[] {
  return namesIn(join(state, "sandboxes")).map((name) => join(state, "sandboxes", name));
}

function inFolder(folder: string, form: RegExp): string[] {
  return namesIn(folder)
    .filter((name) => form.test(name))
    .map((name) => join(folder, name));
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    // There is no such folder, or it is another user's: nothing of ours is in it.
    return [];
  }
}

function sizeOf(path: string): number {
  const its = lstatSync(path, { throwIfNoEntry: false });
  if (its === undefined) return 0;
  if (!its.isDirectory()) return its.size;
  return namesIn(path).reduce((sum, name) => sum + sizeOf(join(path, name)), 0);
}
