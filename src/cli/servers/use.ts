/** `localhostess use [worktree] [name]` -> the worktree that plain names show in all browsers, until it is ended. */
import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { type Checkout, checkouts, type Checkouts } from "../../discovery/checkouts.ts";
import { changeChoices, currentChoices, readChoices } from "../../discovery/kept-choices.ts";
import { systemClock } from "../../system/clock.ts";
import { prepareStateDirectory } from "../../system/state-directory.ts";
import { listed } from "../../text/list.ts";
import { didYouMean, nearest } from "../../text/nearest.ts";
import { printable } from "../../text/printable.ts";
import { pastedWord } from "../../text/shell-words.ts";
import { Failure } from "../shared/failure.ts";
import { printJson } from "../shared/json-output.ts";
import { looker, type Sight } from "../shared/look.ts";
import { type Flags, type Settings, settingsOf, UsageError } from "../shared/settings.ts";
import { exitCode } from "../shared/exit-code.ts";
import type { World } from "../shared/world.ts";
import {
  type Choosable,
  choosableIn,
  type Meant,
  namesFor,
  nameMeant,
  worktreeNamed,
} from "./choosable.ts";
import { choosableLines, choosableRow } from "./choosable-lines.ts";

/** `end`: `--` was typed. */
export type UseFlags = Flags & { end?: boolean };

export async function use(
  words: readonly string[],
  flags: UseFlags,
  world: World,
): Promise<number> {
  const settings = await settingsOf(flags, world);
  const here = await gathered(settings, world);
  if (flags.end === true) {
    if (words.length > 1) throw new UsageError(["too many words behind use --"]);
    await end(words[0], here);
  } else if (words.length === 0) list(here);
  else await choose(words, here);
  return exitCode.done;
}

type Here = {
  settings: Settings;
  world: World;
  sight: Sight;
  look(): Promise<Sight>;
  /** The repository that the current folder is in. */
  repository: string | undefined;
  all: readonly Choosable[];
  git: Checkouts;
};

async function gathered(settings: Settings, world: World): Promise<Here> {
  const look = looker(settings, { world });
  const sight = await look();
  const git: Checkouts = checkouts({ uid: process.getuid?.() ?? -1, clock: systemClock });
  const repository = git.of(world.cwd)?.repository;
  const read = readChoices(settings.stateDirectory);
  if (read.kind === "broken") throw new Failure("state_directory", read.why);
  const kept = currentChoices(read.choices, git).holds;
  const besides = repository === undefined ? [] : [repository];
  const all = choosableIn({ sight, git, kept, besides });
  return { settings, world, sight, look, repository, all, git };
}

function list({ settings, world, all, repository }: Here): void {
  if (settings.json) {
    printJson(world, all.map(choosableRow));
    return;
  }
  const { columns, colors } = world.out;
  // Another repository is of interest only where something is chosen in it.
  const own = all.some((its) => its.repository === repository);
  const these = all.filter(
    (its) => !own || its.repository === repository || its.choices.length > 0,
  );
  const home = columns() === undefined ? undefined : world.home;
  for (const line of choosableLines(these, { columns: columns(), colors, home })) {
    world.out.write(`${line}\n`);
  }
  if (all.length === 0) {
    world.err.write(
      "no repository with more than one checkout is known here; git worktree add makes one\n",
    );
  }
}

async function choose([label, name, ...more]: readonly string[], here: Here): Promise<void> {
  if (more.length > 0) throw new UsageError(["too many words: localhostess use <worktree> [name]"]);
  const folder = checkoutAt(label!, here);
  const { its, of } = placeOf({ label: label!, name, folder }, here);
  const worktree = worktreeNamed(label!, { ...its, folder: folder?.root });
  if (worktree === undefined) {
    const known = here.git.labels(its.repository).get(label!.toLowerCase());
    const isMain = folder?.repository === its.repository && folder.label === undefined;
    // The branch that the main checkout is on, or its folder.
    if (known?.root !== undefined || isMain) return await end(name, here);
    const why =
      known?.branch === undefined
        ? noWorktreeText(label!, [its])
        : `the branch ${known.branch} is checked out nowhere; to make a worktree of it: localhostess worktree add ${pastedWord(known.branch)}`;
    throw new Failure("not_found", why);
  }
  const { repository } = its;
  const names = namesFor(of, its);
  const choice = { repository, root: worktree.root, label: worktree.label, of, names };
  await changed(here, (before) => [
    // A choice for the whole repository is the only one in it.
    ...before.filter((one) => one.repository !== repository || (of !== undefined && one.of !== of)),
    choice,
  ]);
  const { settings, world, sight } = here;
  if (settings.json) {
    printJson(world, { worktree: worktree.label, root: worktree.root, of: of ?? null, names });
    return;
  }
  const toEnd = "; to end it: localhostess use --";
  const isMissing = (one: string) =>
    its.origins.some((origin) => origin.name === one && !origin.versions.has(worktree.label));
  const missing = names.filter(isMissing);
  const shown = names.filter((one) => !isMissing(one));
  if (shown.length > 0 || missing.length === 0) {
    const what = shown.length === 0 ? "the repository's names show" : `${showing(shown)}`;
    world.err.write(`${what} ${worktree.label} in all browsers${toEnd}\n`);
  }
  if (missing.length > 0) {
    const what = `${hostsOf(missing)} ${missing.length === 1 ? "is" : "are"} to show ${worktree.label}`;
    const why = "no such server runs there, so that requests get a 404 until one does";
    world.err.write(`${what}, and ${why}${shown.length > 0 ? "" : toEnd}\n`);
  }
  if (sight.proxy === undefined) {
    world.err.write("the proxy is not running; start it with: localhostess server start\n");
  }
}

/** `a.localhost and b.localhost show` */
function showing(names: readonly string[]): string {
  return `${hostsOf(names)} ${names.length === 1 ? "shows" : "show"}`;
}

function hostsOf(names: readonly string[]): string {
  return listed(
    names.map((its) => `${its}.localhost`),
    { most: 6 },
  );
}

/** The checkout that a path is in: `../shop-nav`, `.`, `/home/ann/shop-nav/src`. No branch begins as these do. */
function checkoutAt(word: string, { git, world }: Here): Checkout | undefined {
  if (!/^(?:\/|\.\.?(?:\/|$))/.test(word)) return undefined;
  const path = resolve(world.cwd, word);
  return existsSync(path) ? git.of(path) : undefined;
}

/** The repository that is meant, and the plain name, if one is typed. */
function placeOf(
  {
    label,
    name,
    folder,
  }: { label: string; name: string | undefined; folder: Checkout | undefined },
  { all, sight, repository }: Here,
): { its: Choosable; of: string | undefined } {
  if (name !== undefined) {
    const meant = nameMeant(name, { all, sight, repository });
    if (meant.kind === "meant") {
      return { its: all.find((one) => one.repository === meant.repository)!, of: meant.of };
    }
    throw notChoosable(name, meant);
  }
  const isHere = (one: Choosable) =>
    worktreeNamed(label, { ...one, folder: folder?.root }) !== undefined;
  const own = all.find((one) => one.repository === repository);
  const there = all.find((one) => one.repository === folder?.repository);
  if (there !== undefined && (own === undefined || !isHere(own)))
    return { its: there, of: undefined };
  if (own !== undefined) return { its: own, of: undefined };
  const having = all.filter(isHere);
  if (having.length === 1) return { its: having[0]!, of: undefined };
  if (having.length > 1) {
    const names = having.flatMap(({ origins }) => origins.slice(0, 1).map((its) => its.name));
    const which = listed(names, { conjunction: "or" });
    const why = `several repositories have a worktree ${printable(label, 80)}; add a name: ${which}`;
    throw new Failure("ambiguous", why);
  }
  throw new Failure("not_found", noWorktreeText(label, all));
}

function notChoosable(name: string, meant: Exclude<Meant, { kind: "meant" }>): Failure {
  const word = printable(name, 80);
  if (meant.kind === "alone") {
    return new Failure("not_found", `${word} has one checkout only, which its name always shows`);
  }
  const guess = meant.near === undefined ? "" : `; did you mean ${meant.near}?`;
  return new Failure("not_found", `no name with several checkouts is ${word}${guess}`);
}

function noWorktreeText(label: string, all: readonly Choosable[]): string {
  const labels = all.flatMap(({ worktrees }) => worktrees.map((its) => its.label));
  const word = printable(label, 80);
  if (labels.length === 0) {
    return `no worktree is named ${word}: no repository here has any; git worktree add makes one`;
  }
  const near = nearest(label, labels);
  const rest = near === undefined ? ` (there are: ${listed(labels, { most: 12 })})` : "";
  return `no worktree is named ${word}${rest}${didYouMean(label, labels)}`;
}

async function end(name: string | undefined, here: Here): Promise<void> {
  const { settings, world, all, sight, repository } = here;
  let ends = all.flatMap(({ choices }) => choices);
  const its = all.find((one) => one.repository === repository);
  if (name !== undefined) {
    const meant = nameMeant(name, { all, sight, repository });
    if (meant.kind === "unknown") throw notChoosable(name, meant);
    const of = meant.kind === "meant" ? meant.of : undefined;
    const inIt = ends.filter(
      (one) => meant.kind === "meant" && one.repository === meant.repository,
    );
    const exact = inIt.filter((one) => one.of === of);
    ends = exact.length > 0 ? exact : inIt.filter((one) => covers(one.of, of));
  } else if (its !== undefined) ends = [...its.choices];
  else if (new Set(ends.map((one) => one.repository)).size > 1) {
    const names = ends.flatMap((one) => one.of ?? one.names[0] ?? []);
    const why = `several repositories have a choice; add a name: localhostess use -- ${listed(names, { conjunction: "or" })}`;
    throw new Failure("ambiguous", why);
  }
  const gone = new Set(ends.map(keyOf));
  if (gone.size > 0) await changed(here, (before) => before.filter((one) => !gone.has(keyOf(one))));
  const names = [...new Set(ends.flatMap((one) => one.names))];
  if (settings.json) printJson(world, { ended: ends.map(({ label }) => label), names });
  else if (ends.length === 0) world.err.write("nothing was chosen\n");
  else {
    const what = names.length === 0 ? "the repository's names show" : showing(names);
    world.err.write(`${what} the main checkout again\n`);
  }
}

function covers(of: string | undefined, name: string | undefined): boolean {
  return of === undefined || name === undefined || name === of || name.endsWith(`.${of}`);
}

function keyOf({ repository, of = "" }: { repository: string; of?: string | undefined }): string {
  return `${repository}\0${of}`;
}

/** Writes the choices, and has the daemon look at them. */
async function changed(
  { settings, look, sight }: Here,
  change: Parameters<typeof changeChoices>[1],
): Promise<void> {
  prepareStateDirectory(settings.stateDirectory, { tighten: settings.ownPlace });
  await changeChoices(settings.stateDirectory, change);
  if (sight.proxy !== undefined) await look();
}
