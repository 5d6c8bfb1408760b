/** A PATH -> the programs in it that are the same ones wherever a person stands. */
import { isAbsolute } from "node:path";

/**
 * Without what goes by the current folder: relative entries, empty ones, which mean it, and each `node_modules/.bin`, which
 * npm run and npx put in front of PATH in each project. No program of the system is there, and a stranger's project may have
 * any. Programs that a person asked us to run (`run`, `try`, services) are looked for in the PATH as it is.
 */
export function searchPath(PATH = ""): string {
  return PATH.split(":")
    .filter((entry) => isAbsolute(entry) && !`${entry}/`.includes("/node_modules/.bin/"))
    .join(":");
}

/** @returns its absolute path. */
export function whereIs(program: string, PATH: string | undefined): string | undefined {
  return Bun.which(program, { PATH: searchPath(PATH) }) ?? undefined;
}
