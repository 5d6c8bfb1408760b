/** The environment -> the folder where this program keeps its state, and the file in which a person configures it. */
import { isAbsolute, join } from "node:path";

export type Located = { kind: "path"; path: string } | { kind: "mistake"; what: string };

export type LocateOptions = {
  env: Readonly<Record<string, string | undefined>>;
  platform: NodeJS.Platform;
  /** The person's home directory. */
  home: string;
};

/**
 * `LOCALHOSTESS_STATE_DIR`, else the place that the system has for state. An empty variable is one that is
 * not set. The directory need not exist.
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

/** `LOCALHOSTESS_CONFIG`, else `config.toml` in the place that the system has for configuration. It need not exist. */
export function configFile({ env, platform, home }: LocateOptions): Located {
  const own = env.LOCALHOSTESS_CONFIG;
  if (own) return named("LOCALHOSTESS_CONFIG", own);
  const base =
    platform === "darwin"
      ? join(home, "Library", "Application Support")
      : (absolute(env.XDG_CONFIG_HOME) ?? join(home, ".config"));
  return { kind: "path", path: join(base, "localhostess", "config.toml") };
}

/** Two commands started in two folders have to mean the same place. */
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
