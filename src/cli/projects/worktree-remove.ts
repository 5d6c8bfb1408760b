/** `localhostess worktree remove <worktree>` -> its services stopped, what they had freed, and the worktree removed. */
import { lstat, readdir, readlink, realpath } from "node:fs/promises";
import { basename, join, resolve } from "node:path";
import { checkoutLabel } from "../../manifest/checkout-label.ts";
import type { RegisteredProject } from "../../routes/project-report.ts";
import { isInside } from "../../routes/name-rights.ts";
import { readBeginning } from "../../system/read-text.ts";
import { listed } from "../../text/list.ts";
import { didYouMean } from "../../text/nearest.ts";
import { printable } from "../../text/printable.ts";
import { pastedWord } from "../../text/shell-words.ts";
import { runningDaemon } from "../shared/daemon-here.ts";
import { Failure } from "../shared/failure.ts";
import { printJson } from "../shared/json-output.ts";
import { ownFiles, removePlansIn } from "../shared/own-files.ts";
import { projectIn } from "../shared/project-files.ts";
import { type Flags, settingsOf } from "../shared/settings.ts";
import type { World } from "../shared/world.ts";
import { answerOf, rowsOf } from "./asking.ts";
import type { KeptRow } from "./db-list.ts";
import { runDeclared } from "./declared-command.ts";
import { type Git, gitIn, gitWhy } from "./git.ts";
import { type RepositoryHere, repositoryHere } from "../shared/repository-here.ts";
import { type RecordedWorktree, recordedWorktrees } from "./recorded-worktrees.ts";

export type WorktreeRemoveFlags = Flags & { force?: boolean };

/** Milliseconds. Each service has its stop_timeout, and dependents stop first. */
const patience = 300_000;

/** Bytes of a file that is compared with the main checkout's. */
const mostCompared = 16 * 1024 * 1024;

/** Paths with changes that are shown. */
const mostShown = 5;

export async function worktreeRemove(
  word: string,
  flags: WorktreeRemoveFlags,
  world: World,
): Promise<number> {
  const { force = false } = flags;
  const here = await repositoryHere(world);
  // The worktree that is removed may be the folder here.
  const git = gitIn(here.main ?? here.repository, world);
  const its = await worktreeMeant(word, { here, git, world });
  if (its.locked !== undefined) {
    const why = its.locked === "" ? "" : ` (${printable(its.locked, 200)})`;
    const unlock = `git worktree unlock ${pastedWord(its.root)}`;
    throw new Failure("unsupported", `${shownOf(its)} is locked${why}; first: ${unlock}`);
  }
  if (!its.isGone) await refuseOthersWithin(its, git);
  const holdsCopies = !its.isGone && !force && (await refuseLosses(its, { here, world }));
  const daemon = await runningDaemon(await settingsOf(flags, world), world);
  const socket = daemon?.socket;
  if (!its.isGone) await tearDown(its, { here, socket, world, force });
  const stopped = socket === undefined ? [] : await stopIn(its.root, socket);
  // A service that ended meanwhile may have left something.
  if (holdsCopies) await refuseLosses(its, { here, world });
  const words = force || holdsCopies ? ["--force", "--", its.root] : ["--", its.root];
  const told = await git("worktree", "remove", ...words);
  if (told.code !== 0) {
    const up =
      stopped.length === 0
        ? ""
        : `; its services have stopped, and localhostess up ${pastedWord(its.root)} starts them again`;
    throw new Failure("failed", `${shownOf(its)} was not removed: ${gitWhy(told)}${up}`);
  }
  if (socket !== undefined) await forgetIn(its.root, socket);
  await removePlansIn(its.root, world);
  const data = socket === undefined ? [] : await removeStoresIn(its.root, socket);
  const { branch } = its;
  if (flags.json) {
    printJson(world, { branch: branch ?? null, folder: its.root, stopped, data });
    return 0;
  }
  world.out.write(`removed ${shownOf(its)}\n`);
  if (data.length > 0) world.out.write(`and the data of ${listed(data)}\n`);
  if (branch !== undefined) {
    const { dim } = world.err.colors;
    const how = `git branch -d ${pastedWord(branch)} deletes it`;
    world.err.write(`${dim(`the branch ${printable(branch, 200)} stays; ${how}`)}\n`);
  }
  return 0;
}

function shownOf({ root }: Pick<RecordedWorktree, "root">): string {
  return printable(root, 500);
}

type Meaning = { here: RepositoryHere; git: Git; world: World };

/** A branch, a label, or a folder. @throws a Failure where it is none, several, or the main checkout. */
async function worktreeMeant(
  word: string,
  { here, git, world }: Meaning,
): Promise<RecordedWorktree> {
  const all = await recordedWorktrees(git);
  const labels = new Map(here.all.map(({ root, label }) => [root, label]));
  const labelOf = ({ root, branch }: RecordedWorktree): string =>
    labels.get(root) ?? checkoutLabel(branch ?? basename(root));
  const path = resolve(world.cwd, word);
  const real = await realpath(path).catch(() => path);
  const ways: ((its: RecordedWorktree) => boolean)[] = [
    ({ branch }) => branch === word,
    (its) => !its.isMain && labelOf(its) === word,
    ({ root }) => root === real || root === path,
    ({ root }) => basename(root) === word,
  ];
  for (const way of ways) {
    const found = all.filter(way);
    if (found.length > 1) {
      const folders = listed(found.map(shownOf), { conjunction: "or" });
      throw new Failure("ambiguous", `several worktrees are named so; name a folder: ${folders}`);
    }
    const [its] = found;
    if (its === undefined) continue;
    if (!its.isMain) return its;
    const why = "is the main checkout, which is never removed";
    throw new Failure("unsupported", `${shownOf(its)} ${why}; localhostess stop ends its services`);
  }
  const linked = all.filter((its) => !its.isMain);
  const names = linked.flatMap((its) => [its.branch ?? basename(its.root), labelOf(its)]);
  const known = "; for those that are: localhostess worktree list";
  const near = didYouMean(word, names, { otherwise: known });
  throw new Failure("not_found", `no worktree is named ${printable(word, 200)}${near}`);
}

/** Git removes all that is in the folder, also where it ignores that. @throws a Failure where others are in it. */
async function refuseOthersWithin(its: RecordedWorktree, git: Git): Promise<void> {
  const all = await recordedWorktrees(git);
  const within = all.filter(({ root, isGone }) => !isGone && root.startsWith(`${its.root}/`));
  if (within.length === 0) return;
  const others = listed(within.map(shownOf), { most: mostShown });
  throw new Failure(
    "unsupported",
    `${shownOf(its)} has other checkouts in it: ${others}; move them, or remove them first`,
  );
}

/**
 * True: it has files that git does not know, all of which the main checkout has too, such as those that were copied.
 * @throws a Failure where work would be lost that nothing else has.
 */
async function refuseLosses(
  its: RecordedWorktree,
  { here, world }: { here: RepositoryHere; world: World },
): Promise<boolean> {
  const git = gitIn(its.root, world);
  const words = ["--porcelain", "-z", "--untracked-files=all", "--ignore-submodules=none"];
  const status = await git("status", "--no-renames", ...words);
  if (status.code !== 0) {
    throw new Failure("failed", `${shownOf(its)} cannot be looked at: ${gitWhy(status)}`);
  }
  const lines = status.out.split("\0").filter(Boolean);
  const changed: string[] = [];
  const own = await ownFiles(its.root, world);
  for (const line of lines) {
    // One more than is shown, so that there is talk of others.
    if (changed.length > mostShown) break;
    const path = line.slice(3);
    const isCopy = line.startsWith("??") && (await isSame(path, { its, main: here.main }));
    if (!isCopy && !own.has(join(its.root, path))) changed.push(path);
  }
  if (changed.length > 0) {
    const shown = listed(
      changed.map((path) => printable(path, 200)),
      { most: mostShown },
    );
    const what = `${shownOf(its)} has what no commit has: ${shown}`;
    throw new Failure("declined", `${what}; commit or remove it, or use --force`);
  }
  // Commits, branches and stashes of a submodule are nowhere else, and all of them may be in nobody's reach.
  const folder = (await git("rev-parse", "--absolute-git-dir")).out.trimEnd();
  const inModules = await readdir(join(folder, "modules")).catch(() => []);
  if (inModules.length > 0) {
    const what = `${shownOf(its)} has submodules, whose commits may be nowhere else`;
    throw new Failure("declined", `${what}; push them, and use --force`);
  }
  if (its.branch === undefined) {
    const held = await git("for-each-ref", "--count=1", "--contains", "HEAD");
    if (held.code !== 0 || held.out.trim() === "") {
      const what = `${shownOf(its)} is at a commit that no branch has`;
      throw new Failure("declined", `${what}; git branch <name> keeps it, or use --force`);
    }
  }
  return lines.length > 0;
}

/** Whether the main checkout has the same file there. */
async function isSame(
  path: string,
  { its, main }: { its: RecordedWorktree; main: string | undefined },
): Promise<boolean> {
  if (main === undefined) return false;
  const [one, other] = await Promise.all(
    [its.root, main].map((root) => contentOf(join(root, path))),
  );
  return one !== undefined && one === other;
}

/** Undefined for what is too large to compare, and for what is no file. */
async function contentOf(path: string): Promise<string | undefined> {
  const found = await lstat(path).catch(() => undefined);
  if (found?.isSymbolicLink()) return `link ${await readlink(path)}`;
  if (!found?.isFile() || found.size > mostCompared) return undefined;
  const bytes = await readBeginning(path, mostCompared);
  return bytes && `file ${bytes.toString("latin1")}`;
}

type Ending = { here: RepositoryHere; socket: string | undefined; world: World; force: boolean };

/** While its services run: a database is dropped by the server that has it. @throws a Failure where that fails. */
async function tearDown(its: RecordedWorktree, { here, world, force }: Ending): Promise<void> {
  const folder = join(its.root, here.within);
  const read = await projectIn(folder, world);
  const teardown = read.kind === "none" ? undefined : read.worktree?.teardown;
  if (teardown === undefined) return;
  const code = await runDeclared(teardown, { what: "teardown", folder, world });
  if (code === 0) return;
  const what = `teardown ended with exit code ${code}`;
  if (force && code !== 130) {
    world.err.write(`${what}, and --force goes on\n`);
    return;
  }
  const how = "nothing was removed; mend it, or use --force";
  throw new Failure(code === 130 ? "interrupted" : "failed", `${what}; ${how}`);
}

/** The names of the projects that were up there. */
async function stopIn(root: string, socket: string): Promise<string[]> {
  const rows = (await rowsOf(socket)).filter(({ path }) => isInside(path, root));
  const up = rows.filter(({ state }) => state !== "stopped");
  for (const path of new Set(rows.map((row) => row.path))) {
    await answerOf(socket, { Stop: { project_path: path } }, { deadline: patience });
  }
  return [...new Set(up.map(({ project }) => project))];
}

/** The names of stores whose data is gone with the worktree: nobody could have a use for it any more. */
async function removeStoresIn(root: string, socket: string): Promise<string[]> {
  const patient = { deadline: patience };
  const { Stores: all } = await answerOf<{ Stores: KeptRow[] }>(socket, "Stores", patient);
  const inside = all.filter((row) => isInside(row.directory, root) && !row.is_there);
  for (const directory of new Set(inside.map((row) => row.directory))) {
    await answerOf(socket, { StoreRemove: { project_path: directory } }, patient);
  }
  return inside.map(({ project, service }) => `${project}:${service}`);
}

/** Names, ports and logs. The daemon may have noticed by itself. */
async function forgetIn(root: string, socket: string): Promise<void> {
  type Known = { RegistryList: RegisteredProject[] };
  const { RegistryList: all } = await answerOf<Known>(socket, "RegistryList");
  for (const { path } of all.filter((its) => isInside(its.path, root))) {
    const request = { RegistryForget: { name: path, project_path: path } };
    await answerOf(socket, request, { deadline: patience }).catch((error: unknown) => {
      if (!(error instanceof Failure) || error.code !== "not_found") throw error;
    });
  }
}
