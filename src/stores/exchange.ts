/** The folder of a store's data, and another one beside it -> the one in the place of the other, or nothing changed. */
import { existsSync, readdirSync, renameSync } from "node:fs";
import { rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { makeFolder } from "./folders.ts";

/** Names beside a place: `postgres-17~new-4711-…` is about to be there, `postgres-17~old-4711-…` was. */
const parts = /^(.+)~(new|old)-([0-9]+)-[0-9a-f]+$/;

/** A private folder beside that of the place, for what is to be there instead. The name says who makes it. */
export function newBeside(folder: string, pid: number): string {
  const made = nameBeside(folder, { what: "new", pid });
  makeFolder(made);
  return made;
}

/** True for a folder that `newBeside` has made for this place. */
export function isNewBeside(folder: string, made: string): boolean {
  const [, of, what] = parts.exec(basename(made)) ?? [];
  return dirname(made) === dirname(folder) && of === basename(folder) && what === "new";
}

/**
 * Two renames: whoever is killed between them leaves no place, which `mendPlace` answers with the former data. Returns
 * where that is now, to be removed; undefined: there was none.
 */
export function exchange(folder: string, made: string): string | undefined {
  if (!existsSync(folder)) {
    renameSync(made, folder);
    return undefined;
  }
  const old = nameBeside(folder, { what: "old", pid: process.pid });
  renameSync(folder, old);
  try {
    renameSync(made, folder);
  } catch (error) {
    renameSync(old, folder);
    throw error;
  }
  return old;
}

/** Puts the former data back where an exchange was broken off between its two steps. */
export function mendPlace(folder: string): void {
  if (existsSync(folder)) return;
  const old = besides(folder).find(({ what }) => what === "old");
  if (old !== undefined) renameSync(old.path, folder);
}

/** Removes what is left beside a place by those who are gone. Never rejects. */
export async function sweepBeside(
  folder: string,
  { isAlive, note }: { isAlive(pid: number): boolean; note(text: string): void },
): Promise<void> {
  mendPlace(folder);
  for (const { path, what, pid } of besides(folder)) {
    // This process removes what it has exchanged by itself.
    if (isAlive(pid)) continue;
    await rm(path, { recursive: true, force: true }).catch((error: Error) =>
      note(`${path}, which is in nobody's use (${what}), cannot be removed: ${error.message}`),
    );
  }
}

/** The names of places in a service's folder, also of one that an exchange has just moved away. */
export function placesIn(folder: string): string[] {
  const names = namesIn(folder).map((name) => parts.exec(name)?.[1] ?? name);
  return [...new Set(names)];
}

function nameBeside(folder: string, { what, pid }: { what: "new" | "old"; pid: number }): string {
  const random = crypto.randomUUID().slice(0, 8);
  return `${folder}~${what}-${pid}-${random}`;
}

function besides(folder: string): { path: string; what: string; pid: number }[] {
  return namesIn(dirname(folder)).flatMap((name) => {
    const [, of, what, pid] = parts.exec(name) ?? [];
    if (of !== basename(folder)) return [];
    return [{ path: join(dirname(folder), name), what: what!, pid: Number(pid) }];
  });
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw error;
  }
}
