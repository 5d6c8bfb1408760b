/** A buildpack that has failed -> a line about folders of containers that its scripts name, and that are not here. */
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { readText } from "../../system/read-text.ts";
import type { Buildpack } from "./buildpack.ts";

/** platform.md: where builder images have them. */
const literal = /(?<![\w.$}{/-])\/(workspace|layers|cnb|platform)(?![\w-])/;

/** Where a buildpack has its scripts. */
const folders = ["bin", "lib"];
/** Bytes; a compiled program is larger, and says no lines. */
const longest = 256 * 1024;

/** Undefined where none is found. Never rejects. */
export async function literalPaths({ id, directory }: Buildpack): Promise<string | undefined> {
  for (const folder of folders) {
    const files = await readdir(join(directory, folder)).catch(() => [] as string[]);
    for (const file of files.sort()) {
      const read = await readText(join(directory, folder, file), { longest });
      if (read.kind !== "text") continue;
      for (const [index, line] of read.text.split("\n").entries()) {
        if (index > 0 && line.trimStart().startsWith("#")) continue;
        const found = literal.exec(line);
        if (found === null) continue;
        return `${id}: ${folder}/${file}:${index + 1} names /${found[1]}, which is in containers only; on this machine it has to use the CNB_ variables and its working directory, or be built by build = { builder = … }`;
      }
    }
  }
  return undefined;
}
