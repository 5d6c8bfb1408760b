/** `localhostess name [<name> <place>]` -> a name for what listens there, kept; without words, all given names. */
import { statSync } from "node:fs";
import { hostname, networkInterfaces } from "node:os";
import {
  type GivenName,
  isSamePlace,
  longestSocketPath,
  mostNames,
  withName,
} from "../../discovery/given-names.ts";
import { changeNames, namesPath, readNames } from "../../discovery/names-file.ts";
import type { Place } from "../../routes/claim.ts";
import { holderText } from "../../routes/holder-text.ts";
import { placeWords } from "../../routes/place-words.ts";
import { projectOwning } from "../../routes/name-rights.ts";
import { readPlace } from "./read-place.ts";
import { wantedName } from "./wanted-name.ts";
import { isThere } from "../../system/process-now.ts";
import { socketUsers } from "../../system/socket-users.ts";
import { prepareStateDirectory } from "../../system/state-directory.ts";
import { cut } from "../../text/cut.ts";
import { shown } from "../../text/shown.ts";
import { Failure } from "../shared/failure.ts";
import { printJson } from "../shared/json-output.ts";
import { looker, type Sight } from "../shared/look.ts";
import { remarkLines } from "../shared/remark.ts";
import { type Flags, type Settings, settingsOf, UsageError } from "../shared/settings.ts";
import { tableLines } from "../shared/table.ts";
import { exitCode } from "../shared/exit-code.ts";
import type { World } from "../shared/world.ts";
import { type GivenRow, givenRows, rowJson, rowOf } from "./given-row.ts";
import { placeFor } from "./place-for.ts";

export type NameFlags = Flags & { remove?: boolean; forget?: boolean; remember?: boolean };

export type NameWords = { name: string | undefined; place: string | undefined };

export async function name(words: NameWords, flags: NameFlags, world: World): Promise<number> {
  const settings = await settingsOf(flags, world);
  if (flags.forget === true || flags.remember === true) return await ofFolder(words, flags, world);
  if (words.name === undefined) {
    if (flags.remove === true) throw new UsageError(["--remove: which name?"]);
    return await list({ settings, world });
  }
  const wanted = wantedName(words.name, { place: words.place, tlds: settings.tlds });
  if (flags.remove === true) {
    if (words.place !== undefined) throw new UsageError(["--remove takes a name alone"]);
    return await remove(wanted, { settings, world });
  }
  if (words.place === undefined) return await list({ settings, world }, wanted);
  return await give(wanted, words.place, { settings, world });
}

async function ofFolder(words: NameWords, flags: NameFlags, world: World): Promise<number> {
  const { forget, remember } = await import("./forgotten-folders.ts");
  const here = { settings: await settingsOf(flags, world), world };
  if ([flags.forget, flags.remember, flags.remove].filter((its) => its === true).length > 1) {
    throw new UsageError(["--forget, --remember and --remove are for one thing each"]);
  }
  if (words.place !== undefined) throw new UsageError(["a name or a folder is taken alone here"]);
  if (flags.forget === true) return await forget(words.name, here);
  if (words.name === undefined) throw new UsageError(["--remember: which folder?"]);
  return await remember(words.name, here);
}

type Here = { settings: Settings; world: World };

async function give(wanted: string, text: string, here: Here): Promise<number> {
  const { settings, world } = here;
  const { stateDirectory, ownPlace } = settings;
  const { cwd, home } = world;
  const read = readPlace(text, { cwd, home, longestPath: longestSocketPath });
  if (read.kind === "mistake") throw new UsageError([read.what]);
  const before = await looker(settings, { world })();
  const place = placeFor(read, { sight: before, addresses: ownAddresses() });
  if (place.kind === "socket" && isSocket(place.path) === false) {
    throw new UsageError([`${shown(place.path)} is there, and is no unix socket`]);
  }
  const project = projectOwning(wanted, before);
  if (project !== undefined) {
    const why = `names under ${project.domain} are for the project ${project.name}, which is up; stop it, or take another name`;
    throw new Failure("exists", why);
  }
  prepareStateDirectory(stateDirectory, { tighten: ownPlace });
  const owner = ownerOf(place);
  const given: GivenName = {
    ...{ name: wanted, place, givenAt: Date.now() },
    ...(owner === undefined ? {} : { owner }),
  };
  let isFull = false;
  const changed = await changeNames(namesPath(stateDirectory), (names) => {
    const next = withName(
      names.filter((its) => !hasEnded(its, before)),
      given,
    );
    isFull = next.length > mostNames;
    return isFull ? names : next;
  });
  if (isFull) {
    const why = `there are ${mostNames} given names already; take one back: localhostess name --remove <name>`;
    throw new Failure("failed", why);
  }
  if (changed.kind === "failed") throw new Failure("failed", changed.why);
  const row = (await rowsNow([given], here))[0]!;
  if (settings.json) printJson(world, rowJson(row));
  else tellGiven(row, { before: changed.before, given, world });
  return exitCode.done;
}

/** A process that has ended comes back under another pid: its name leads nowhere for good. */
function hasEnded({ place }: GivenName, { scan }: Sight): boolean {
  if (place.kind !== "process") return false;
  const { pid, startedAt } = place.process;
  const seen = scan.processes.get(pid);
  return seen === undefined ? !isThere(pid) : seen.startedAt !== startedAt;
}

type Told = { before: readonly GivenName[]; given: GivenName; world: World };

function tellGiven(row: GivenRow, { before, given, world }: Told): void {
  const { out, err } = world;
  const moved = before.find((its) => its.name === given.name);
  const renamed = before.find(
    (its) => its.name !== given.name && isSamePlace(its.place, given.place),
  );
  if (moved !== undefined && !isSamePlace(moved.place, given.place)) {
    err.write(`${err.colors.dim(`${given.name} led to ${placeWords(moved.place)} before`)}\n`);
  }
  if (renamed !== undefined) {
    err.write(`${err.colors.dim(`${row.words} was named ${renamed.name} before`)}\n`);
  }
  if (row.state === "reached") {
    const { server, words } = row;
    const held =
      server?.process === undefined ? "" : ` (${holderText(server)}, ${cut(server.command, 60)})`;
    out.write(`${row.url}  ->  ${words}${held}\n`);
    return;
  }
  out.write(`${given.name} is kept for ${row.words}\n`);
  err.write(`${err.colors.yellow(`! ${why(row)}`)}\n`);
}

function why({ state, why: reason }: GivenRow): string {
  return state === "waits" ? `${reason}; the name waits` : (reason ?? "");
}

/** The rows of these names, with whatever the daemon knows from now on: asking makes it read them. */
async function rowsNow(
  names: readonly GivenName[],
  { settings, world }: Here,
): Promise<GivenRow[]> {
  return givenRows(names, { sight: await looker(settings, { world })(), isSocket });
}

async function list(here: Here, wanted?: string): Promise<number> {
  const { settings, world } = here;
  const { out, err } = world;
  const read = readNames(namesPath(settings.stateDirectory));
  if (read.kind === "broken") throw new Failure("failed", read.why);
  const these = read.names.filter((its) => wanted === undefined || its.name === wanted);
  if (wanted !== undefined && these.length === 0) throw unknown(wanted);
  const rows = await rowsNow(these, here);
  if (settings.json) {
    printJson(world, wanted === undefined ? rows.map(rowJson) : rowJson(rows[0]!));
    return exitCode.done;
  }
  if (rows.length === 0) {
    const text =
      "no names are given yet; to name what listens on a port: localhostess name <name> <port>";
    err.write(`${err.colors.dim(text)}\n`);
    return exitCode.done;
  }
  const columns = out.columns();
  const lines = tableLines(
    rows,
    [
      {
        title: "NAME",
        text: (its) => its.name,
        paint: (_, colors) => colors.bold,
        cut: "end",
        most: 32,
      },
      { title: "PLACE", text: (its) => its.words, cut: "start", most: 40 },
      {
        title: "STATE",
        text: (its) => its.url ?? its.state,
        paint: (its, colors) => (its.state === "reached" ? colors.cyan : colors.yellow),
        below: (its) => its.state === "reached",
      },
    ],
    { columns, colors: out.colors },
  );
  const remarks = rows
    .filter(({ state }) => state !== "reached")
    .flatMap((row) =>
      remarkLines(`! ${row.name}: ${why(row)}`, { columns, paint: out.colors.yellow }),
    );
  for (const line of [...lines, ...remarks]) out.write(`${line}\n`);
  return exitCode.done;
}

async function remove(wanted: string, here: Here): Promise<number> {
  const { settings, world } = here;
  const path = namesPath(settings.stateDirectory);
  const read = readNames(path);
  if (read.kind === "broken") throw new Failure("failed", read.why);
  if (!read.names.some((its) => its.name === wanted)) throw unknown(wanted);
  const changed = await changeNames(path, (names) => names.filter((its) => its.name !== wanted));
  if (changed.kind === "failed") throw new Failure("failed", changed.why);
  // The daemon reads the file when it is asked.
  await looker(settings, { world })();
  for (const row of changed.before.filter((its) => its.name === wanted).map(rowOf)) {
    if (settings.json) printJson(world, rowJson(row));
    else world.out.write(`${wanted} leads to ${row.words} no more\n`);
  }
  return exitCode.done;
}

function unknown(wanted: string): Failure {
  return new Failure(
    "not_found",
    `the name ${wanted} was not given with localhostess name; to see those that were: localhostess name`,
  );
}

/** Undefined where nothing is there, or nothing that we may see. */
function isSocket(path: string): boolean | undefined {
  try {
    return statSync(path).isSocket();
  } catch {
    // Missing, or in a folder of another user.
    return undefined;
  }
}

/** The other user to whom a socket belongs now: requests go there as long as it does. */
function ownerOf(place: Place): number | undefined {
  const users = place.kind === "socket" ? socketUsers(place.path) : [];
  return users.find((uid) => uid !== 0 && uid !== process.getuid?.());
}

/** Addresses of this machine's own, and its name. */
function ownAddresses(): Set<string> {
  const all = Object.values(networkInterfaces()).flatMap((its) => its ?? []);
  return new Set([hostname().toLowerCase(), ...all.map(({ address }) => address)]);
}
