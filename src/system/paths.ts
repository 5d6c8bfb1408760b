/** The environment -> the places where this program keeps its state and where its daemon is found. */
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

export type DaemonPaths =
  | {
      kind: "paths";
      stateDirectory: string;
      /** No variable said where it is. */
      own: boolean;
      /** The socket for IPC. */
      socket: string;
      log: string;
      sandbox: string | undefined;
    }
  | { kind: "mistake"; mistakes: readonly string[] };

/**
 * `LOCALHOSTESS_SANDBOX` names a daemon apart from the usual one. `LOCALD_SOCKET` puts the socket elsewhere, in a
 * sandbox only, so that a variable that was forgotten does not make commands talk to another daemon than they say.
 */
export function daemonPaths(options: StateDirectoryOptions): DaemonPaths {
  const { env } = options;
  const mistakes: string[] = [];
  const base = stateDirectory(options);
  if (base.kind === "mistake") mistakes.push(base.what);
  const sandbox = env.LOCALHOSTESS_SANDBOX || undefined;
  if (sandbox !== undefined && !/^[a-z0-9-]{1,32}$/.test(sandbox)) {
    mistakes.push(
      `--sandbox ${JSON.stringify(sandbox)}: a sandbox has a name of at most 32 small letters, digits and hyphens`,
    );
  }
  const socket = env.LOCALD_SOCKET || undefined;
  if (socket !== undefined && env.LOCALD_SANDBOX_ACTIVE !== "1") {
    mistakes.push(
      "LOCALD_SOCKET is not allowed without LOCALD_SANDBOX_ACTIVE=1; for a daemon apart: --sandbox <name>",
    );
  } else if (socket !== undefined && !isAbsolute(socket)) {
    mistakes.push(`LOCALD_SOCKET=${socket} is not an absolute path`);
  }
  if (mistakes.length > 0 || base.kind === "mistake") return { kind: "mistake", mistakes };
  const path = sandbox === undefined ? base.path : join(base.path, "sandboxes", sandbox);
  return {
    kind: "paths",
    stateDirectory: path,
    own: !env.LOCALHOSTESS_STATE_DIR,
    socket: socket ?? join(path, "daemon.sock"),
    log: join(path, "daemon.log"),
    sandbox,
  };
}
