/** A platform -> its program, compiled, and where the two helpers for it are. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Platform } from "./platforms.ts";
import { run } from "./run.ts";

export type Program = {
  /** The path of the compiled program. */
  executable: string;
  /** Names -> paths of what stands in `libexec`; only on Linux. */
  libexec?: Readonly<Record<string, string>>;
};

export const helperNames = ["localhostess-helper", "localhostess-hosts"] as const;

/** A program's files, by their places in a package. */
export function programPaths({ libexec = {} }: Program): Record<string, { from: string }> {
  return Object.fromEntries(
    Object.entries(libexec).map(([name, from]) => [`libexec/${name}`, { from }]),
  );
}

export type CompileOptions = {
  /** The clone. */
  root: string;
  /** A folder for the executable, which has the same name for every platform: its bytes contain the name. */
  out: string;
  /** In the place of those of a release. */
  options?: readonly string[];
};

/** Options of `bun build --compile`. docs/bench.md has the numbers. */
export const compileOptions = [
  "--compile",
  "--minify",
  // A verb loads its own part alone, which makes short commands three times as fast.
  "--splitting",
  "--sourcemap=none",
  // The folder in which somebody starts the program may be a stranger's.
  "--no-compile-autoload-dotenv",
  "--no-compile-autoload-bunfig",
  "--no-compile-autoload-tsconfig",
  "--no-compile-autoload-package-json",
] as const;

export async function compile(
  platform: Platform,
  { root, out, options = compileOptions }: CompileOptions,
): Promise<string> {
  const executable = join(out, platform.id, "localhostess");
  // The words that keep the bundler away from files of other folders: package.json, "page".
  const apart = ["--no-env-file", "--no-install", "--config=/dev/null"];
  const target = `--target=${platform.target}`;
  const words = [process.execPath, ...apart, "build", ...options, target];
  await run([...words, join(root, "src/main.ts"), "--outfile", executable], { cwd: root });
  return executable;
}

/** `folder`: what scripts/build-helper has written. @throws where one is missing. */
export function helpersIn(folder: string, { os, cpu }: Platform): Program["libexec"] {
  if (os !== "linux") return undefined;
  const paths = helperNames.map((name) => [name, join(folder, `linux-${cpu}`, name)] as const);
  for (const [, path] of paths) {
    if (!existsSync(path)) throw new Error(`${path} is missing: scripts/build-helper makes it`);
  }
  return Object.fromEntries(paths);
}
