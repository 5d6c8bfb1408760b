/** A folder and the files that it is to have -> those files, with their modes, and one time for all of them. */
import { chmod, copyFile, lutimes, mkdir, readdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";

export type Content = string | Uint8Array | { from: string };

/** Paths in the folder -> text, bytes, or the file to copy. */
export type Files = Readonly<Record<string, Content>>;

const [forAll, runnable] = [0o644, 0o755];

export type FillOptions = {
  files: Files;
  /** The files of these that may be run. */
  programs?: readonly string[];
};

/** Folders and programs get 0755, other files 0644, whatever the umask is. */
export async function fill(folder: string, { files, programs = [] }: FillOptions): Promise<void> {
  for (const [path, content] of Object.entries(files)) {
    const file = join(folder, path);
    await mkdir(dirname(file), { recursive: true });
    if (typeof content === "object" && "from" in content) await copyFile(content.from, file);
    else await writeFile(file, content);
    await chmod(file, programs.includes(path) ? runnable : forAll);
  }
  for (const path of await foldersIn(folder)) await chmod(path, runnable);
}

/** `epoch`: seconds since 1970. */
export async function setTimes(folder: string, epoch: number): Promise<void> {
  const all = await readdir(folder, { recursive: true });
  for (const path of all) await lutimes(join(folder, path), epoch, epoch);
  await lutimes(folder, epoch, epoch);
}

async function foldersIn(folder: string): Promise<string[]> {
  const all = await readdir(folder, { recursive: true, withFileTypes: true });
  const folders = all.filter((its) => its.isDirectory());
  return [folder, ...folders.map((its) => join(its.parentPath, its.name))];
}
