/** Contributions of buildpacks -> layers that the app can be run with, and its processes. */
import { lstat, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { copyFolder } from "../../system/copy-folder.ts";
import { readText } from "../../system/read-text.ts";
import { removeTree } from "../../system/remove-tree.ts";
import { counted } from "../../text/counted.ts";
import { listed } from "../../text/list.ts";
import type { Contribution, Layer } from "./build-group.ts";
import type { LaunchProcess } from "./buildpack.ts";
import { layersName } from "./generations.ts";
import { combined } from "./launch-toml.ts";
import { readLayer } from "./layer-toml.ts";
import { longestToml, sbomEnds } from "./restore.ts";

export type ExportOptions = {
  contributions: readonly Contribution[];
  /** Absolute: folders of layers of the last build that succeeded, if there is one, and of this one. */
  last: string | undefined;
  layers: string;
  write(line: string): void;
  signal: AbortSignal;
};

export type Exported =
  | { kind: "exported"; processes: readonly LaunchProcess[] }
  /** `why`: a sentence for a person. */
  | { kind: "failed"; why: string };

/** buildpack.md, Phase #6: Export. @throws what the system says, such as ENOSPC, and the signal's reason. */
export async function exportLayers(options: ExportOptions): Promise<Exported> {
  const { contributions, last, layers, write, signal } = options;
  const isOver = () => signal.aborted;
  for (const contribution of contributions) {
    const { id } = contribution.buildpack;
    const its = join(layers, layersName(id));
    for (const layer of contribution.layers) {
      signal.throwIfAborted();
      if (layer.types.launch && !layer.hasContent) {
        const before = await inLast(last, { id, layer });
        if (before === undefined) {
          const why = `${id}: ${layer.name}.toml says launch = true without a folder ${layer.name}, and the last build has no such layer`;
          return { kind: "failed", why };
        }
        await copyFolder(before, join(its, layer.name), {
          isOver,
          links: "as they are",
          times: true,
        });
        signal.throwIfAborted();
        write(`${id}: ${layer.name} of the last build is used again`);
      }
    }
    await removeIgnored(its, contribution.layers);
    await sayLimits(its, { contribution, write });
  }
  const processes = combined(contributions.map(({ launch }) => launch.processes));
  return { kind: "exported", processes };
}

/** The layer in the previous image, for which the last build's folder stands. */
async function inLast(
  last: string | undefined,
  { id, layer }: { id: string; layer: Layer },
): Promise<string | undefined> {
  if (last === undefined) return undefined;
  const folder = join(last, layersName(id));
  const read = await readText(join(folder, `${layer.name}.toml`), { longest: longestToml });
  const before = read.kind === "text" ? readLayer(read.text) : undefined;
  if (before?.kind !== "layer" || !before.types.launch) return undefined;
  const path = join(folder, layer.name);
  const its = await lstat(path).catch(() => undefined);
  return its?.isDirectory() === true ? path : undefined;
}

/**
 * Only layers for launch and from the cache stay: an image has no others, and a process that finds one here would not
 * find it there.
 */
async function removeIgnored(folder: string, layers: readonly Layer[]): Promise<void> {
  const kept = new Set(
    layers.filter(({ types }) => types.launch || types.cache).map(({ name }) => name),
  );
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    if (entry.isDirectory() && !kept.has(entry.name)) await removeTree(join(folder, entry.name));
  }
  for (const { name } of layers) {
    if (kept.has(name)) continue;
    for (const end of ["toml", ...sbomEnds]) {
      await rm(join(folder, `${name}.${end}`), { force: true });
    }
  }
}

/** Says once for each buildpack which parts of its contribution a build on this machine makes nothing of. */
async function sayLimits(
  folder: string,
  { contribution, write }: { contribution: Contribution; write(line: string): void },
): Promise<void> {
  const { buildpack, launch, layers } = contribution;
  const { id } = buildpack;
  const unused = [
    launch.labels > 0 ? counted(launch.labels, "label") : "",
    launch.slices > 0 ? counted(launch.slices, "slice") : "",
  ].filter((its) => its !== "");
  if (unused.length > 0) write(`${id}: ${listed(unused)} not used: there is no image`);
  const files = await readdir(folder);
  const sboms = files.filter((file) => sbomEnds.some((end) => file.endsWith(`.${end}`)));
  if (sboms.length > 0) {
    write(`${id}: ${listed(sboms, { most: 3 })} not exported, and stays in ${folder}`);
  }
  for (const { name, types } of layers) {
    const profile = join(folder, name, "profile.d");
    if (!types.launch || (await lstat(profile).catch(() => undefined)) === undefined) continue;
    write(
      `${id}: profile.d of ${name} is not run: no process of Buildpack API 0.9 and later has a shell; exec.d is`,
    );
  }
  if (launch.elsewhere.length > 0) {
    write(`${id}: ${listed(launch.elsewhere)} left out: of another exec-env`);
  }
}
