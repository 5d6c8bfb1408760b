/** `localhostess db fork <service> [to]` -> a copy of a store's data in another checkout of its repository. */
import { basename, join, resolve } from "node:path";
import { realpath } from "node:fs/promises";
import { listed } from "../../text/list.ts";
import { printable } from "../../text/printable.ts";
import { Failure } from "../shared/failure.ts";
import { printJson } from "../shared/json-output.ts";
import { type RepositoryHere, repositoryHere } from "../shared/repository-here.ts";
import { UsageError } from "../shared/settings.ts";
import type { World } from "../shared/world.ts";
import {
  agreed,
  type DbFlags,
  describedStore,
  followed,
  reported,
  storeHere,
  storeOf,
} from "./db-store.ts";

export type DbForkFlags = DbFlags & { from?: string };

export async function dbFork(
  { service, to }: { service: string; to: string | undefined },
  flags: DbForkFlags,
  world: World,
): Promise<number> {
  const here = await repositoryHere(world);
  const ends = await endsOf({ to, from: flags.from }, { here, world });
  const [source, target] = ends.map((root) => join(root, here.within));
  return await forked({ service, source: source!, target: target! }, flags, world);
}

export type Forking = {
  service: string;
  source: string;
  target: string;
  /** Set: data that is there stays, and is no reason to ask. */
  keeps?: true;
};

/** `source` and `target`: folders of the project in two checkouts. */
export async function forked(
  { service, source, target, keeps }: Forking,
  flags: DbFlags,
  world: World,
): Promise<number> {
  const { socket, asked, store } = await storeHere(service, { ...world, cwd: source });
  const there = { name: store.service, project_path: target, env: asked.env };
  const other = await storeOf(socket, there);
  if (other.size !== null && keeps) {
    world.err.write(`${other.id} has data already, which stays\n`);
    return 0;
  }
  if (other.size !== null) {
    const what = `All data of ${describedStore(other)} will be replaced by that of ${describedStore(store)}.`;
    await agreed(`${what} Replace it?`, flags, world);
  }
  const request = { StoreFork: { ...asked, to_path: target, replaces: other.size !== null } };
  const code = reported(await followed(socket, request, world), world);
  if (code !== 0) return code;
  if (flags.json) {
    printJson(world, { from: store.id, to: other.id, folder: other.directory, size: store.size });
  } else world.out.write(`${other.id} has the data of ${store.id}\n`);
  return 0;
}

type Ends = { to: string | undefined; from: string | undefined };

/** Without words, in a worktree: from the main checkout to here. @throws a Failure, or UsageError. */
async function endsOf(
  { to, from }: Ends,
  { here, world }: { here: RepositoryHere; world: World },
): Promise<[source: string, target: string]> {
  if (to !== undefined || from !== undefined) {
    const [source, target] = [from, to].map((word) =>
      word === undefined ? here.root : checkoutMeant(word, { here, world }),
    );
    return [await source!, await target!];
  }
  const { main, root } = here;
  if (main === undefined || root === main) {
    const why = "this is the main checkout: say to which worktree, or from which with --from";
    throw new UsageError([why]);
  }
  return [main, root];
}

async function checkoutMeant(
  word: string,
  { here, world }: { here: RepositoryHere; world: World },
): Promise<string> {
  const path = resolve(world.cwd, word);
  const real = await realpath(path).catch(() => path);
  const found = here.all.find(
    ({ root, branch, label }) =>
      branch === word || label === word || root === real || (label && basename(root) === word),
  );
  if (found !== undefined) return found.root;
  const known = listed(
    here.all.map(({ root, branch }) => branch ?? root),
    { conjunction: "or" },
  );
  throw new Failure(
    "not_found",
    `no checkout of this repository is ${printable(word, 200)}; there ${here.all.length === 1 ? "is" : "are"} ${known}`,
  );
}
