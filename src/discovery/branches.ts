/** A git repository's folder -> the names of its branches, from its refs, without git. */
import { join } from "node:path";
import type { GitFiles } from "./git-files.ts";

/** Bytes of packed-refs: some 250,000 refs. */
const longestPacked = 16 * 1024 * 1024;
/** Branches that are known, and folders of loose refs that are opened; of more, the first by name. */
const mostBranches = 4096;
const mostFolders = 512;
/** Parts of a name between slashes. */
const deepest = 16;

/** Sorted. Local ones only: what no checkout here can have is nobody's. */
export function branchesOf(common: string, files: GitFiles): readonly string[] {
  const found = new Set<string>();
  const packed = files.text(join(common, "packed-refs"), { longest: longestPacked }) ?? "";
  for (const [, name] of packed.matchAll(/^[0-9a-f]{40,64} refs\/heads\/(\S+)$/gm)) {
    if (found.size >= mostBranches) break;
    found.add(name!);
  }
  const waiting = [{ folder: join(common, "refs/heads"), prefix: "", depth: 0 }];
  let opened = 0;
  for (let at = waiting.shift(); at !== undefined; at = waiting.shift()) {
    if (opened++ >= mostFolders) break;
    for (const entry of files.entries(at.folder, { most: mostBranches })) {
      const name = at.prefix + entry.name;
      if (entry.isDirectory()) {
        const inside = { folder: join(at.folder, entry.name), prefix: `${name}/` };
        if (at.depth < deepest) waiting.push({ ...inside, depth: at.depth + 1 });
      } else if (entry.isFile() && !name.endsWith(".lock") && found.size < mostBranches) {
        found.add(name);
      }
    }
  }
  return [...found].sort();
}
