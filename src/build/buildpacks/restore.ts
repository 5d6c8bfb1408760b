/** The last build and the group of the next -> what its buildpacks find in their folders of layers. */
import { mkdir, readdir } from "node:fs/promises";
import { join } from "node:path";
import { writeAtomically } from "../../system/atomic-file.ts";
import { copyFolder } from "../../system/copy-folder.ts";
import { copyNewFile } from "../../system/copy-file.ts";
import { readText } from "../../system/read-text.ts";
import { listed } from "../../text/list.ts";
import type { Buildpack } from "./buildpack.ts";
import { layersName } from "./generations.ts";
import { readLayer, withoutTypes } from "./layer-toml.ts";

export type RestoreOptions = {
  /** Folders of layers: of the last build that succeeded, and of the next. */
  from: string;
  to: string;
  group: readonly Buildpack[];
  /** A line for a person. */
  write(line: string): void;
  signal: AbortSignal;
};

/** Files that are not about a layer (buildpack.md, Build). */
export const notLayers = ["build", "launch", "store"] as const;

/** Media types of software bills of materials (buildpack.md, Software-Bill-of-Materials). */
export const sbomEnds = ["sbom.cdx.json", "sbom.spdx.json", "sbom.syft.json"] as const;

/** Bytes of a TOML file that a buildpack writes. */
export const longestToml = 4 * 1024 * 1024;

/**
 * buildpack.md, Layer Types: metadata comes back of a layer that was cached, or was for launch and not for build; the
 * content only of one that was cached. A layer of a buildpack that has left the group does not come back.
 *
 * There is no previous image on a machine without containers: the last build's own folders stand for it. So a buildpack
 * that finds the metadata of a launch layer, and sets `launch = true` without content, gets that folder's content when
 * the build is exported (export.ts), as an image would get its layer again.
 *
 * @throws what the system says, such as ENOSPC, and the signal's reason.
 */
export async function restore({ from, to, group, write, signal }: RestoreOptions): Promise<void> {
  const isOver = () => signal.aborted;
  for (const { id } of group) {
    const [before, now] = [join(from, layersName(id)), join(to, layersName(id))];
    await mkdir(now, { recursive: true, mode: 0o700 });
    const files = await readdir(before).catch(() => [] as string[]);
    if (files.includes("store.toml")) {
      await copyNewFile(join(before, "store.toml"), join(now, "store.toml"), { isOver });
    }
    const contents: string[] = [];
    const metadata: string[] = [];
    for (const name of layersIn(files)) {
      signal.throwIfAborted();
      const file = `${name}.toml`;
      const read = await readText(join(before, file), { longest: longestToml });
      const layer = read.kind === "text" ? readLayer(read.text) : undefined;
      // The process that ran of it may have changed its own folders.
      if (read.kind !== "text" || layer?.kind !== "layer") continue;
      const { cache, launch, build } = layer.types;
      const isCached = cache && files.includes(name);
      if (!isCached && !(launch && !build)) continue;
      await writeAtomically(join(now, file), withoutTypes(read.text), { mode: 0o644 });
      for (const end of sbomEnds) {
        const sbom = `${name}.${end}`;
        if (!files.includes(sbom)) continue;
        await copyNewFile(join(before, sbom), join(now, sbom), { isOver });
      }
      if (isCached) {
        await copyFolder(join(before, name), join(now, name), {
          isOver,
          links: "as they are",
          times: true,
        });
      }
      (isCached ? contents : metadata).push(name);
    }
    signal.throwIfAborted();
    if (contents.length > 0) write(`${id}: ${listed(contents)} from the cache`);
    if (metadata.length > 0) write(`${id}: metadata of ${listed(metadata)}`);
  }
}

/** Names of layers by their TOML files, ascending. */
export function layersIn(files: readonly string[]): string[] {
  return files
    .filter((file) => file.endsWith(".toml") && file !== ".toml")
    .map((file) => file.slice(0, -".toml".length))
    .filter((name) => !notLayers.some((one) => one === name))
    .sort();
}
