/** A clone -> every package of its version, in one folder, with their checksums. */
import { mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { deb } from "./debian/deb.ts";
import { type Documents, documents } from "./documents.ts";
import { formula } from "./formula.ts";
import { type Described, mainPackage, platformPackage } from "./npm.ts";
import { platformTarball } from "./platform-tarball.ts";
import type { Platform } from "./platforms.ts";
import { compile, helpersIn, type Program } from "./program.ts";
import { run } from "./run.ts";
import { type LockFile, sbom } from "./sbom.ts";

export type Kind = "npm" | "deb" | "tarball";
export const kinds: readonly Kind[] = ["npm", "deb", "tarball"];

export type ReleaseOptions = {
  /** The clone. */
  root: string;
  /** Emptied first. */
  out: string;
  platforms: readonly Platform[];
  kinds: readonly Kind[];
  /** Seconds since 1970, of all files. */
  epoch: number;
  /** Where the tarballs are published. */
  url: string;
  /** What scripts/build-helper has written; undefined: it is run. */
  helpers?: string | undefined;
  /** Larger files, in much less time. */
  quick?: boolean;
  say(line: string): void;
};

/** @returns the paths of all files that were made. */
export async function makeRelease(options: ReleaseOptions): Promise<string[]> {
  const { root, out, say } = options;
  await rm(out, { recursive: true, force: true });
  await mkdir(out, { recursive: true });
  const work = await mkdtemp(join(tmpdir(), "localhostess-release-"));
  try {
    const described = (await Bun.file(join(root, "package.json")).json()) as Described;
    await run([process.execPath, "run", "page"], { cwd: root, env: withOwnBun() });
    const texts = await documents({ version: described.version, epoch: options.epoch });
    const helpers = await helpersOf(options, work);
    const sums = new Map<Platform, string>();
    for (const platform of options.platforms) {
      say(`${platform.id}: compiled for it ...`);
      const executable = await compile(platform, { root, out: work });
      const libexec = helpersIn(helpers, platform);
      const program = { executable, ...(libexec === undefined ? {} : { libexec }) };
      const its = { ...options, described, documents: texts, program, work };
      const made = await packagesOf(platform, its);
      if (made.tarball !== undefined) sums.set(platform, await sha256(made.tarball));
      await rm(join(work, platform.id), { recursive: true });
    }
    await writeOthers({ ...options, described, work, sums });
    await writeSums(out);
    return (await readdir(out)).sort().map((name) => join(out, name));
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

/** `bun run` looks for `bun` in PATH. */
function withOwnBun(): Record<string, string | undefined> {
  const folder = process.execPath.slice(0, process.execPath.lastIndexOf("/"));
  return { ...process.env, PATH: `${folder}:${process.env.PATH}` };
}

async function helpersOf({ root, helpers, platforms }: ReleaseOptions, work: string) {
  if (helpers !== undefined || platforms.every(({ os }) => os !== "linux")) return helpers ?? "";
  const cpus = new Set(platforms.flatMap(({ os, cpu }) => (os === "linux" ? [cpu] : [])));
  const only = cpus.size === 1 ? ["--only", `linux-${[...cpus][0]}`] : [];
  const folder = join(work, "helpers");
  await run([join(root, "scripts/build-helper"), "--out", folder, ...only], { cwd: root });
  return folder;
}

type PlatformOptions = ReleaseOptions & {
  described: Described;
  documents: Documents;
  program: Program;
  work: string;
};

async function packagesOf(
  platform: Platform,
  { described, kinds, root, say, ...options }: PlatformOptions,
): Promise<{ tarball?: string }> {
  const { version } = described;
  const its = { ...options, platform, version, root };
  if (kinds.includes("npm")) {
    say(`${platform.id}: package for npm ...`);
    await platformPackage(platform, { ...its, described });
  }
  if (kinds.includes("deb") && platform.debian !== undefined) {
    say(`${platform.id}: package for Debian ...`);
    await deb({ ...its, license: await Bun.file(join(root, "LICENSE")).text() });
  }
  if (!kinds.includes("tarball")) return {};
  say(`${platform.id}: tarball ...`);
  const names = ["README.md", "LICENSE", "CHANGELOG.md"];
  const texts = Object.fromEntries(names.map((name) => [name, { from: join(root, name) }]));
  return { tarball: await platformTarball({ ...its, texts }) };
}

type OthersOptions = ReleaseOptions & {
  described: Described;
  work: string;
  sums: ReadonlyMap<Platform, string>;
};

async function writeOthers({ described, sums, ...options }: OthersOptions): Promise<void> {
  const { root, out, url, epoch } = options;
  const { version, description, license } = described;
  if (options.kinds.includes("npm")) await mainPackage({ ...options, described });
  if (sums.size > 0) {
    const text = formula({ version, description, license, url, sums });
    await writeFile(join(out, "localhostess.rb"), text);
  }
  const lock = (await Bun.file(join(root, "package-lock.json")).json()) as LockFile;
  const hasHelpers = options.platforms.some(({ os }) => os === "linux");
  const musl = hasHelpers ? await muslVersion(root) : undefined;
  const list = sbom(lock, { version, license, epoch, musl });
  await writeFile(
    join(out, `localhostess-${version}.cdx.json`),
    `${JSON.stringify(list, null, 2)}\n`,
  );
}

/** The version that the helpers are linked with; both architectures have the same one. */
async function muslVersion(root: string): Promise<string | undefined> {
  try {
    const words = ["dpkg-query", "--show", "--showformat=${Version}", "musl-dev"];
    return (await run(words, { cwd: root })).trim();
  } catch {
    // The helpers were given, and made elsewhere.
    return undefined;
  }
}

async function writeSums(out: string): Promise<void> {
  const names = (await readdir(out)).sort();
  const lines = await Promise.all(
    names.map(async (name) => `${await sha256(join(out, name))}  ${name}\n`),
  );
  await writeFile(join(out, "SHA256SUMS"), lines.join(""));
}

async function sha256(path: string): Promise<string> {
  const hasher = new Bun.CryptoHasher("sha256");
  for await (const part of Bun.file(path).stream()) hasher.update(part);
  return hasher.digest("hex");
}
