/** A home directory -> the NSS databases in it: Chromium's and those of all Firefox profiles, wherever they are. */
import { readdir, realpath } from "node:fs/promises";
import { isAbsolute, join, relative } from "node:path";
import { whereIs } from "../../system/search-path.ts";
import { readText } from "../../system/read-text.ts";
import { exists } from "./exists.ts";
import type { Machine } from "./store.ts";

export type Database = {
  /** The name shown to a person. */
  name: string;
  /** An absolute path. */
  directory: string;
  /** False if the program that will read the database has not created it yet. */
  made: boolean;
};

/** A folder with this file is a database: the SQLite format, which all programs have used since 2018. */
const file = "cert9.db";

const chromiums = [
  "chromium",
  "chromium-browser",
  "google-chrome",
  "google-chrome-stable",
  "google-chrome-beta",
  "brave-browser",
  "microsoft-edge",
  "vivaldi",
];

export async function nssDatabases(machine: Machine): Promise<Database[]> {
  const [shared, firefoxes] = await Promise.all([
    chromiumDatabases(machine),
    firefoxDatabases(machine),
  ]);
  const seen = new Set<string>();
  const databases: Database[] = [];
  for (const database of [...shared, ...firefoxes]) {
    // `~/snap/firefox/current` is a link to a folder that is listed as well.
    const real = await realpath(database.directory).catch(() => database.directory);
    if (!seen.has(real)) databases.push(database);
    seen.add(real);
  }
  return databases;
}

async function chromiumDatabases(machine: Machine): Promise<Database[]> {
  // On other systems, Chromium uses the system's store.
  if (machine.platform !== "linux") return [];
  const { home } = machine;
  const old = join(home, ".pki/nssdb");
  const current = join(xdg(machine, "XDG_DATA_HOME", ".local/share"), "pki/nssdb");
  const packaged = [
    ...(await children(join(home, "snap"))).flatMap((snap) => [
      join(snap, "current/.pki/nssdb"),
      join(snap, "current/.local/share/pki/nssdb"),
      join(snap, "common/.pki/nssdb"),
    ]),
    ...(await children(join(home, ".var/app"))).flatMap((app) => [
      join(app, ".pki/nssdb"),
      join(app, "data/pki/nssdb"),
    ]),
  ];
  const databases = await existing([old, current, ...packaged], (path) => ({
    name: `Chromium (${shortened(path, home)})`,
    directory: path,
    made: true,
  }));
  const own = databases.some(({ directory }) => directory === old || directory === current);
  // Chromium 156 uses the old place if it exists, or else the other one, which it creates on first need.
  if (!own && !(await exists(old)) && hasChromium(machine)) {
    databases.unshift({
      name: `Chromium (${shortened(current, home)})`,
      directory: current,
      made: false,
    });
  }
  return databases;
}

async function firefoxDatabases(machine: Machine): Promise<Database[]> {
  const { home } = machine;
  const bases =
    machine.platform === "darwin"
      ? ["Firefox", "LibreWolf", "zen"].map((name) =>
          join(home, "Library/Application Support", name),
        )
      : [
          join(home, ".mozilla/firefox"),
          join(xdg(machine, "XDG_CONFIG_HOME", ".config"), "mozilla/firefox"),
          join(home, ".librewolf"),
          join(home, ".zen"),
          ...(await children(join(home, "snap"))).flatMap((snap) => [
            join(snap, "common/.mozilla/firefox"),
            join(snap, "common/.config/mozilla/firefox"),
            join(snap, "current/.mozilla/firefox"),
          ]),
          ...(await children(join(home, ".var/app"))).flatMap((app) => [
            join(app, ".mozilla/firefox"),
            join(app, "config/mozilla/firefox"),
            join(app, ".librewolf"),
          ]),
        ];
  const profiles: string[] = [];
  for (const base of bases) {
    profiles.push(...(await children(base)), ...(await children(join(base, "Profiles"))));
    profiles.push(...(await declaredProfiles(base)));
  }
  return await existing(profiles, (path) => ({
    name: `Firefox (${shortened(path, home)})`,
    directory: path,
    made: true,
  }));
}

/** A profile may be anywhere; profiles.ini then has its absolute path. */
async function declaredProfiles(base: string): Promise<string[]> {
  const its = await readText(join(base, "profiles.ini"), { longest: 1024 * 1024, lossy: true });
  // Most of these places have no Firefox.
  const text = its.kind === "text" ? its.text : "";
  const paths = [...text.matchAll(/^Path=(.+?)\r?$/gm)].map(([, path]) => path!);
  return paths.map((path) => (isAbsolute(path) ? path : join(base, path)));
}

async function existing(
  paths: readonly string[],
  describe: (path: string) => Database,
): Promise<Database[]> {
  const found = await Promise.all(
    paths.map(async (path) => ((await exists(join(path, file))) ? [describe(path)] : [])),
  );
  return found.flat();
}

/** Absolute paths, sorted; none if the folder cannot be read. */
async function children(directory: string): Promise<string[]> {
  const names = await readdir(directory).catch(() => {
    // Missing, not a folder, or not readable for us: there are no browser profiles of this person.
    return [];
  });
  return names.sort().map((name) => join(directory, name));
}

function xdg({ env, home }: Machine, variable: string, otherwise: string): string {
  const set = env[variable];
  // XDG Base Directory Specification 0.8: relative paths are to be ignored.
  return set && isAbsolute(set) ? set : join(home, otherwise);
}

function hasChromium({ env }: Machine): boolean {
  return chromiums.some((program) => whereIs(program, env.PATH) !== undefined);
}

function shortened(path: string, home: string): string {
  const inside = relative(home, path);
  return inside.startsWith("..") || isAbsolute(inside) ? path : `~/${inside}`;
}
