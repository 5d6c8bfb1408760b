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
/** Repositories of which the packed branches are kept. */
const mostKept = 64;

/**
 * Sorted. Local ones only: others have nothing of this machine. Packed refs are read again only when the file has
 * changed, because a large repository has many.
 */
export function branchReader(files: GitFiles): (common: string) => readonly string[] {
  const kept = new Map<string, { text: string; packed: readonly string[] }>();

  function packedIn(common: string): readonly string[] {
    const text = files.text(join(common, "packed-refs"), { longest: longestPacked }) ?? "";
    const before = kept.get(common);
    // The reader gives the same text again while the file is the same.
    if (before?.text === text) return before.packed;
    const packed: string[] = [];
    for (const [, name] of text.matchAll(/^[0-9a-f]{40,64} refs\/heads\/(\S+)$/gm)) {
      packed.push(name!);
      if (packed.length >= mostBranches) break;
    }
    if (kept.size >= mostKept) kept.clear();
    kept.set(common, { text, packed });
    return packed;
  }

  return (common) => {
    const found = new Set(packedIn(common));
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
  };
}
