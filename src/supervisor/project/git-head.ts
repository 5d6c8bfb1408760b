/** A folder -> what HEAD of its git repository names. Reads files only: git itself would run configured programs. */
import { lstat, stat } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { readEnd, readText } from "../../system/read-text.ts";

export type GitHead =
  /** No repository is there. */
  | { kind: "none" }
  | {
      kind: "head";
      /** Identifies the commit: equal ids mean the same commit. */
      id: string;
      /** True if only `git commit` led from `since` to here, which brings no file. */
      committed: boolean;
      /** The operation that git is in the middle of, such as `a merge`: it brings files before HEAD moves. */
      within: string | undefined;
      /** git is writing, or was a moment ago: it writes files first and HEAD last. */
      busy: boolean;
    }
  /** `why` goes behind "cannot be told: ". */
  | { kind: "unknown"; why: string };

export type GitHeadOptions = {
  /** The id from which it may have come, or `noRepository`. */
  since: string | undefined;
  /** Milliseconds since the Unix epoch. */
  now: number;
};

/** Bytes of HEAD, a ref and the like: a hash, or a name of at most 4096. */
const longestWord = 8192;
/** Bytes: some 250,000 refs. */
const longestPacked = 16 * 1024 * 1024;
/** Bytes: some 300 entries. */
const longestLog = 64 * 1024;
/** Git's own limit: SYMREF_MAXDEPTH in refs.c. */
const mostLinks = 5;
/** Folders on the way up. */
const mostFolders = 100;
/** Milliseconds: between git's last file and HEAD there are a rename, and perhaps a hook. */
const settles = 2000;

const hash = /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/;
/** git-check-ref-format(1), as far as a path of it could lead elsewhere. */
const refName = /^refs(?:\/(?!\.)[^\0-\x20\x7f/\\~^:?*[]+)+$/;
/** Refs that a worktree has for itself: gitrepository-layout(5). */
const ownRefs = /^refs\/(?:bisect|worktree|rewritten)\//;
/** The id where there is no repository, and what one begins with where the branch has no commit. */
export const noRepository = "none";
const unborn = "unborn ";
/** The content of HEAD in a repository with reftable(5). */
const inTables = "refs/heads/.invalid";

/** Files that are there while git is in the middle of something that brings files and moves HEAD later, if at all. */
const operations: readonly [file: string, what: string][] = [
  ["MERGE_HEAD", "a merge"],
  ["SQUASH_MSG", "a merge"],
  ["CHERRY_PICK_HEAD", "a cherry-pick"],
  ["REVERT_HEAD", "a revert"],
  ["rebase-merge", "a rebase"],
  ["rebase-apply", "a rebase"],
  ["sequencer", "a cherry-pick"],
];

type Repository = {
  /** The folder of HEAD. */
  own: string;
  /** The folder of the refs: another one only in a linked worktree. */
  common: string;
};

type Unknown = { why: string };

/** `directory` is absolute, and no link. Never rejects. */
export async function gitHead(directory: string, { since, now }: GitHeadOptions): Promise<GitHead> {
  const repository = await repositoryOf(directory);
  if (repository === undefined) return { kind: "none" };
  if ("why" in repository) return { kind: "unknown", ...repository };
  const found = await headOf(repository);
  if ("why" in found) return { kind: "unknown", ...found };
  const { id, ref } = found;
  const [committed, within, busy] = await Promise.all([
    since !== undefined && since !== id && hasCommitted(repository, { since, id }),
    operationIn(repository),
    isBusy(repository, { ref, now }),
  ]);
  return { kind: "head", id, committed, within, busy };
}

async function repositoryOf(directory: string): Promise<Repository | Unknown | undefined> {
  let here = directory;
  for (let count = 0; count < mostFolders; count++) {
    const path = join(here, ".git");
    const its = await kindOf(path, stat);
    if (typeof its === "object") return its;
    if (its === "file") return await linkedFrom(path);
    // Git's rule: a folder without a HEAD is no repository, and neither is a pipe.
    if (its === "folder" && (await kindOf(join(path, "HEAD"), lstat)) !== "missing") {
      return { own: path, common: path };
    }
    const next = dirname(here);
    if (next === here) return undefined;
    here = next;
  }
  return { why: `there are more than ${mostFolders} folders above it` };
}

/** A worktree's, or a submodule's. */
async function linkedFrom(path: string): Promise<Repository | Unknown> {
  const link = await wordIn(path);
  if (typeof link === "object") return link;
  const [, to] = link?.match(/^gitdir: *([^\0]+)$/) ?? [];
  if (to === undefined) return { why: `${path} does not say where the repository is` };
  const own = resolve(dirname(path), to);
  const common = await wordIn(join(own, "commondir"));
  if (typeof common === "object") return common;
  return { own, common: common === undefined ? own : resolve(own, common) };
}

/** `ref`: the branch; undefined where HEAD is detached. */
async function headOf({
  own,
  common,
}: Repository): Promise<{ id: string; ref: string | undefined } | Unknown> {
  let path = join(own, "HEAD");
  let ref: string | undefined;
  for (let links = 0; links <= mostLinks; links++) {
    let text = await wordIn(path);
    if (typeof text === "object") return text;
    if (text === undefined && ref === undefined) return { why: `there is no ${path}` };
    if (text === undefined) {
      const packed = await packedIn(common, ref!);
      if (typeof packed === "object") return packed;
      // The first commit is still to be made.
      text = packed ?? undefined;
      if (text === undefined) return { id: `${unborn}${ref}`, ref };
    }
    if (hash.test(text)) return { id: text, ref };
    const [, name] = text.match(/^ref:\s*(\S+)$/) ?? [];
    if (name === undefined) return { why: `${path} is neither a commit nor a branch's name` };
    if (name === inTables) return await tablesOf({ own, common });
    if (!refName.test(name)) return { why: `${path} names no branch` };
    ref = name;
    path = join(ownRefs.test(name) ? own : common, name);
  }
  return { why: "its names go in a circle" };
}

/** Tables are not read: each change of any ref is another list of them, so it counts as another HEAD. */
async function tablesOf({
  own,
  common,
}: Repository): Promise<{ id: string; ref: undefined } | Unknown> {
  const lists: string[] = [];
  for (const folder of new Set([own, common])) {
    const path = join(folder, "reftable", "tables.list");
    const its = await readText(path, { longest: longestLog });
    if (its.kind === "unreadable") return { why: `${path} cannot be read: ${its.why}` };
    lists.push(its.kind === "text" ? its.text : "");
  }
  if (lists.join("") === "") return { why: "its refs are neither in files nor in tables" };
  const sum = new Bun.CryptoHasher("sha256").update(lists.join("\0")).digest("hex");
  return { id: `reftable ${sum}`, ref: undefined };
}

async function packedIn(common: string, ref: string): Promise<string | undefined | Unknown> {
  const path = join(common, "packed-refs");
  const its = await readText(path, { longest: longestPacked });
  if (its.kind === "unreadable") return { why: `${path} cannot be read: ${its.why}` };
  if (its.kind === "missing") return undefined;
  const text = `\n${its.text}\n`;
  const at = text.indexOf(` ${ref}\n`);
  if (at === -1) return undefined;
  return text.slice(text.lastIndexOf("\n", at) + 1, at);
}

/** The reflog says what each move of HEAD was; where none is kept, nothing is known of it. */
async function hasCommitted(
  { own }: Repository,
  { since, id }: { since: string; id: string },
): Promise<boolean> {
  const text = (await readEnd(join(own, "logs", "HEAD"), { longest: longestLog })) ?? "";
  // From nothing at all: a repository made where there was none has brought no file by that alone.
  const fromNothing = since === noRepository || since.startsWith(unborn);
  if (fromNothing && id.startsWith(unborn)) return text === "";
  let at = id;
  const lines = text.trimEnd().split("\n");
  for (const [index, line] of [...lines.entries()].reverse()) {
    const [, before, after, what] =
      line.match(/^([0-9a-f]{40,64}) ([0-9a-f]{40,64}) [^\t]*\t(.*)$/) ?? [];
    if (before === undefined || after !== at) return false;
    // To another branch at the same commit, or back from one: no commit has been brought.
    if (before === after) continue;
    if (!/^commit(?: \((?:initial|amend)\))?: /.test(what!)) return false;
    if (before === since) return true;
    // An orphan branch's first commit may include files of the branch before.
    if (/^0+$/.test(before)) return fromNothing && index === 0 && text.length < longestLog;
    at = before;
  }
  return false;
}

async function operationIn({ own }: Repository): Promise<string | undefined> {
  const found = await Promise.all(
    operations.map(async ([file, what]) =>
      (await kindOf(join(own, file), lstat)) === "missing" ? [] : [what],
    ),
  );
  return found.flat()[0];
}

async function isBusy(
  { own, common }: Repository,
  { ref, now }: { ref: string | undefined; now: number },
): Promise<boolean> {
  const locks = [join(own, "index.lock"), join(own, "HEAD.lock")];
  if (ref !== undefined) locks.push(join(common, `${ref}.lock`));
  const kinds = await Promise.all(locks.map((path) => kindOf(path, lstat)));
  if (kinds.some((kind) => kind !== "missing")) return true;
  const index = await stat(join(own, "index")).catch(() => undefined);
  return index !== undefined && Math.abs(now - index.mtimeMs) < settles;
}

/** The content of a small file without its newline; undefined where there is none. */
async function wordIn(path: string): Promise<string | undefined | Unknown> {
  const its = await readText(path, { longest: longestWord });
  if (its.kind === "text") return its.text.trimEnd();
  if (its.kind === "missing") return undefined;
  // Left over from `a/b` where there is a branch `a` now, which is packed.
  if ((await kindOf(path, stat)) === "folder") return undefined;
  return { why: `${path} cannot be read: ${its.why}` };
}

type Kind = "missing" | "file" | "folder" | "other";

async function kindOf(path: string, look: typeof stat | typeof lstat): Promise<Kind | Unknown> {
  try {
    const its = await look(path);
    return its.isFile() ? "file" : its.isDirectory() ? "folder" : "other";
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    return code === "ENOENT" || code === "ENOTDIR" ? "missing" : { why: message };
  }
}
