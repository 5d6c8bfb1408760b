/**
 * Arguments -> the argument list of a child that runs our own Bun and reads nothing from the person's current folder.
 */
import { basename } from "node:path";

/**
 * Bun runs code that its working directory, or a parent folder, tells it to run. bin/localhostess has the same options.
 *
 * The person's own environment (BUN_OPTIONS, NODE_PATH, variables that direnv may set) is theirs and stays. A `.env`
 * file is not read, no matter which of these variables it sets.
 */
export const apart: readonly string[] = [
  // Keeps Bun from reading package.json: it prints a broken one line by line. A child that needs a folder gets it as an
  // argument.
  "--cwd=/",
  // Skips .env, .env.local, .env.development and so on.
  "--no-env-file",
  // Missing packages are not downloaded.
  "--no-install",
  // Skips bunfig.toml: its `preload` runs code.
  "--config=/dev/null",
  // Skips tsconfig.json and jsconfig.json: `paths` can map our entry point, or a library, to any file. Our own
  // tsconfig.json changes nothing at run time and is not in the package.
  "--tsconfig-override=/dev/null",
];

/** Runs one of our scripts: `words` begin with its absolute path. */
export function ownBun(words: readonly string[]): [string, ...string[]] {
  return [process.execPath, ...apart, ...words];
}

/** Whether this process is the compiled executable, which has all of its files in it. */
export function isCompiled(): boolean {
  return Bun.main.startsWith("/$bunfs/");
}

/** The file by which every process of this program is known: the compiled executable, or the script that Bun runs. */
export function ownFile(): string {
  return isCompiled() ? process.execPath : Bun.main;
}

/** Whether a process with this command line runs that file. A program that a shell found in PATH has its name alone. */
export function runsFile(command: string, file: string): boolean {
  return command.includes(file) || command.split(" ")[0] === basename(file);
}

/** Runs this program again, with `/` as its working directory. */
export function ownProgram(words: readonly string[]): [string, ...string[]] {
  // A compiled executable contains its files and reads none of those. It takes every word as an argument for our
  // program.
  if (isCompiled()) return [process.execPath, ...words];
  return ownBun([Bun.main, ...words]);
}
