/** A folder -> the git checkout around it; a repository -> its worktrees and branches. Reads files, runs no git. */
import { dirname, isAbsolute, join, resolve } from "node:path";
import { checkoutLabel, labelsApart } from "../manifest/checkout-label.ts";
import type { KnownLabel } from "../routes/checkout.ts";
import type { Clock } from "../system/clock.ts";
import { distantNow, type IsDistant } from "../system/network-mounts.ts";
import { branchThen } from "./branch-then.ts";
import { branchReader } from "./branches.ts";
import { gitFiles } from "./git-files.ts";
import { branchOf, type GitFolder, gitFolderAt, isBare, mainOf } from "./git-folder.ts";

export type Checkout = {
  /** The folder with `.git`. */
  root: string;
  /** The folder that all checkouts share, absolute: `.git` of the main one, or a bare repository. */
  repository: string;
  /** The root of the main checkout; undefined where the repository is bare. */
  main: string | undefined;
  /** A linked worktree's own; the main checkout has none. */
  label: string | undefined;
  /** Undefined where HEAD is detached. */
  branch: string | undefined;
};

/** A linked worktree that is there. */
export type Worktree = { root: string; label: string; branch: string | undefined };

export interface Checkouts {
  /** Undefined where the folder is in no repository. Submodules belong to the checkout around them. */
  of(folder: string): Checkout | undefined;
  /** The same checkout with the label that it had at that time, in milliseconds since the Unix epoch. */
  asOf(checkout: Checkout, time: number): Checkout;
  /** The linked worktrees whose folders are there, the oldest first. */
  worktrees(repository: string): readonly Worktree[];
  /** The labels of all worktrees and branches; while they are the same, the same object. */
  labels(repository: string): ReadonlyMap<string, KnownLabel>;
  /** From now on all of it is looked at again. */
  renew(): void;
}

export type CheckoutsOptions = {
  /** Files of this user are read, and files of root. */
  uid: number;
  clock: Pick<Clock, "now">;
  /** The mounts of this moment; given by tests. */
  distant?: () => IsDistant;
};

/** Milliseconds for which an answer holds. */
const holds = 1000;
/** Folders on the way up, and folders of which the answer is kept. */
const mostFolders = 100;
const mostKept = 4096;
/** Repositories whose labels are kept. */
const mostRepositories = 64;
/** Bytes of a worktree's log: some 5,000 entries. Nothing is known of the past where it is longer. */
const longestLog = 1024 * 1024;
/** Worktrees of one repository. */
const mostWorktrees = 512;

/** Labels, and what they were made of. */
type LastLabels = {
  branches: readonly string[];
  rest: string;
  labels: ReadonlyMap<string, KnownLabel>;
};

type Linked = Worktree & { own: string };

/** Never throws, never waits. */
export function checkouts({ uid, clock, distant = distantNow }: CheckoutsOptions): Checkouts {
  /** Another computer's disk may keep everybody waiting, so nothing on one is looked at. */
  let isDistant: IsDistant | undefined;
  const files = gitFiles({
    trusts: (owner) => owner === uid || owner === 0,
    isDistant(path) {
      isDistant ??= distant();
      return isDistant(path);
    },
  });
  const branchesOf = branchReader(files);
  const found = new Map<string, Checkout | undefined>();
  const linked = new Map<string, readonly Linked[]>();
  const known = new Map<string, ReadonlyMap<string, KnownLabel>>();
  const last = new Map<string, LastLabels>();
  let since = clock.now();

  /** Forgets all that may have changed. */
  function renew(): void {
    isDistant = undefined;
    since = clock.now();
    found.clear();
    linked.clear();
    known.clear();
  }

  function refresh(): void {
    const isFull = found.size + known.size + linked.size >= mostKept;
    if (isFull || Math.abs(clock.now() - since) >= holds) renew();
  }

  function kept<Value>(
    map: Map<string, Value>,
    { key, make }: { key: string; make(): Value },
  ): Value {
    if (map.has(key)) return map.get(key)!;
    const value = make();
    map.set(key, value);
    return value;
  }

  function lookUp(folder: string, depth = 0): Checkout | undefined {
    return kept(found, {
      key: folder,
      make() {
        const next = dirname(folder);
        const above = () =>
          next === folder || depth >= mostFolders ? undefined : lookUp(next, depth + 1);
        const git = gitFolderAt(join(folder, ".git"), files);
        if (git === undefined) return above();
        if (git === "broken") return undefined;
        if ("lost" in git) return lostAt(folder, git.common);
        const here = checkoutAt(folder, git);
        if (git.linked) return here;
        // Another repository inside a linked worktree is in that worktree all the same.
        const around = above();
        return around !== undefined && (git.submodule || around.label !== undefined)
          ? around
          : here;
      },
    });
  }

  function checkoutAt(root: string, { own, common, linked: isLinked }: GitFolder): Checkout {
    // A `.git` file beside the worktrees may lead to a bare repository, whose HEAD is nobody's checkout.
    if (!isLinked && isBare(common, files)) {
      return { root, repository: common, main: undefined, label: undefined, branch: undefined };
    }
    const branch = branchOf(own, files);
    const shared = { root, repository: common, branch };
    if (!isLinked) return { ...shared, main: root, label: undefined };
    const main = mainOf(common, files);
    const all = linkedOf(common);
    const its = all.find((one) => one.root === root);
    if (its !== undefined) return { ...shared, main, label: its.label };
    // Moved by hand, or a copy of one that is there, which has the same HEAD.
    const isCopy = all.some((one) => one.own === own);
    const label = labelsApart([...all, { root, branch: isCopy ? undefined : branch }]).at(-1);
    return { ...shared, main, label };
  }

  /** Its branch is not known any more. */
  function lostAt(root: string, repository: string): Checkout {
    const label = checkoutLabel(root.slice(root.lastIndexOf("/") + 1));
    return { root, repository, main: undefined, label, branch: undefined };
  }

  function linkedOf(common: string): readonly Linked[] {
    return kept(linked, { key: common, make: () => readLinked(common) });
  }

  function readLinked(common: string): Linked[] {
    const folder = join(common, "worktrees");
    const entries = files.entries(folder, { most: mostWorktrees }).flatMap((entry) => {
      const own = join(folder, entry.name);
      const link = files.word(join(own, "gitdir"));
      if (link === undefined || !link.endsWith("/.git")) return [];
      // A path is relative with `worktree.useRelativePaths`.
      const root = files.real(dirname(resolve(own, link)));
      const git = gitFolderAt(join(root, ".git"), files);
      if (typeof git !== "object" || "lost" in git || git.own !== own) return [];
      const madeAt = files.writtenAt(join(own, "commondir"));
      return [{ own, root, branch: branchOf(own, files), madeAt }];
    });
    entries.sort((a, b) => a.madeAt - b.madeAt || (a.own < b.own ? -1 : 1));
    const labels = labelsApart(entries);
    return entries.map(({ own, root, branch }, at) => ({ own, root, branch, label: labels[at]! }));
  }

  function labelsOf(repository: string): ReadonlyMap<string, KnownLabel> {
    const worktrees = linkedOf(repository);
    const branches = branchesOf(repository);
    const main = mainOf(repository, files);
    const own = main === undefined ? undefined : branchOf(repository, files);
    const rest = JSON.stringify([worktrees, main, own]);
    const before = last.get(repository);
    if (before?.branches === branches && before.rest === rest) return before.labels;
    const labels = new Map<string, KnownLabel>();
    for (const { label, branch, root } of worktrees) labels.set(label, { branch, root });
    for (const branch of branches) {
      const label = checkoutLabel(branch);
      if (labels.has(label)) continue;
      labels.set(label, { branch, root: branch === own ? main : undefined });
    }
    if (last.size >= mostRepositories) last.clear();
    last.set(repository, { branches, rest, labels });
    return labels;
  }

  return {
    renew,
    of(folder) {
      refresh();
      return isAbsolute(folder) ? lookUp(files.real(folder)) : undefined;
    },
    asOf(checkout, time) {
      refresh();
      const all = linkedOf(checkout.repository);
      const its = all.find(({ root }) => root === checkout.root);
      if (its === undefined) return checkout;
      const log = files.text(join(its.own, "logs/HEAD"), { longest: longestLog }) ?? "";
      const was = branchThen(log, time);
      if (was.kind === "now" || was.branch === its.branch) return checkout;
      const { branch } = was;
      const others = all.filter((one) => one !== its);
      const label = labelsApart([...others, { root: its.root, branch }]).at(-1);
      return { ...checkout, branch, label };
    },
    worktrees(repository) {
      refresh();
      return linkedOf(repository).map(({ root, label, branch }) => ({ root, label, branch }));
    },
    labels(repository) {
      refresh();
      return kept(known, { key: repository, make: () => labelsOf(repository) });
    },
  };
}
