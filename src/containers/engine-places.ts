/** The environment and the person's home -> the sockets at which container engines may be, in order. Reads folders. */
import { readdirSync } from "node:fs";
import { basename, isAbsolute, join } from "node:path";
import { type ContextHost, dockerContexts } from "./docker-contexts.ts";

export type EnginePlaces = {
  /** Absolute paths, without duplicates; most of them lead nowhere. */
  sockets: readonly string[];
  /** Sentences on engines that are configured, and that we do not ask. */
  notes: readonly string[];
};

export type PlacesOptions = {
  env: Readonly<Record<string, string | undefined>>;
  home: string;
  uid: number;
  /** `containers` of config.toml: only these. */
  only?: readonly string[] | undefined;
};

/** Entries of a folder that has one of each machine or profile. */
const mostEntries = 64;
const mostSockets = 64;

/** Synchronous and cheap: a dozen folders, most of which are not there. */
export function enginePlaces(options: PlacesOptions): EnginePlaces {
  const { only, env, home } = options;
  const notes: string[] = [];
  const found: string[] = [];
  const add = ({ host, from }: ContextHost): void => {
    const read = readHost(host, from);
    if (read.kind === "note") notes.push(read.note);
    else found.push(read.path);
  };
  if (only !== undefined) {
    for (const host of only) add({ host, from: "containers in config.toml" });
    return { sockets: [...new Set(found)].slice(0, mostSockets), notes };
  }
  for (const variable of ["DOCKER_HOST", "CONTAINER_HOST"]) {
    const host = env[variable];
    if (host) add({ host, from: variable });
  }
  const contexts = dockerContexts({ env, home });
  for (const context of contexts) add(context);
  found.push(...usualSockets(options));
  return { sockets: [...new Set(found)].slice(0, mostSockets), notes };
}

type Read = { kind: "socket"; path: string } | { kind: "note"; note: string };

/**
 * Only sockets are asked: their owner is known. Anybody on this machine may listen on a port, and then name places;
 * and what an engine of another machine publishes is not here.
 */
export function readHost(host: string, from: string): Read {
  const path = host.replace(/^unix:\/\//, "");
  if (isAbsolute(path)) return { kind: "socket", path };
  const scheme = /^[a-z]+(?=:\/\/)/.exec(host)?.[0] ?? "a relative path";
  const help =
    scheme === "ssh"
      ? "to name containers of another machine, add it: localhostess remote add"
      : "only engines on a unix socket are asked";
  return { kind: "note", note: `the engine of ${from} (${scheme}) is not asked: ${help}` };
}

/** Docker, Docker Desktop, Podman and its machines, Colima, OrbStack, Rancher Desktop, Lima. */
function usualSockets({ env, home, uid }: PlacesOptions): string[] {
  const runtime = [env.XDG_RUNTIME_DIR, `/run/user/${uid}`].filter(isPath);
  const machines = join(home, ".local/share/containers/podman/machine");
  const temporary = [env.TMPDIR]
    .filter(isPath)
    .flatMap((its) =>
      entriesOf(join(its, "podman")).filter((path) => basename(path).endsWith("-api.sock")),
    );
  const inEach = (folder: string, file: string): string[] =>
    entriesOf(folder).map((entry) => join(entry, file));
  const colima = [env.COLIMA_HOME, join(home, ".colima"), join(home, ".config/colima")];
  return [
    "/var/run/docker.sock",
    ...runtime.map((its) => join(its, "docker.sock")),
    join(home, ".docker/run/docker.sock"),
    join(home, ".docker/desktop/docker.sock"),
    join(home, ".orbstack/run/docker.sock"),
    join(home, ".rd/docker.sock"),
    ...colima.filter(isPath).flatMap((its) => inEach(its, "docker.sock")),
    ...inEach(join(home, ".lima"), "sock/docker.sock"),
    ...inEach(join(home, ".lima"), "sock/podman.sock"),
    "/run/podman/podman.sock",
    ...runtime.map((its) => join(its, "podman/podman.sock")),
    join(machines, "podman.sock"),
    ...inEach(machines, "podman.sock"),
    ...temporary,
  ];
}

function isPath(path: string | undefined): path is string {
  return path !== undefined && isAbsolute(path);
}

function entriesOf(folder: string): string[] {
  try {
    return readdirSync(folder)
      .sort()
      .slice(0, mostEntries)
      .map((name) => join(folder, name));
  } catch {
    // Most machines have one of these programs, or none.
    return [];
  }
}
