/** A git repository's folder -> the names of its branches, from its refs, without git. */
import type { Dirent } from "node:fs";
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

/** A folder of loose refs, or packed refs, whose names are complete. */
type Part = { prefix: string; entries: readonly Dirent[] | readonly string[] };

/**
 * Sorted. Local ones only: others have nothing of this machine. While no file has changed, the same object: a large
 * repository has many.
 */
export function branchReader(files: GitFiles): (common: string) => readonly string[] {
  const kept = new Map<string, { text: string; packed: readonly string[] }>();

  const last = new Map<string, { parts: readonly Part[]; branches: readonly string[] }>();

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

  /** All that was read, packed refs first: the same objects while nothing has changed. */
  function partsOf(common: string): Part[] {
    const parts: Part[] = [{ prefix: "", entries: packedIn(common) }];
    const waiting = [{ folder: join(common, "refs/heads"), prefix: "", depth: 0 }];
    let opened = 0;
    for (let at = waiting.shift(); at !== undefined; at = waiting.shift()) {
      if (opened++ >= mostFolders) break;
      const { folder, prefix, depth } = at;
      const entries = files.entries(folder, { most: mostBranches });
      parts.push({ prefix, entries });
      for (const entry of entries) {
        if (!entry.isDirectory() || depth >= deepest) continue;
        const inside = { folder: join(folder, entry.name), prefix: `${prefix}${entry.name}/` };
        waiting.push({ ...inside, depth: depth + 1 });
      }
    }
    return parts;
  }

  return (common) => {
    const parts = partsOf(common);
    const before = last.get(common);
    if (before !== undefined && isSame(before.parts, parts)) return before.branches;
    const names = namesIn(parts);
    const branches = Bun.deepEquals(before?.branches, names) ? before!.branches : names;
    if (last.size >= mostKept) last.clear();
    last.set(common, { parts, branches });
    return branches;
  };
}

function isSame(before: readonly Part[], now: readonly Part[]): boolean {
  return (
    before.length === now.length &&
    now.every(({ prefix, entries }, at) => {
      const its = before[at]!;
      return its.entries === entries && its.prefix === prefix;
    })
  );
}

function namesIn(parts: readonly Part[]): string[] {
  const found = new Set<string>();
  for (const { prefix, entries } of parts) {
    for (const entry of entries) {
      if (found.size >= mostBranches) break;
      if (typeof entry === "string") found.add(entry);
      else if (entry.isFile() && !entry.name.endsWith(".lock")) found.add(prefix + entry.name);
    }
  }
  return [...found].sort();
}
