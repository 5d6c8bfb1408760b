/** This clone -> the folder in which its two root-owned programs are, built where they are not there yet. */
import { existsSync } from "node:fs";
import { arch } from "node:os";
import { join, resolve } from "node:path";

const repository = resolve(import.meta.dir, "../..");

/** Where `setup` of a source clone looks for them, too. It has a folder for each platform. */
export function builtHelpers(): string {
  const folder = join(repository, "dist/helper");
  const own = `linux-${arch()}`;
  if (!existsSync(join(folder, own, "localhostess-helper"))) {
    const script = join(repository, "scripts/build-helper");
    const done = Bun.spawnSync([script, "--out", folder, "--only", own], { stderr: "pipe" });
    if (!done.success) throw new Error(done.stderr.toString());
  }
  return folder;
}
