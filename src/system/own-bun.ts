/** Words -> the argument list of a child that is our own Bun, and takes nothing from the folder that a person stands in. */

/**
 * Bun runs what its working directory, or a folder above, tells it to run. bin/localhostess has the same words.
 *
 * What a person's own environment says (BUN_OPTIONS, NODE_PATH, what direnv was allowed to set) is
 * theirs and stays; a `.env` is not read, whichever of these variables it names.
 */
export const apart: readonly string[] = [
  // So that package.json is not read either: a broken one is printed, line by line. Which child needs a folder is told.
  "--cwd=/",
  // .env, .env.local, .env.development and so on.
  "--no-env-file",
  // Packages that are missing are not fetched.
  "--no-install",
  // bunfig.toml: `preload` runs.
  "--config=/dev/null",
  // tsconfig.json and jsconfig.json: `paths` maps our entry point, or a library, to any file. Our own has nothing that
  // changes what runs, and is not in the package.
  "--tsconfig-override=/dev/null",
];

/** For a script of ours: `words` begin with its absolute path. */
export function ownBun(words: readonly string[]): [string, ...string[]] {
  return [process.execPath, ...apart, ...words];
}

/** This program once more. It stays in `/`, whoever starts it. */
export function ownProgram(words: readonly string[]): [string, ...string[]] {
  // A compiled executable has its files in itself and reads none of those; it takes every word for an argument of ours.
  if (Bun.main.startsWith("/$bunfs/")) return [process.execPath, ...words];
  return ownBun([Bun.main, ...words]);
}
