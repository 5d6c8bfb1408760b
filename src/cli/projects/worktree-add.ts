/** `localhostess worktree add <branch> [folder]` -> a worktree with what git does not bring, set up and up. */
import { readdir, realpath } from "node:fs/promises";
import { join, resolve } from "node:path";
import { checkoutLabel } from "../../manifest/checkout-label.ts";
import type { WorktreeSpec } from "../../manifest/project.ts";
import { counted } from "../../text/counted.ts";
import { printable } from "../../text/printable.ts";
import { pastedWord } from "../../text/shell-words.ts";
import { Failure } from "../shared/failure.ts";
import { printJson } from "../shared/json-output.ts";
import { projectIn } from "../shared/project-files.ts";
import type { Flags } from "../shared/settings.ts";
import type { World } from "../shared/world.ts";
import { alreadyThere, type Copied, copyInto } from "./copy-into.ts";
import { runDeclared } from "./declared-command.ts";
import { type Git, gitIn, gitWhy } from "./git.ts";
import { type RepositoryHere, repositoryHere, usualFolder } from "../shared/repository-here.ts";
import { recordedWorktrees } from "./recorded-worktrees.ts";
import { type Start, startOf } from "./worktree-start.ts";

export type WorktreeAddFlags = Flags & {
  from?: string;
  /** `false`: `--no-setup`. */
  setup?: boolean;
  /** `false`: `--no-up`. */
  up?: boolean;
  /** Stores that get the data of the main checkout. */
  fork?: readonly string[];
};

type Made = { root: string; branch: string; isNew: boolean };

/** As `--json` prints it. */
type Answer = {
  branch: string;
  folder: string;
  created: boolean;
  copied: readonly string[];
  left: Copied["left"];
  /** Null: there is none, or it was not asked for. */
  setup: "done" | "failed" | null;
  services: readonly unknown[];
};

/** Asked for again, it goes on with a worktree that is there: copies what is missing, sets it up, and brings it up. */
export async function worktreeAdd(
  { branch: typed, folder }: { branch: string; folder: string | undefined },
  flags: WorktreeAddFlags,
  world: World,
): Promise<number> {
  const here = await repositoryHere(world);
  const git = gitIn(here.root, world);
  const start = await startOf(typed, { git, from: flags.from });
  const made = await madeOrThere(start, { here, folder, world });
  const again = `localhostess worktree add ${pastedWord(made.branch)}`;
  const answer: Answer = {
    ...{ branch: made.branch, folder: made.root, created: made.isNew },
    ...{ copied: [], left: [], setup: null, services: [] },
  };
  const code = await readied(made, { here, flags, world, answer, again });
  if (flags.json) printJson(world, answer);
  return code;
}

type Readying = {
  here: RepositoryHere;
  flags: WorktreeAddFlags;
  world: World;
  answer: Answer;
  /** The command that goes on. */
  again: string;
};

async function readied(made: Made, readying: Readying): Promise<number> {
  const { here, flags, world, answer, again } = readying;
  const { err } = world;
  const project = join(made.root, here.within);
  const read = await projectIn(project, world);
  if (read.kind === "none") {
    err.write("it has no locald.toml, Procfile.dev or Procfile, so nothing is started\n");
    return 0;
  }
  if (read.kind === "mistakes" && read.worktree === undefined) {
    for (const mistake of read.mistakes) err.write(`${printable(mistake, 2_000)}\n`);
    world.json?.more.push(...read.mistakes);
    const why = `the worktree is there, and nothing was started: the files in ${project} have errors`;
    return failed("invalid_project", `${why}; mend them, and go on with: ${again}`, world);
  }
  // Other errors may be about what is copied and set up now; up reports those that stay.
  const copied = await broughtAlong(read.worktree!, { made, readying, project });
  if (!copied) return 1;
  const { setup } = read.worktree!;
  // Before its setup, which may need it.
  if (!(await forkedHere(project, readying))) return 1;
  if (setup !== undefined && flags.setup !== false) {
    const ended = await runDeclared(setup, { what: "setup", folder: project, world });
    answer.setup = ended === 0 ? "done" : "failed";
    if (ended !== 0) {
      const stays = `the worktree stays at ${made.root}`;
      // As shells have it, 128 and the signal's number: Ctrl-C.
      if (ended === 130)
        return failed(
          "interrupted",
          `setup was interrupted; ${stays}; go on with: ${again}`,
          world,
        );
      const why = `setup ended with exit code ${ended}; ${stays}`;
      return failed("failed", `${why}; once it is mended, go on with: ${again}`, world);
    }
  }
  if (flags.up === false) return 0;
  const { up } = await import("./up.ts");
  if (!flags.json) return await up([`${project}/`], {}, world);
  let printed = "";
  const write = (text: string): boolean => {
    printed += text;
    return true;
  };
  const code = await up(
    [`${project}/`],
    { json: true },
    { ...world, out: { ...world.out, write } },
  );
  answer.services = printed === "" ? [] : (JSON.parse(printed) as unknown[]);
  return code;
}

/** Makes the worktree, or finds the one that the branch has. @throws a Failure where that cannot be. */
async function madeOrThere(
  start: Start,
  { here, folder, world }: { here: RepositoryHere; folder: string | undefined; world: World },
): Promise<Made> {
  const { branch } = start;
  const wanted = folder === undefined ? undefined : resolve(world.cwd, folder);
  const has = here.all.find((its) => its.branch === branch);
  if (has !== undefined) {
    const where = printable(has.root, 500);
    if (has.label === undefined) {
      const why = `${branch} is checked out in the main checkout, ${where}`;
      throw new Failure("exists", `${why}; localhostess up ${pastedWord(has.root)} starts it`);
    }
    const isOther = wanted !== undefined && (await real(wanted)) !== has.root;
    if (isOther) throw new Failure("exists", `${branch} has a worktree already: ${where}`);
    world.err.write(`${branch} has its worktree: ${where}\n`);
    return { root: has.root, branch, isNew: false };
  }
  const root = wanted ?? (await folderFor(branch, { here, world }));
  const inIt = await readdir(root).catch((error: NodeJS.ErrnoException) =>
    error.code === "ENOENT" ? [] : [error.message],
  );
  if (inIt.length > 0) {
    const why = `${printable(root, 500)} is there already`;
    throw new Failure("exists", `${why}; name another folder behind the branch, or move it away`);
  }
  const git = gitIn(here.root, world);
  await freed({ branch: start.branch, root }, { git, world });
  // Git makes a large checkout in silence.
  const { err } = world;
  if (err.columns() !== undefined)
    err.write(`${err.colors.dim(`making ${printable(root, 500)}`)}\n`);
  const told = await git("worktree", "add", ...start.before, "--", root, ...start.after);
  if (told.code !== 0) {
    throw new Failure("failed", `no worktree was made: ${gitWhy(told)}`);
  }
  const how = start.meaning === "" ? branch : `${branch} (${start.meaning})`;
  world.err.write(`made ${printable(root, 500)} for ${printable(how, 300)}\n`);
  return { root: await real(root), branch, isNew: true };
}

/** Git counts a worktree whose folder was deleted until it is told, and gives nobody its branch or folder. */
async function freed(
  wanted: { branch: string; root: string },
  { git, world }: { git: Git; world: World },
): Promise<void> {
  for (const { root, branch, isMain, locked, isGone } of await recordedWorktrees(git)) {
    if (isMain || !isGone || (branch !== wanted.branch && root !== wanted.root)) continue;
    // A lock says that the folder comes back, as that of a disk which is not mounted.
    if (locked !== undefined) continue;
    // Where it fails, the next command of git tells why.
    const told = await git("worktree", "remove", "--force", "--", root);
    if (told.code === 0) {
      world.err.write(`forgot ${printable(root, 500)}, whose folder was deleted\n`);
    }
  }
}

/** By the files of the checkout here, where the new one is not there yet. */
async function folderFor(
  branch: string,
  { here, world }: { here: RepositoryHere; world: World },
): Promise<string> {
  const read = await projectIn(join(here.root, here.within), world);
  const folder = read.kind === "none" ? undefined : read.worktree?.folder;
  return usualFolder(here, {
    folder: folder ?? "..",
    home: world.home,
    label: checkoutLabel(branch),
  });
}

/** False, and reported, where a store of the main checkout cannot be copied. Data that is there already stays. */
async function forkedHere(project: string, readying: Readying): Promise<boolean> {
  const { here, flags, world, again } = readying;
  if (flags.fork === undefined) return true;
  const { forked } = await import("./db-fork.ts");
  const source = join(here.main ?? here.root, here.within);
  const quiet = { ...world, out: world.err };
  for (const service of flags.fork) {
    const forking = { service, source, target: project, keeps: true as const };
    if ((await forked(forking, {}, quiet)) === 0) continue;
    failed("failed", `${service} has no copy of the data there; go on with: ${again}`, world);
    return false;
  }
  return true;
}

/** False, and reported, where the system refuses. */
async function broughtAlong(
  { copy }: WorktreeSpec,
  { made, readying, project }: { made: Made; readying: Readying; project: string },
): Promise<boolean> {
  const { here, world, answer, again } = readying;
  const fromRoot = here.main ?? here.root;
  if (copy.length === 0 || fromRoot === made.root) return true;
  const from = join(fromRoot, here.within);
  let over = false;
  const cancel = world.onSignal(() => {
    over = true;
  });
  try {
    const ends = { from, to: project, fromRoot, toRoot: made.root };
    const { copied, left } = await copyInto(copy, { ...ends, isOver: () => over });
    Object.assign(answer, { copied, left });
    if (copied.length > 0) {
      const shown = copied.map((path) => printable(path, 200)).slice(0, 20);
      const more = copied.length > shown.length ? `, and ${copied.length - shown.length} more` : "";
      world.err.write(`copied ${shown.join(", ")}${more}\n`);
    }
    const kept = left.filter(({ why }) => why === alreadyThere);
    for (const { path, why } of left) {
      if (why === alreadyThere) continue;
      world.err.write(`not copied: ${printable(path, 200)}: ${why}\n`);
    }
    if (kept.length > 0)
      world.err.write(
        `left ${counted(kept.length, "path")} that ${kept.length === 1 ? "is" : "are"} there already\n`,
      );
    if (!over) return true;
    const most = counted(copied.length, "path");
    failed(
      "interrupted",
      `interrupted after ${most} of [worktree] copy; go on with: ${again}`,
      world,
    );
    return false;
  } catch (error) {
    const why = `what [worktree] copy names could not be copied: ${(error as Error).message}`;
    failed("failed", `${why}; the worktree stays at ${made.root}; go on with: ${again}`, world);
    return false;
  } finally {
    cancel();
  }
}

function failed(code: Failure["code"], why: string, world: World): number {
  if (world.json !== undefined) world.json.code = code;
  world.err.write(`localhostess: ${printable(why, 2_000)}\n`);
  return 1;
}

async function real(path: string): Promise<string> {
  return await realpath(path).catch(() => path);
}
