/** A version -> the packages for npm: one for each platform, and the one that people install, which depends on them. */
import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { type Files, fill } from "./folder.ts";
import { packageName, type Platform, platforms } from "./platforms.ts";
import { type Program, programPaths } from "./program.ts";
import { run } from "./run.ts";
import { tarball } from "./tarball.ts";

/** The fields of the clone's package.json that a published one has as well. */
export type Described = { version: string; description: string; license: string };

export type NpmOptions = {
  described: Described;
  /** The clone. */
  root: string;
  out: string;
  work: string;
};

export type PlatformPackageOptions = NpmOptions & {
  program: Program;
  /** Seconds since 1970; npm has a time of its own for all files. */
  epoch: number;
  /** Larger, without npm, and in much less time. */
  quick?: boolean;
};

/** @returns the path of what `npm pack` has made. */
export function platformPackage(
  platform: Platform,
  { program, root, quick = false, epoch, ...options }: PlatformPackageOptions,
): Promise<string> {
  const { os, cpu, libc, id } = platform;
  const { version, license } = options.described;
  const fields = {
    name: packageName(platform),
    version,
    description: `The program of localhostess for ${id}.`,
    license,
    os: [os],
    cpu: [cpu],
    ...(libc === undefined ? {} : { libc: [libc] }),
    // Yarn's Plug'n'Play keeps packages in archives, from which nothing can be run.
    preferUnplugged: true,
  };
  const helpers = programPaths(program);
  const pack: Pack = quick
    ? async (folder) => {
        const path = join(options.out, `localhostess-${id}-${version}.tgz`);
        await tarball(folder, { path, epoch, level: 1 });
        return path;
      }
    : npmPack(options.out);
  return packed(
    `npm-${id}`,
    { work: options.work, pack },
    {
      fields,
      files: {
        "bin/localhostess": { from: program.executable },
        ...helpers,
        "README.md": `The program of [localhostess](https://www.npmjs.com/package/localhostess) for ${id}. Install
that package: it brings the one of these that your machine needs.
`,
        LICENSE: { from: join(root, "LICENSE") },
      },
      programs: ["bin/localhostess", ...Object.keys(helpers)],
    },
  );
}

/** @returns the path of what `npm pack` has made. */
export function mainPackage({ root, ...options }: NpmOptions): Promise<string> {
  const { version, description, license } = options.described;
  const text = (name: string) => ({ [name]: { from: join(root, name) } });
  const { out, work } = options;
  return packed(
    "npm-localhostess",
    { work, pack: npmPack(out) },
    {
      fields: {
        name: "localhostess",
        version,
        description,
        license,
        bin: { localhostess: "bin/localhostess" },
        // npm says it at once where no program would be found.
        os: [...new Set(platforms.map(({ os }) => os))],
        cpu: [...new Set(platforms.map(({ cpu }) => cpu))],
        optionalDependencies: Object.fromEntries(
          platforms.map((its) => [packageName(its), version]),
        ),
        preferUnplugged: true,
      },
      files: {
        ...text("bin/localhostess"),
        ...text("README.md"),
        ...text("LICENSE"),
        ...text("CHANGELOG.md"),
      },
      programs: ["bin/localhostess"],
    },
  );
}

type Package = {
  fields: Readonly<Record<string, unknown>>;
  files: Files;
  programs: readonly string[];
};

/** A folder -> the path of its tarball. */
type Pack = (folder: string) => Promise<string>;

const npmPack =
  (out: string): Pack =>
  async (folder) => {
    const words = ["npm", "pack", "--silent", "--ignore-scripts", "--pack-destination", out];
    return join(out, (await run(words, { cwd: folder })).trim());
  };

async function packed(
  name: string,
  { work, pack }: { work: string; pack: Pack },
  { fields, files, programs }: Package,
): Promise<string> {
  // Installers look for this name in a tarball.
  const folder = join(work, name, "package");
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  const json = `${JSON.stringify(fields, null, 2)}\n`;
  await fill(folder, { files: { "package.json": json, ...files }, programs });
  const path = await pack(folder);
  await rm(join(work, name), { recursive: true });
  return path;
}
