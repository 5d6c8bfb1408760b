/** A PATH -> the part of it that means the same programs in every folder. */
import { isAbsolute } from "node:path";

/**
 * Removes the entries that depend on the current folder: relative entries, empty ones, which mean the current folder,
 * and every `node_modules/.bin`, which `npm run` and npx put at the front of PATH in each project. No system program is
 * there, and a stranger's project may put any program there. Programs that a person asked us to run (`run`, `try`,
 * services) are looked up in the unchanged PATH.
 */
export function searchPath(PATH = ""): string {
  return PATH.split(":")
    .filter((entry) => isAbsolute(entry) && !`${entry}/`.includes("/node_modules/.bin/"))
    .join(":");
}

/** @returns the program's absolute path. */
export function whereIs(program: string, PATH: string | undefined): string | undefined {
  return Bun.which(program, { PATH: searchPath(PATH) }) ?? undefined;
}
