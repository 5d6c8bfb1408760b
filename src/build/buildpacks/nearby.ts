/** A folder -> the buildpacks in it and below it; where something in it is none, it is passed over. */
import { opendir } from "node:fs/promises";
import { join } from "node:path";
import type { Buildpack } from "./buildpack.ts";
import { readBuildpack } from "./read-buildpack.ts";

/** Folders that are looked at. */
const most = 2000;

const passedOver: readonly string[] = [".git", "node_modules", "target", "vendor"];

/** `depth`: folders below that are looked at. Links to folders are not followed, so that none forms a loop. */
export async function buildpacksBelow(folder: string, depth: number): Promise<Buildpack[]> {
  const found: Buildpack[] = [];
  let left = most;
  const look = async (directory: string, deeper: number): Promise<void> => {
    if (left-- <= 0) return;
    const names: string[] = [];
    let isBuildpack = false;
    const entries = await opendir(directory).catch(() => undefined);
    // A folder that is not readable for us, or is gone meanwhile, has nothing for us.
    if (entries === undefined) return;
    for await (const entry of entries) {
      if (entry.name === "buildpack.toml") isBuildpack = true;
      else if (entry.isDirectory() && !passedOver.includes(entry.name)) names.push(entry.name);
    }
    if (isBuildpack) {
      const read = await readBuildpack(directory);
      if (read.kind === "buildpack") found.push(read.buildpack);
    }
    if (deeper === 0) return;
    for (const name of names.sort()) await look(join(directory, name), deeper - 1);
  };
  await look(folder, depth);
  return found;
}
