/** A folder -> a .tar.gz with the same bytes wherever it is made. GNU tar writes it. */
import { rm, writeFile } from "node:fs/promises";
import { dirname, basename } from "node:path";
import { run } from "./run.ts";

export type TarballOptions = {
  /** The .tar.gz. */
  path: string;
  /** Seconds since 1970, of all files. */
  epoch: number;
  /** zlib's, from 1 to 9. */
  level: 1 | 9;
};

/** The archive has the folder itself at its top. */
export async function tarball(
  folder: string,
  { path, epoch, level }: TarballOptions,
): Promise<void> {
  const plain = `${path}.plain`;
  const same = ["--sort=name", `--mtime=@${epoch}`, "--owner=0", "--group=0", "--numeric-owner"];
  const words = ["tar", "--create", "--format=ustar", ...same, "--file", plain];
  await run([...words, "--directory", dirname(folder), basename(folder)], {
    cwd: dirname(folder),
    env: { ...process.env, LC_ALL: "C" },
  });
  await writeFile(path, Bun.gzipSync(await Bun.file(plain).bytes(), { level }));
  await rm(plain);
}
