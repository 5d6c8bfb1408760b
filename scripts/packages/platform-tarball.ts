/** A platform's program and the documents -> a tarball that somebody unpacks where they like. */
import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import type { Documents } from "./documents.ts";
import { fill } from "./folder.ts";
import type { Platform } from "./platforms.ts";
import { type Program, programPaths } from "./program.ts";
import { tarball } from "./tarball.ts";

export type PlatformTarballOptions = {
  platform: Platform;
  program: Program;
  documents: Documents;
  version: string;
  epoch: number;
  /** Paths -> files of the clone that go along, such as README.md. */
  texts: Readonly<Record<string, { from: string }>>;
  out: string;
  work: string;
  quick?: boolean;
};

/** The name of the archive, and of the folder in it. */
export function tarballName(version: string, { id }: Pick<Platform, "id">): string {
  return `localhostess-${version}-${id}`;
}

/** @returns the path of the archive. */
export async function platformTarball(options: PlatformTarballOptions): Promise<string> {
  const { platform, program, documents, version, epoch, texts, out, work, quick } = options;
  const name = tarballName(version, platform);
  const folder = join(work, name);
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  const { bash, zsh, fish } = documents.completions;
  const pages = Object.entries(documents.pages).map(
    ([page, text]) => [`share/man/man1/${page}`, text] as const,
  );
  const helpers = programPaths(program);
  await fill(folder, {
    files: {
      "bin/localhostess": { from: program.executable },
      ...helpers,
      ...Object.fromEntries(pages),
      "share/bash-completion/completions/localhostess": bash,
      "share/zsh/site-functions/_localhostess": zsh,
      "share/fish/vendor_completions.d/localhostess.fish": fish,
      ...texts,
    },
    programs: ["bin/localhostess", ...Object.keys(helpers)],
  });
  const path = join(out, `${name}.tar.gz`);
  await tarball(folder, { path, epoch, level: quick ? 1 : 9 });
  await rm(folder, { recursive: true, force: true });
  return path;
}
