/** Paths in a git repository -> the text of small files there, if a trusted user wrote them. */
import { type Dirent, readdirSync, realpathSync, statSync } from "node:fs";
import { fileFingerprint } from "../system/file-fingerprint.ts";
import type { IsDistant } from "../system/network-mounts.ts";
import { readTextSync } from "../system/read-text.ts";

/** Bytes of `.git`, HEAD and the like: a path or a name of at most 4096. */
const longestWord = 8192;
/** Files whose content is kept, and folders whose entries are. */
const mostKept = 4096;
/** Milliseconds: file systems count time in steps of up to 10. */
const settles = 100;

export type Kind = "missing" | "file" | "folder" | "other";

export interface GitFiles {
  /** Links are followed. Another user's counts as `other`. */
  kind(path: string): Kind;
  /** A small file without the blanks around it; undefined where there is none that can be used. */
  word(path: string): string | undefined;
  /** A file of at most so many bytes; undefined where there is none that can be used. */
  text(path: string, options: { longest: number }): string | undefined;
  /** At most so many entries of a folder, sorted; none where it cannot be read. */
  entries(path: string, options: { most: number }): readonly Dirent[];
  /** The path without links; as it is where nothing is there. */
  real(path: string): string;
  /** Milliseconds since the Unix epoch; 0 where there is nothing. */
  writtenAt(path: string): number;
}

export type GitFilesOptions = {
  /**
   * Users whose files may say what our names are. A folder such as /tmp has those of others, as git's `safe.directory`
   * knows.
   */
  trusts: (uid: number) => boolean;
  /** Paths that are not looked at, because that might wait. */
  isDistant: IsDistant;
};

/** Nothing blocks and nothing throws: a pipe, a device and a loop of links are no files. */
export function gitFiles({ trusts, isDistant }: GitFilesOptions): GitFiles {
  const kept = new Map<string, { fingerprint: string; text: string | undefined }>();
  const listed = new Map<string, { fingerprint: string; entries: readonly Dirent[] }>();

  function text(path: string, { longest }: { longest: number }): string | undefined {
    const fingerprint = isDistant(path) ? "" : fileFingerprint(path);
    if (fingerprint === "") return undefined;
    const before = kept.get(path);
    if (before?.fingerprint === fingerprint) return before.text;
    const its = readTextSync(path, { longest });
    const found = its.kind === "text" && trusts(its.uid) ? its.text : undefined;
    if (kept.size >= mostKept) kept.clear();
    kept.set(path, { fingerprint, text: found });
    return found;
  }

  return {
    text,
    word(path) {
      const word = text(path, { longest: longestWord })?.trim();
      return word === "" ? undefined : word;
    },
    kind(path) {
      if (isDistant(path)) return "other";
      try {
        const its = statSync(path, { throwIfNoEntry: false });
        if (its === undefined) return "missing";
        if (!trusts(its.uid)) return "other";
        return its.isFile() ? "file" : its.isDirectory() ? "folder" : "other";
      } catch (error) {
        // A loop of links, or a folder of another user, is something that cannot be used.
        return (error as NodeJS.ErrnoException).code === "ENOTDIR" ? "missing" : "other";
      }
    },
    real(path) {
      try {
        return isDistant(path) ? path : realpathSync(path);
      } catch {
        // Gone, a loop, or another user's: whoever opens it next finds out.
        return path;
      }
    },
    entries(path, { most }) {
      if (isDistant(path)) return [];
      const fingerprint = fileFingerprint(path);
      const before = listed.get(path);
      if (fingerprint !== "" && before?.fingerprint === fingerprint) return before.entries;
      try {
        const found = readdirSync(path, { withFileTypes: true });
        const entries = found.sort((a, b) => (a.name < b.name ? -1 : 1)).slice(0, most);
        if (listed.size >= mostKept) listed.clear();
        // A folder that was just written may be written again without another date.
        if (Date.now() - writtenAt(path) > settles) listed.set(path, { fingerprint, entries });
        return entries;
      } catch {
        // There is none, or it is another user's: either way it says nothing.
        return [];
      }
    },
    writtenAt,
  };
}

function writtenAt(path: string): number {
  try {
    return statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0;
  } catch {
    // A loop of links, or another user's folder: no date is known.
    return 0;
  }
}
