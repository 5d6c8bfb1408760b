/** `localhostess stop|restart [service...]` -> services that have stopped, or restarted. */
import { namesOf, noServiceText, servicesWithin, unquoted } from "../../routes/named.ts";
import { systemClock } from "../../system/clock.ts";
import { tellPending } from "./pending-note.ts";
import { progress } from "./progress.ts";
import { printJson } from "../shared/json-output.ts";
import { folderIn } from "../shared/lookup.ts";
import { projectIn } from "../shared/project-files.ts";
import { type Flags, UsageError } from "../shared/settings.ts";
import { definedOf } from "../shared/defined.ts";
import { answerOf, carriedOut, daemonSocket, knownOf, type Row, rowsOf } from "./asking.ts";
import { tellElsewhere } from "./elsewhere.ts";
import { folderHere, noNamesWithAll, rowsFor } from "./here.ts";
import { wordsFor } from "./named.ts";
import { tellReasons } from "./reasons.ts";
import { nameAmong } from "./short-name.ts";
import type { World } from "../shared/world.ts";

export type StopFlags = Flags & { all?: boolean };

/** Milliseconds. Each service has its stop_timeout, and dependents stop first. */
const patience = 300_000;

export async function stop(
  words: readonly string[],
  flags: StopFlags,
  world: World,
): Promise<number> {
  const found = await chosen(words, flags, world);
  if (found === undefined) {
    const unknown = words.length === 0 ? [] : await unknownHere(words, world);
    if (unknown.length === 0 && flags.json) printJson(world, []);
    if (unknown.length > 0 && world.json !== undefined) world.json.code = "not_found";
    return tell(unknown, world);
  }
  if (found.kind === "mistake") {
    // A declared service that was never started is not running, as requested.
    if ((await unknownHere(words, world)).length > 0) throw found.mistake;
    world.err.write(`${world.err.colors.dim("not running")}\n`);
    if (flags.json) printJson(world, []);
    return 0;
  }
  const { socket, rows, these } = found;
  const name = nameAmong(these);
  const running = these.filter((row) => row.state !== "stopped");
  for (const word of wordsFor(these, { rows })) {
    await answerOf(socket, { Stop: { name: word } }, { deadline: patience });
  }
  if (flags.json) await printRows(found, world);
  else for (const row of running) world.out.write(`${name(row.name)} has stopped\n`);
  if (running.length === 0) {
    const { dim } = world.err.colors;
    const names = these.map((row) => row.name).join(", ");
    world.err.write(`${dim(names === "" ? "no service is up" : `${names}: not running`)}\n`);
  }
  return 0;
}

export async function restart(
  words: readonly string[],
  flags: StopFlags,
  world: World,
): Promise<number> {
  const found = await chosen(words, flags, world);
  if (found === undefined) return 1;
  if (found.kind === "mistake") throw found.mistake;
  const { socket, rows, these } = found;
  const steps = progress({ screen: world.err, clock: systemClock, nameOf: nameAmong(these) });
  const reasons: string[] = [];
  const cancel = world.onSignal(() => {
    steps.end();
    world.exit(1);
  });
  try {
    /** Names that instances share, of which one is not ready again. */
    const failed = new Set<string>();
    for (const word of wordsFor(these, { rows, apart: true })) {
      const { of } = these.find((row) => row.name === word)?.instance ?? {};
      // The others go on to answer, as they were.
      if (of !== undefined && failed.has(of)) continue;
      const request = { Restart: { name: word, env: definedOf(world.env) } };
      const ended = await carriedOut(socket, request, steps);
      if (ended.kind !== "failed") continue;
      reasons.push(...ended.reasons);
      if (of !== undefined) failed.add(of);
    }
  } finally {
    cancel();
    steps.end();
  }
  tellReasons(reasons, world.err);
  const names = new Set(these.map((row) => row.name));
  const now = await rowsOf(socket).catch(() => []);
  await tellElsewhere(
    now.filter((row) => names.has(row.name)),
    world,
  );
  if (flags.json) await printRows(found, world);
  return reasons.length > 0 ? 1 : 0;
}

/** The services that were chosen, as they are now. */
async function printRows(
  { socket, these }: Extract<Chosen, { kind: "chosen" }>,
  world: World,
): Promise<void> {
  const names = new Set(these.map((row) => row.name));
  printJson(
    world,
    (await rowsOf(socket)).filter((row) => names.has(row.name)),
  );
}

type Chosen =
  | { kind: "chosen"; socket: string; rows: readonly Row[]; these: Row[] }
  /** A word that names nothing that the daemon knows. */
  | { kind: "mistake"; mistake: Error };

/** Undefined, and reported, where no daemon is running. */
async function chosen(
  words: readonly string[],
  flags: StopFlags,
  world: World,
): Promise<Chosen | undefined> {
  // Whether a daemon runs makes no difference to what was typed.
  noNamesWithAll(words, flags.all ?? false);
  const socket = await daemonSocket(flags, world);
  if (socket === undefined) return undefined;
  const { rows, servers } = await knownOf(socket);
  tellPending(rows, world);
  try {
    const these = await rowsFor(words, { rows, servers, all: flags.all, world });
    return { kind: "chosen", socket, rows, these };
  } catch (mistake) {
    if (mistake instanceof UsageError) throw mistake;
    return { kind: "mistake", mistake: mistake as Error };
  }
}

/** A sentence for each word that names nothing in the files of this project. */
async function unknownHere(words: readonly string[], world: World): Promise<string[]> {
  const directory = await folderHere(world, []);
  const read = await projectIn(directory, world);
  const project = read.kind === "project" ? read.project : undefined;
  if (project === undefined && words.length === 0) return [`no project found in ${directory}`];
  const own = project === undefined ? [] : namesOf(project.services);
  const names = own.flatMap((name) => [name, `${project!.name}:${name}`]);
  const isKnown = async (word: string): Promise<boolean> => {
    if (project === undefined) return false;
    if (word === project.name || servicesWithin(word, project).kind === "services") return true;
    return (await folderIn(word, { folders: new Set(), world })) === directory;
  };
  const unknown: string[] = [];
  for (const word of words) if (!(await isKnown(word))) unknown.push(word);
  return unknown.map((word) => noServiceText(word, { names, show: unquoted }));
}

function tell(sentences: readonly string[], world: World): number {
  for (const text of sentences) world.err.write(`localhostess: ${text}\n`);
  return sentences.length > 0 ? 1 : 0;
}
