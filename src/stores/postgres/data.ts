/** The place of a database -> its data, made by initdb: as a whole, or not at all. */
import {
  chownSync,
  existsSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { basename, dirname, join } from "node:path";
import type { StorePlace } from "../../manifest/order.ts";
import { writeAtomically } from "../../system/atomic-file.ts";
import { readTextSync } from "../../system/read-text.ts";
import { holderOf, whenFree } from "./holder.ts";
import { configurationIn, lastFault, type ServerPrograms, superuser } from "./server.ts";
import { configurationOf } from "./settings.ts";
import { fileFault, Unstartable } from "./unstartable.ts";

const remedy = "make room, or let LOCALHOSTESS_STATE_DIR name another folder";

const unfinishedName = "data.unfinished";

/** Milliseconds that a server of a program which was killed has to end. */
const patience = 15_000;

/** `C` where the system has no `C.UTF-8`: texts are UTF-8 with both, and upper case is that of ASCII alone. */
const locales = process.platform === "darwin" ? ["C"] : ["C.UTF-8", "C"];

/** @throws Unstartable. */
export async function writeConfiguration(
  data: string,
  settings: Readonly<Record<string, string>>,
): Promise<void> {
  const text = `include 'postgresql.conf'\n${configurationOf(settings)}`;
  try {
    // The folder is private; the server may be another user's, who reads it.
    await writeAtomically(configurationIn(data), text, { mode: 0o644 });
  } catch (error) {
    throw fileFault(data, error, remedy);
  }
}

/** False: there is none yet. @throws Unstartable where it is of another version, or no data at all. */
export function hasData(
  { data }: StorePlace,
  { major, service }: { major: number; service: string },
): boolean {
  if (!existsSync(data) || readdirSync(data).length === 0) return false;
  const version = versionOf(data);
  if (version === undefined) {
    throw new Unstartable(`${data} is no data of PostgreSQL: it has no PG_VERSION; move it away`);
  }
  if (version === String(major)) return true;
  throw new Unstartable(
    `its data is of PostgreSQL ${version}, and locald.toml says version = ${major}; write version = ${version} and take it along by localhostess db dump and restore, or begin anew: localhostess db reset ${service} (${data})`,
  );
}

function versionOf(data: string): string | undefined {
  const read = readTextSync(join(data, "PG_VERSION"), { longest: 100 });
  return read.kind === "text" ? read.text.trim() : undefined;
}

/** Major versions whose data the service has besides. */
export function otherMajors({ folder }: StorePlace): readonly string[] {
  const siblings = dirname(folder);
  return readdirSync(siblings)
    .filter((name) => name !== basename(folder) && name.startsWith("postgres-"))
    .flatMap((name) => versionOf(join(siblings, name, "data")) ?? []);
}

/**
 * `fill` makes what belongs to the data from its first day; where that fails, or this process is killed, the next start
 * begins again: only a rename makes it the data. @throws Unstartable.
 */
export async function makeData(
  programs: ServerPrograms,
  place: StorePlace,
  fill: (data: string) => Promise<void>,
): Promise<void> {
  // A name of its own: children of a program that was killed may still write to theirs.
  const unfinished = join(place.folder, `${unfinishedName}-${process.pid}-${crypto.randomUUID()}`);
  await removeUnfinished(place);
  try {
    mkdirSync(unfinished, { mode: 0o700 });
    const { owner } = programs.user;
    if (owner !== undefined) chownSync(unfinished, owner.uid, owner.gid);
    await initialise(programs, place, unfinished);
    await fill(unfinished);
    renameSync(unfinished, place.data);
  } catch (error) {
    if (error instanceof Unstartable) throw error;
    throw fileFault(place.folder, error, remedy);
  }
}

/** Nobody has ever used them. */
async function removeUnfinished({ folder }: StorePlace): Promise<void> {
  for (const name of readdirSync(folder).filter((its) => its.startsWith(unfinishedName))) {
    const data = join(folder, name);
    const holder = await holderOf(data);
    // As `pg_ctl stop -m immediate` does: there is nothing to be kept.
    if (holder !== undefined) process.kill(holder, "SIGQUIT");
    await whenFree(data, patience);
    rmSync(data, { recursive: true, force: true });
  }
}

async function initialise(
  { folder, user, env, password, say }: ServerPrograms,
  place: StorePlace,
  data: string,
): Promise<void> {
  const file = join(place.folder, "password.initdb");
  try {
    rmSync(file, { force: true });
    writeFileSync(file, `${password}\n`, { mode: 0o600, flag: "wx" });
    if (user.owner !== undefined) chownSync(file, user.owner.uid, user.owner.gid);
    let said = "";
    for (const locale of locales) {
      const child = Bun.spawn(
        [
          ...user.prefix,
          ...[join(folder, "initdb"), "-D", data, "-U", superuser],
          ...["--auth=scram-sha-256", `--pwfile=${file}`, "--encoding=UTF8", `--locale=${locale}`],
        ],
        { cwd: "/", env, stdin: "ignore", stdout: "ignore", stderr: "pipe" },
      );
      said = await child.stderr.text();
      if ((await child.exited) === 0) return;
      if (!/invalid locale/.test(said)) break;
    }
    say(said.trimEnd());
    throw notMade(place.folder, said);
  } finally {
    rmSync(file, { force: true });
  }
}

function notMade(folder: string, said: string): Unstartable {
  const isFull = /No space left on device|Disk quota exceeded/.test(said);
  const why = isFull ? `the file system of ${folder} is full; make room` : lastFault(said);
  return new Unstartable(`its data could not be made: ${why}`, { passing: isFull });
}
