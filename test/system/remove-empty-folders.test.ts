/** What is left of a folder and those around it, once nothing is in them. */
import { expect, test } from "bun:test";
import { mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { removeEmptyFolders } from "../../src/system/remove-empty-folders.ts";

test("empty folders go up to one with something in it, or to the one that stays", async () => {
  const home = await mkdtemp(join(tmpdir(), "localhostess-empty-"));
  try {
    const state = join(home, ".local/state/x");
    const remove = (folder: string) => removeEmptyFolders(folder, { below: home });
    await mkdir(state, { recursive: true });
    await writeFile(join(home, ".local/theirs"), "");
    await remove(state);
    expect(await readdir(join(home, ".local"))).toEqual(["theirs"]);
    await rm(join(home, ".local/theirs"));
    await remove(state);
    expect(await readdir(home)).toEqual([]);
    await removeEmptyFolders(home, { below: join(home, "elsewhere") });
    await remove(home);
    expect(await readdir(home)).toEqual([]);
  } finally {
    await rm(home, { recursive: true });
  }
});
