/** This clone -> its program as people get it: compiled, and from a registry by each installer of npm packages. */
import { chmod, mkdir, mkdtemp, realpath, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { type Described, mainPackage, platformPackage } from "../../scripts/packages/npm.ts";
import { ownPlatform, platforms } from "../../scripts/packages/platforms.ts";
import { compile, helperNames, type Program } from "../../scripts/packages/program.ts";
import packageJson from "../../package.json" with { type: "json" };
import { ended } from "./ended.ts";
import { type NpmRegistry, npmRegistry } from "./npm-registry.ts";

/** Seconds since 1970: any time will do. */
const epoch = 1_700_000_000;

export const root = resolve(import.meta.dir, "../..");

/** Milliseconds; a busy machine takes long to write 100 MB several times. */
export const patience = 300_000;

export type RunOptions = { cwd?: string; env?: Record<string, string | undefined> };

export const installers = ["npm", "pnpm", "yarn", "bun"] as const;
export type Installer = (typeof installers)[number];

export interface Packaged extends AsyncDisposable {
  /** For files of the test. */
  directory: string;
  /** The compiled program for this machine, made once. */
  executable(): Promise<string>;
  /** All packages of this version; that of this machine's platform is the true one. */
  registry(): Promise<NpmRegistry>;
  /** The path of the program in an empty prefix of an empty home. */
  install(installer: Installer, options: InstallOptions): Promise<Installed>;
  /** @throws unless it exits with 0. */
  outputOf(command: readonly string[], options?: RunOptions): Promise<{ out: string; err: string }>;
}

export type InstallOptions = { scripts: boolean };

export type Installed = {
  program: string;
  home: string;
  /** The environment that the installer had. */
  env: Readonly<Record<string, string>>;
};

/** Takes everything out of an environment. */
export function nothing(): Record<string, string | undefined> {
  const names = Object.keys(process.env);
  return { ...Object.fromEntries(names.map((name) => [name, undefined])), PATH: "/nonexistent" };
}

/** Those that each installer needs, besides itself. */
const needed: Readonly<Record<Installer, readonly string[]>> = {
  npm: ["node", "npm", "npx", "sh"],
  pnpm: ["node", "pnpm", "sh"],
  yarn: ["node", "yarn", "sh"],
  // A machine with Bun may have no Node.
  bun: ["bun"],
};

export type PackagedOptions = {
  /** The packages for platforms are made as quickly as possible, and not by npm pack. */
  quick: boolean;
};

export async function packaged({ quick }: PackagedOptions): Promise<Packaged> {
  const directory = await mkdtemp(join(tmpdir(), "localhostess-package-"));

  const outputOf = async (command: readonly string[], { cwd, env }: RunOptions = {}) => {
    const its = await ended(command, { cwd: cwd ?? directory, env: { ...process.env, ...env } });
    if (its.code === 0) return its;
    throw new Error(`${command.join(" ")} ended with ${its.code}:\n${its.out}\n${its.err}`);
  };

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

  const executable = once(() => compile(ownPlatform(), { root, out: directory }));

  let served: Promise<NpmRegistry> | undefined;
  const registry = (): Promise<NpmRegistry> => (served ??= makeRegistry());
  const makeRegistry = async (): Promise<NpmRegistry> => {
    const standIn = join(directory, "stand-in");
    await writeFile(standIn, "#!/bin/sh\necho stand-in\n");
    await chmod(standIn, 0o755);
    const libexec = Object.fromEntries(helperNames.map((name) => [name, standIn]));
    const options = { described: packageJson as Described, root, out: directory, work: directory };
    const own = ownPlatform();
    const programOf = async (os: string, isOwn: boolean): Promise<Program> => ({
      executable: isOwn ? await executable() : standIn,
      ...(os === "linux" ? { libexec } : {}),
    });
    const tarballs = [await mainPackage(options)];
    for (const its of platforms) {
      const program = await programOf(its.os, its.id === own.id);
      tarballs.push(await platformPackage(its, { ...options, program, quick, epoch }));
    }
    return await npmRegistry(tarballs);
  };

  const install = async (installer: Installer, { scripts }: InstallOptions) => {
    const { url } = await registry();
    const name = `${installer}${scripts ? "" : " without scripts"}`;
    const home = join(directory, `home of ${name}`);
    await mkdir(home);
    const env = {
      PATH: await pathOf(`path of ${name}`, needed[installer]),
      HOME: home,
      // The machine's own settings, such as another registry, are not those of a new home.
      npm_config_globalconfig: "/dev/null",
      npm_config_registry: url,
      npm_config_update_notifier: "false",
      YARN_REGISTRY: url,
      BUN_CONFIG_REGISTRY: url,
      NO_PROXY: "127.0.0.1",
    };
    const without = scripts ? [] : ["--ignore-scripts"];
    const project = join(home, "project");
    await mkdir(project);
    const run = (...words: string[]) =>
      outputOf(words, { env: { ...nothing(), ...env }, cwd: project });
    const ways: Record<Installer, () => Promise<string>> = {
      async npm() {
        const prefix = join(home, "prefix");
        const words = ["--global", "--no-audit", "--no-fund", ...without, "--prefix", prefix];
        await run(join(env.PATH, "npm"), "install", ...words, "localhostess");
        return join(prefix, "bin/localhostess");
      },
      async pnpm() {
        // pnpm 12 takes no registry from the environment.
        await run(join(env.PATH, "pnpm"), "add", `--registry=${url}`, ...without, "localhostess");
        return join(project, "node_modules/.bin/localhostess");
      },
      async yarn() {
        await writeFile(join(project, "package.json"), "{}");
        await run(join(env.PATH, "yarn"), "add", "--non-interactive", ...without, "localhostess");
        return join(project, "node_modules/.bin/localhostess");
      },
      async bun() {
        await run(join(env.PATH, "bun"), "install", "--global", ...without, "localhostess");
        return join(home, ".bun/bin/localhostess");
      },
    };
    return { program: await ways[installer](), home, env };
  };

  return {
    directory,
    executable,
    registry,
    install,
    outputOf,
    async [Symbol.asyncDispose]() {
      await (await served)?.[Symbol.asyncDispose]();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  return () => (made ??= make());
}
