/** The place of a service's builds -> the last one that succeeded, and the folder in which the next one is made. */
import { existsSync, readlinkSync, realpathSync } from "node:fs";
import { mkdir, rename, rm, symlink } from "node:fs/promises";
import { join } from "node:path";
import { readTextSync } from "../../system/read-text.ts";
import { removeTree } from "../../system/remove-tree.ts";
import { startedWith } from "../../system/started-with.ts";
import { inForm, onlyVersioned, writeFormed } from "../../system/state-format.ts";
import { workingIn } from "../../system/working-in.ts";
import type { Generation, Launchable } from "./buildpack.ts";

/**
 * A place has two generations, and the link `at` that leads to one of them. Buildpacks see their paths through `at`
 * only, so that a layer which holds such a path may be taken over into the other generation. One without its result is
 * a build that was not finished. Further generations are made only where processes of earlier builds still run, such
 * as an instance that nobody has restarted.
 */
export const generations: readonly Generation[] = ["a", "b", "c", "d"];

export type Result = Launchable & {
  /** A hash of everything that was built. Undefined: the app changed meanwhile, so that nothing equals it. */
  fingerprint: string | undefined;
};

type Kept = Omit<Result, "generation"> & {
  /** Layers hold absolute paths, so a place that was moved has none that can be used. */
  place: string;
};

/** Bytes: thousands of processes. */
const longest = 4 * 1024 * 1024;
const format = onlyVersioned;

/** As buildpacks see it. */
export function seenIn(place: string): { app: string; layers: string } {
  return { app: join(place, "at/app"), layers: join(place, "at/layers") };
}

export function folderOf(place: string, generation: Generation): string {
  return join(place, generation);
}

function resultOf(place: string, generation: Generation): string {
  return join(place, generation, "built.json");
}

/** The name of a buildpack's folder for its layers: an id may have a slash. */
export function layersName(id: string): string {
  return id.replaceAll("/", "_");
}

/** Undefined where it was not finished, or is of a newer version of this program. */
function readResult(place: string, generation: Generation): Result | undefined {
  const path = resultOf(place, generation);
  const read = readTextSync(path, { longest });
  if (read.kind !== "text") return undefined;
  try {
    const formed = inForm(JSON.parse(read.text), { path, format });
    if (formed.kind === "newer") return undefined;
    const kept = formed.value as Partial<Kept>;
    if (kept.place !== place || !Array.isArray(kept.processes) || !Array.isArray(kept.group)) {
      return undefined;
    }
    const { processes, group, fingerprint } = kept;
    return { generation, processes, group, fingerprint };
  } catch {
    // Broken: it was not written by us, and nothing is lost by a further build.
    return undefined;
  }
}

/** Without what only the next build asks for. */
export function launchableOf({ generation, processes, group }: Result): Launchable {
  return { generation, processes, group };
}

/** The last build that succeeded, also while the next one is under way. */
export function lastResult(place: string): Result | undefined {
  const results = generations.flatMap((one) => readResult(place, one) ?? []);
  if (results.length < 2) return results[0];
  // Two stand only between two builds, and then the link tells.
  const at = pointed(place);
  return results.find(({ generation }) => generation === at) ?? results[0];
}

function pointed(place: string): string | undefined {
  try {
    return readlinkSync(join(place, "at"));
  } catch {
    // Nothing was built yet.
    return undefined;
  }
}

/** Makes `at` lead to it, in one step. */
export async function point(place: string, generation: Generation): Promise<void> {
  const made = join(place, `at.${process.pid}.tmp`);
  await rm(made, { force: true });
  await symlink(generation, made);
  await rename(made, join(place, "at"));
}

/** The next build's folder, empty, with `at` at it. The last good one stays, and one that a process runs out of. */
export async function begin(place: string, last: Generation | undefined): Promise<Generation> {
  const others = generations.filter((one) => one !== last);
  const held = await Promise.all(others.map((one) => isHeld(place, one)));
  const free = others.filter((_, index) => !held[index]);
  // Where all are held, the oldest process has the least reason to.
  const next = free[0] ?? others[0]!;
  // Without its result, it is no build any longer that something could be run of.
  for (const one of others) await rm(resultOf(place, one), { force: true });
  for (const one of new Set([...free, next])) await removeTree(folderOf(place, one));
  for (const folder of ["app", "layers"]) {
    await mkdir(join(folderOf(place, next), folder), { recursive: true, mode: 0o700 });
  }
  await point(place, next);
  return next;
}

/** Whether a process runs out of it, by the folder that it is in, or was started in (`launch.ts`). */
async function isHeld(place: string, generation: Generation): Promise<boolean> {
  const folder = folderOf(place, generation);
  if (!existsSync(folder)) return false;
  // A program may overwrite its environment, and may go into another folder.
  if (workingIn(realpathSync(folder)).length > 0) return true;
  return (await startedWith({ variable: "PWD", begins: `${folder}/` })).length > 0;
}

/**
 * After a build that was killed, at whatever moment: `at` leads to the last good one again, and nothing is left of the
 * other one, which may hold variables that are secrets.
 */
export async function recover(place: string, last: Generation | undefined): Promise<void> {
  const killed = generations.find((one) => one === pointed(place) && one !== last);
  // Held: a newer version of this program has finished it.
  if (killed !== undefined && !(await isHeld(place, killed))) {
    await giveUp(place, { next: killed, last });
  } else if (last !== undefined && unfinished(place, last)) await point(place, last);
}

/** Whether a build was killed: one that ends otherwise leaves `at` at the last good one, or no `at`. */
export function unfinished(place: string, last: Generation | undefined): boolean {
  return pointed(place) !== last;
}

/** Removes the rest of a build that failed; `at` is where it was. */
export async function giveUp(
  place: string,
  { next, last }: { next: Generation; last: Generation | undefined },
): Promise<void> {
  if (last === undefined) await rm(join(place, "at"), { force: true });
  else await point(place, last);
  await removeTree(folderOf(place, next));
}

/** The last thing that a build writes. */
export async function finish(place: string, result: Result): Promise<void> {
  const { generation, ...its } = result;
  await writeFormed({ ...its, place }, { path: resultOf(place, generation), format });
}
