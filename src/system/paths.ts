/** The environment -> this program's paths: its state, how its daemon is found, and the person's configuration file. */
import { isAbsolute, join } from "node:path";

export type Located = { kind: "path"; path: string } | { kind: "mistake"; what: string };

export type LocateOptions = {
  env: Readonly<Record<string, string | undefined>>;
  platform: NodeJS.Platform;
  /** The person's home directory. */
  home: string;
};

/**
 * `LOCALHOSTESS_STATE_DIR`, or else the system's usual place for state. An empty variable counts as not set. The
 * directory need not exist.
 */
export function stateDirectory({ env, platform, home }: LocateOptions): Located {
  const own = env.LOCALHOSTESS_STATE_DIR;
  if (own) return named("LOCALHOSTESS_STATE_DIR", own);
  if (platform === "darwin") {
    return { kind: "path", path: join(home, "Library", "Application Support", "localhostess") };
  }
  const base = absolute(env.XDG_STATE_HOME) ?? join(home, ".local", "state");
  return { kind: "path", path: join(base, "localhostess") };
}

/** `LOCALHOSTESS_CONFIG`, or else `config.toml` in the system's place for configuration. The file need not exist. */
export function configFile({ env, platform, home }: LocateOptions): Located {
  const own = env.LOCALHOSTESS_CONFIG;
  if (own) return named("LOCALHOSTESS_CONFIG", own);
  const base =
    platform === "darwin"
      ? join(home, "Library", "Application Support")
      : (absolute(env.XDG_CONFIG_HOME) ?? join(home, ".config"));
  return { kind: "path", path: join(base, "localhostess", "config.toml") };
}

/** A relative path is an error: two commands started in different folders have to mean the same place. */
function named(variable: string, path: string): Located {
  if (isAbsolute(path)) return { kind: "path", path };
  return {
    kind: "mistake",
    what: `${variable}=${path} is not an absolute path; try ${variable}="$PWD/${path}"`,
  };
}

/** XDG Base Directory Specification 0.8: relative paths are to be ignored. */
function absolute(path: string | undefined): string | undefined {
  return path && isAbsolute(path) ? path : undefined;
}
export type DaemonPaths =
  | {
      kind: "paths";
      stateDirectory: string;
      /** The directory that holds all sandboxes. Equals `stateDirectory` outside a sandbox. */
      base: string;
      /** True if no variable set the state directory. */
      own: boolean;
      /** The IPC socket. */
      socket: string;
      log: string;
      sandbox: string | undefined;
    }
  | { kind: "mistake"; mistakes: readonly string[] };

/**
 * `LOCALHOSTESS_SANDBOX` names a daemon that is separate from the usual one. `LOCALD_SOCKET` moves the socket, but only
 * in a sandbox: a forgotten variable must not make commands talk to a different daemon than they say.
 */
export function daemonPaths(options: LocateOptions): DaemonPaths {
  const { env } = options;
  const mistakes: string[] = [];
  const base = stateDirectory(options);
  if (base.kind === "mistake") mistakes.push(base.what);
  const sandbox = env.LOCALHOSTESS_SANDBOX || undefined;
  if (sandbox !== undefined && !isSandboxName(sandbox)) {
    mistakes.push(
      `--sandbox ${JSON.stringify(sandbox)}: a sandbox name has at most 32 lower-case letters, digits and hyphens`,
    );
  }
  const socket = env.LOCALD_SOCKET || undefined;
  if (socket !== undefined && env.LOCALD_SANDBOX_ACTIVE !== "1") {
    mistakes.push(
      "LOCALD_SOCKET is not allowed without LOCALD_SANDBOX_ACTIVE=1; for a separate daemon: --sandbox <name>",
    );
  } else if (socket !== undefined && !isAbsolute(socket)) {
    mistakes.push(`LOCALD_SOCKET=${socket} is not an absolute path`);
  }
  if (mistakes.length > 0 || base.kind === "mistake") return { kind: "mistake", mistakes };
  const path = sandbox === undefined ? base.path : join(base.path, "sandboxes", sandbox);
  return {
    kind: "paths",
    stateDirectory: path,
    base: base.path,
    own: !env.LOCALHOSTESS_STATE_DIR,
    socket: socket ?? join(path, "daemon.sock"),
    log: join(path, "daemon.log"),
    sandbox,
  };
}

export function isSandboxName(name: string): boolean {
  return /^[a-z0-9-]{1,32}$/.test(name);
}
