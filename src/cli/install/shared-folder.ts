/** A folder that is to be taken away -> why it stays, where it has more in it than what is ours. */
import { readdirSync, realpathSync } from "node:fs";
import { listed } from "../../text/list.ts";

/** The names in a state directory. What is written anew or kept aside has one of them in front. */
const inState: ReadonlySet<string> = new Set([
  ...["authority", "authority-bare", "builds", "cache", "choices.json", "credential", "daemon.log"],
  ...["daemon.sock", "engines", "env", "folder-names.json", "forgotten-folders.json", "logs"],
  ...[
    "names.json",
    "notify",
    "plans",
    "plugins",
    "plugins.json",
    "registration.json",
    "registry.json",
    "remotes",
    "remotes.json",
  ],
  ...["sandboxes", "start.lock", "state.json", "stores", "supervisor.lock"],
]);

const variant = /(?:\.\d+|\.bak|\.lock|\.newer|\.broken-[\w-]+|\.\d+\.[\w-]+\.tmp)$/;

/** Characters of a sentence hold some names. */
const most = 4;

export type SharedOptions = {
  /** The person's home directory. */
  home: string;
  /** A variable names this folder as the state directory, which may have been there before. */
  isChosen: boolean;
};

/** A clause; undefined: all of it is ours. */
export function whyStays(path: string, { home, isChosen }: SharedOptions): string | undefined {
  const [real, realHome] = [path, home].map(realOf);
  if (`${realHome}/`.startsWith(real === "/" ? real : `${real}/`)) {
    return "as the home directory is in it";
  }
  if (!isChosen) return undefined;
  const isOurs = (name: string): boolean =>
    inState.has(name) || inState.has(name.replace(variant, ""));
  const others = readdirSync(path).filter((name) => !isOurs(name));
  return others.length === 0
    ? undefined
    : `as it has in it what is not of localhostess: ${listed(others.sort(), { most })}`;
}

function realOf(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    // A link that leads nowhere, or no folder at all.
    return path;
  }
}
