/** A build by a builder -> the words of its lifecycle's creator, and the variables beside them. Pure. */
import type { BuilderImage } from "./builder-image.ts";

export type Creation = {
  builder: Pick<BuilderImage, "api" | "uid" | "gid" | "folders">;
  /** The name of the image that is made. */
  image: string;
  /** The name of the one before, whose layers are used again. */
  previous: string | undefined;
  runImage: string;
  /** Absolute, inside: the order in the place of the builder's own. */
  order: string | undefined;
  /** As if nothing had been built before. */
  clean: boolean;
};

/** The phases are one program's: it runs as root, gives the folders to the build's user, and becomes that. */
export const creatorProgram = "/cnb/lifecycle/creator";

/** Inside, where two volumes are. */
export const cacheFolders = { cache: "/cache", launch: "/launch-cache" } as const;

/** Where the lifecycle looks for its engine. */
export const socketInside = "/var/run/docker.sock";

/** buildpacks/spec, platform.md, "creator". None of the flags is of some of our APIs only. */
export function creatorWords(its: Creation): string[] {
  const { builder, image, previous, runImage, order, clean } = its;
  const { folders, uid, gid } = builder;
  return [
    "-daemon",
    ...["-app", folders.app, "-layers", folders.layers, "-platform", folders.platform],
    ...["-cache-dir", cacheFolders.cache, "-launch-cache", cacheFolders.launch],
    ...["-uid", String(uid), "-gid", String(gid), "-run-image", runImage],
    ...(order === undefined ? [] : ["-order", order]),
    ...(previous === undefined ? [] : ["-previous-image", previous]),
    ...(clean ? ["-skip-restore"] : []),
    image,
  ];
}

type Env = Readonly<Record<string, string | undefined>>;

export type BuildVariables = {
  /** `NAME=value` each, of the lifecycle. */
  env: string[];
  /** For buildpacks: what the file declares, and the proxies of the person. */
  platform: Record<string, string>;
  /** A line for the log, on each proxy that is left out. */
  notes: string[];
};

/** Credentials of registries, as the person has given them: they are in no command line and in no log. */
const registryAuth = "CNB_REGISTRY_AUTH";

const proxies = ["HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY"] as const;

export function buildVariables(
  { api }: Pick<BuilderImage, "api">,
  { person, declared }: { person: Env; declared: Readonly<Record<string, string>> },
): BuildVariables {
  const notes: string[] = [];
  const proxy: Record<string, string> = {};
  for (const name of proxies) {
    const value = person[name] || person[name.toLowerCase()];
    if (value === undefined || value === "") continue;
    if (name !== "NO_PROXY" && isThisMachine(value)) {
      notes.push(
        `${name} is an address of this machine, which a build in a container does not reach`,
      );
      continue;
    }
    proxy[name] = value;
    proxy[name.toLowerCase()] = value;
  }
  const auth = person[registryAuth];
  const own = {
    ...{ CNB_PLATFORM_API: api, CNB_NO_COLOR: "true" },
    ...(auth === undefined || auth === "" ? {} : { [registryAuth]: auth }),
  };
  return {
    env: Object.entries({ ...own, ...proxy }).map(([name, value]) => `${name}=${value}`),
    platform: { ...proxy, ...declared },
    notes,
  };
}

/** Our own proxy's among them, which a shell may have set. */
function isThisMachine(proxy: string): boolean {
  const written = /^[a-z][a-z0-9+.-]*:\/\//i.test(proxy) ? proxy : `http://${proxy}`;
  const { hostname } = URL.parse(written) ?? {};
  return hostname !== undefined && /^(?:localhost|.*\.localhost|127\..*|\[::1\])$/.test(hostname);
}
