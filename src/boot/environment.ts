/** The environment of the command that installs the service -> the variables that the service's daemon gets. */
import { searchPath } from "../system/search-path.ts";
import { unitWord } from "./unit-text.ts";

/**
 * Where things are, which engines there are, and where programs are: projects that come up with the daemon are started
 * with its environment, and the one that managers give has the system's programs alone.
 */
const passedOn = [
  "LOCALHOSTESS_STATE_DIR",
  "LOCALHOSTESS_CONFIG",
  "LOCALHOSTESS_STORES_DIR",
  "XDG_CONFIG_HOME",
  "XDG_STATE_HOME",
  "XDG_DATA_HOME",
  "XDG_CACHE_HOME",
  "DOCKER_HOST",
  "DOCKER_CONTEXT",
  "CONTAINER_HOST",
] as const;

/** Settings, which belong into config.toml: a variable of a shell is gone with the shell. */
const settings = [
  "LOCALHOSTESS_PORT",
  "LOCALHOSTESS_HTTP_PORT",
  "LOCALHOSTESS_HTTPS_PORT",
  "LOCALHOSTESS_HTTPS_REDIRECT",
  "LOCALHOSTESS_INFER",
] as const;

type Env = Readonly<Record<string, string | undefined>>;

export function serviceEnvironment(env: Env): Record<string, string> {
  // The folders of one shell of fnm's are gone with that shell.
  const path = searchPath(env.PATH)
    .split(":")
    .filter((entry) => !entry.includes("/fnm_multishells/"));
  const found = passedOn.flatMap((name): [string, string][] => {
    const value = env[name];
    return value && isPlain(value) ? [[name, value]] : [];
  });
  return { PATH: [...new Set(path)].filter(isPlain).join(":"), ...Object.fromEntries(found) };
}

/** Variables that are set, and that the service will not have. */
export function lostSettings(env: Env): string[] {
  return settings.filter((name) => env[name]);
}

/** Neither a unit nor a plist has a way to write a line break that every version reads. */
function isPlain(value: string): boolean {
  return !/\p{Cc}/u.test(value);
}

/** A drop-in for the unit, so that a package's unit may have one too. systemd.exec(5). */
export function environmentText(environment: Readonly<Record<string, string>>): string {
  const lines = Object.entries(environment).map(
    ([name, value]) => `Environment=${unitWord(`${name}=${value}`).replaceAll("$$", "$")}\n`,
  );
  return `# The environment of localhostess and of the projects that come up with it: that of the shell in which
# "localhostess service install" was run last.

[Service]
${lines.join("")}`;
}
