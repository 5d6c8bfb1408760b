/** The environment -> the folder where this program keeps its state. */
import { isAbsolute, join } from "node:path";

export type StateDirectory = { kind: "path"; path: string } | { kind: "mistake"; what: string };

export type StateDirectoryOptions = {
  env: Readonly<Record<string, string | undefined>>;
  platform: NodeJS.Platform;
  /** The person's home directory. */
  home: string;
};

/**
 * `LOCALHOSTESS_STATE_DIR`, else the place that the system has for state. An empty variable is one that is
 * not set. The directory need not exist.
 */
export function stateDirectory({ env, platform, home }: StateDirectoryOptions): StateDirectory {
  const own = env.LOCALHOSTESS_STATE_DIR;
  if (own) {
    // Two commands started in two folders have to mean the same place.
    if (!isAbsolute(own)) {
      return {
        kind: "mistake",
        what: `LOCALHOSTESS_STATE_DIR=${own} is not an absolute path; try LOCALHOSTESS_STATE_DIR="$PWD/${own}"`,
      };
    }
    return { kind: "path", path: own };
  }
  if (platform === "darwin") {
    return { kind: "path", path: join(home, "Library", "Application Support", "localhostess") };
  }
  // XDG Base Directory Specification 0.8: relative paths are to be ignored.
  const xdg = env.XDG_STATE_HOME;
  const base = xdg && isAbsolute(xdg) ? xdg : join(home, ".local", "state");
  return { kind: "path", path: join(base, "localhostess") };
}
