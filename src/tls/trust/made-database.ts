/** An NSS database that we have made -> a note of that in its folder, by which it goes once nothing is in it. */
import { mkdir, readdir, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { removeEmptyFolders } from "../../system/remove-empty-folders.ts";
import { readText } from "../../system/read-text.ts";

/** Has the first folder that was not there before. */
const mark = "made-by-localhostess";

/** The files of a new database. */
const files = ["cert9.db", "key4.db", "pkcs11.txt"] as const;

export async function makeFolder(directory: string): Promise<void> {
  const first = await mkdir(directory, { recursive: true, mode: 0o700 });
  if (first !== undefined) await writeFile(join(directory, mark), `${first}\n`, { mode: 0o600 });
}

/** Takes it away, with the folders around it, if we have made it and it is as new. @returns whether it is gone. */
export async function removeIfNew(
  directory: string,
  isEmpty: () => Promise<boolean>,
): Promise<boolean> {
  const its = await readText(join(directory, mark), { longest: 8 * 1024 });
  if (its.kind !== "text" || !(await isAsMade(directory)) || !(await isEmpty())) return false;
  for (const name of [...files, mark]) await rm(join(directory, name), { force: true });
  await removeEmptyFolders(directory, { below: dirname(its.text.trimEnd()) });
  return true;
}

/** No file but those, and no module but NSS's own. */
async function isAsMade(directory: string): Promise<boolean> {
  const known: readonly string[] = [...files, mark];
  const modules = await readText(join(directory, "pkcs11.txt"), { longest: 64 * 1024 });
  if (modules.kind !== "text") return false;
  const libraries = modules.text.match(/^library=.*$/gm) ?? [];
  const names = await readdir(directory);
  return libraries.join() === "library=" && names.every((name) => known.includes(name));
}
