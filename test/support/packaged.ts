/** This package -> the program as people get it: installed by npm or by bun, or as one executable. */
import { mkdir, mkdtemp, realpath, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { ended } from "./ended.ts";

export const root = resolve(import.meta.dir, "../..");

/** Milliseconds; a slow network has to bring the runtime. */
export const patience = 300_000;

export type RunOptions = { cwd?: string; env?: Record<string, string | undefined> };

export type Install =
  | "npm install -g"
  | "npm install --ignore-scripts"
  | "bun install -g"
  | "bun run build"
  | "a clone";

export interface Packaged extends AsyncDisposable {
  /** For files of the test. */
  directory: string;
  /** The path of what `npm pack` makes. */
  tarball(): Promise<string>;
  /** Paths of the program; each is made once, for the first test that needs it. */
  programs: Readonly<Record<Install, () => Promise<string>>>;
  /** @throws unless it exits with 0. */
  outputOf(command: readonly string[], options?: RunOptions): Promise<{ out: string; err: string }>;
}

/** The environment without what `npm test` adds to it: a person who installs the package has none of that. */
const outside = Object.fromEntries(
  Object.entries(process.env).filter(([name]) => name !== "NODE" && !/^npm_(?!config_)/.test(name)),
);

/** Takes everything out of an environment. */
export function nothing(): Record<string, string | undefined> {
  const names = Object.keys(process.env);
  return { ...Object.fromEntries(names.map((name) => [name, undefined])), PATH: "/nonexistent" };
}

export async function packaged(): Promise<Packaged> {
  const directory = await mkdtemp(join(tmpdir(), "localhostess-package-"));

  const outputOf = async (command: readonly string[], { cwd, env }: RunOptions = {}) => {
    const its = await ended(command, { cwd: cwd ?? directory, env: { ...outside, ...env } });
    if (its.code === 0) return its;
    throw new Error(`${command.join(" ")} ended with ${its.code}:\n${its.out}\n${its.err}`);
  };
  const run = async (command: readonly string[], options?: RunOptions): Promise<string> =>
    (await outputOf(command, options)).out;

  /** A folder with links to these programs and nothing else: all that a PATH has. */
  const pathOf = async (name: string, programs: readonly string[]): Promise<string> => {
    const folder = join(directory, name);
    await mkdir(folder);
    for (const program of programs) {
      const found = program === "bun" ? process.execPath : Bun.which(program);
      if (found === null) throw new Error(`this test needs ${program}`);
      await symlink(await realpath(found), join(folder, program));
    }
    return folder;
  };

  const tarball = once(async () => {
    const out = await run(["npm", "pack", "--silent", "--pack-destination", directory], {
      cwd: root,
    });
    return join(directory, out.trim());
  });

  const npmInstall = (name: string, ...options: string[]) =>
    once(async () => {
      const prefix = join(directory, `npm prefix ${name}`);
      // npm runs install scripts by sh.
      const path = await pathOf(`path ${name}`, ["node", "npm", "sh"]);
      const words = ["--global", "--no-audit", "--no-fund", ...options, "--prefix", prefix];
      await run(["npm", "install", ...words, await tarball()], {
        env: {
          PATH: path,
          HOME: join(directory, `home ${name}`),
          // So that the runtime is not fetched again for each run.
          npm_config_cache: (await run(["npm", "config", "get", "cache"])).trim(),
        },
      });
      return join(prefix, "bin/localhostess");
    });

  return {
    directory,
    tarball,
    outputOf,
    programs: {
      "npm install -g": npmInstall("with scripts"),
      "npm install --ignore-scripts": npmInstall("without scripts", "--ignore-scripts"),
      "bun install -g": once(async () => {
        const home = join(directory, "bun-home");
        await mkdir(home);
        const path = await pathOf("bun-only", ["bun"]);
        await run(["bun", "install", "--global", await tarball()], {
          env: { PATH: path, HOME: home, BUN_INSTALL: undefined },
          cwd: home,
        });
        return join(home, ".bun/bin/localhostess");
      }),
      "bun run build": once(async () => {
        // Built elsewhere than in dist/, which belongs to whoever builds a release.
        const program = join(directory, "localhostess");
        await run([process.execPath, "run", "build", "--outfile", program], { cwd: root });
        return program;
      }),
      "a clone": async () => join(root, "bin/localhostess"),
    },
    [Symbol.asyncDispose]: () => rm(directory, { recursive: true, force: true }),
  };
}

function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  return () => (made ??= make());
}
