/** The current folder -> the git repository that it is in, its checkouts, and where a project is in each of them. */
import { realpath, stat } from "node:fs/promises";
import { join, relative, resolve } from "node:path";
import type { Checkout } from "../../discovery/checkouts.ts";
import { checkoutOf, checkoutsFor } from "../../supervisor/project/checkout-of.ts";
import { folderNameOf, nearestProject } from "../../supervisor/project/read-project.ts";
import { printable } from "../../text/printable.ts";
import { Failure } from "./failure.ts";
import type { World } from "./world.ts";

export type CheckoutHere = {
  root: string;
  /** Undefined where HEAD is detached. */
  branch: string | undefined;
  /** Undefined for the main checkout. */
  label: string | undefined;
};

export type RepositoryHere = {
  repository: string;
  /** The checkout that the person is in, or the folder of a bare repository. */
  root: string;
  /** The main checkout's folder; undefined where the repository is bare. */
  main: string | undefined;
  /** The name of the main checkout's folder, or that of the bare repository. */
  name: string;
  /** Where the project is in a checkout: `apps/shop`; empty: at its top. */
  within: string;
  /** The main one first, then the linked ones that are there. */
  all: readonly CheckoutHere[];
};

/** No file of the folder is read but git's own. @throws Failure where it is in no repository. */
export async function repositoryHere(world: World): Promise<RepositoryHere> {
  const here = await realpath(world.cwd).catch(() => world.cwd);
  const found = checkoutOf(here) ?? (await bareAt(here));
  if (found === undefined) {
    const where = printable(here, 500);
    throw new Failure("unsupported", `${where} is in no git repository; git init makes one`);
  }
  const { repository, root, main } = found;
  const project = await nearestProject(here, world.home);
  const isWithin = project !== undefined && (project === root || project.startsWith(`${root}/`));
  const linked = checkoutsFor(repository).worktrees(repository);
  const own = main === undefined ? undefined : checkoutOf(main);
  const first = main === undefined ? [] : [{ root: main, branch: own?.branch, label: undefined }];
  const isBare = main === undefined && found.label === undefined;
  const isListed = isBare || linked.some((its) => its.root === root) || root === main;
  return {
    ...{ repository, root, main },
    name: folderNameOf({ main, repository }),
    within: isWithin ? relative(root, project) : "",
    all: [...first, ...linked, ...(isListed ? [] : [found])],
  };
}

/** A folder that is itself a bare repository, by git's rule. */
async function bareAt(here: string): Promise<Checkout | undefined> {
  const [head, ...folders] = await Promise.all(
    ["HEAD", "objects", "refs"].map((name) => stat(join(here, name)).catch(() => undefined)),
  );
  if (!head?.isFile() || folders.some((its) => !its?.isDirectory())) return undefined;
  const nothing = { main: undefined, label: undefined, branch: undefined };
  return { root: here, repository: here, ...nothing };
}

/** The checkout that a folder is in: the nearest one above it, as a worktree may lie in another checkout. */
export function checkoutAround<Its extends { root: string }>(
  folder: string,
  all: readonly Its[],
): Its | undefined {
  const around = all.filter(({ root }) => folder === root || folder.startsWith(`${root}/`));
  return around.sort((one, other) => other.root.length - one.root.length)[0];
}

/** Where a new worktree is made, unless somebody says: `../shop.fix-nav`. `home`: what `~` stands for. */
export function usualFolder(
  { main, repository, name }: Pick<RepositoryHere, "main" | "repository" | "name">,
  { folder: written, label, home }: { folder: string; label: string; home: string },
): string {
  const folder = written.replace(/^~(?=\/|$)/, home);
  return resolve(main ?? repository, folder, `${name}.${label}`);
}
