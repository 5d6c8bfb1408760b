/** Folders of this machine -> the projects in them, looked at as seldom as that is enough, and never for long. */
import { realpathSync, statSync } from "node:fs";
import { homedir } from "node:os";
import { basename, dirname, join } from "node:path";
import { fileFingerprint } from "../system/file-fingerprint.ts";
import { distantNow, type IsDistant } from "../system/network-mounts.ts";
import { readTextSync } from "../system/read-text.ts";
import type { Checkouts } from "./checkouts.ts";
import { type Manifest, manifests, readManifest, workspaceFiles } from "./manifest-names.ts";
import { isProgramsOwn, projectChain } from "./project-chain.ts";
import { type FolderFacts, type Project, projectIn } from "./project.ts";

export interface ProjectFolders {
  /** Undefined: the folder is in no project, or is not what it seems. */
  of(process: { pid: number; cwd: string | undefined }): Project | undefined;
  /** Whether a folder is still there; one that may not be looked at is. */
  isThere(folder: string): boolean;
}

export type ProjectFoldersOptions = {
  /** The person's own folder, which is no project whatever is in it. */
  home?: string;
  /** Milliseconds of a clock that is never set. */
  now?: () => number;
  /** Where procfs is mounted. */
  procfs?: string;
  checkouts: Pick<Checkouts, "of">;
  /** Folders on other computers are not looked at: one that does not answer would keep the daemon waiting. */
  distant?: () => IsDistant;
};

/** Bytes. A package.json has a few thousand; what is larger was not written by a person. */
const longest = 1024 * 1024;
/** Milliseconds for which a folder is believed: as long as services may be old. */
const believed = 5_000;
/** Folders that are remembered; the others are looked at again. */
const most = 2_000;
type Looked = FolderFacts & {
  /** A `.git` is in it. Worktrees change their branches, so that the checkout is asked for each time. */
  isRepository: boolean;
};

type Known = { facts: Looked; mark: string; checked: number };

export function projectFolders({
  home = homedir(),
  now = () => performance.now(),
  procfs = "/proc",
  checkouts,
  distant = distantNow,
}: ProjectFoldersOptions): ProjectFolders {
  const homes = [...new Set([home, realOf(home)])];
  const known = new Map<string, Known>();
  let mounts: { isDistant: IsDistant; read: number } | undefined;
  const answers = new Map<string, { project: Project | undefined; checked: number }>();

  function factsOf(path: string): Looked {
    const before = known.get(path);
    const moment = now();
    if (before !== undefined && moment - before.checked < believed) return before.facts;
    const files = before?.facts.manifests.map(([file]) => file) ?? [];
    if (
      before !== undefined &&
      before.mark === markOf([path, ...files.map((its) => join(path, its))])
    ) {
      before.checked = moment;
      return before.facts;
    }
    const looked = look(path);
    if (known.size >= most) known.clear();
    known.set(path, { ...looked, checked: moment });
    return looked.facts;
  }

  /** Up to the repository that the folder is in. */
  function chainFrom(cwd: string): FolderFacts[] {
    const chain: FolderFacts[] = [];
    for (const path of projectChain(cwd, homes)) {
      if (isDistant(path)) return [];
      const { isRepository, ...facts } = factsOf(path);
      const checkout = isRepository ? checkoutAt(path) : undefined;
      chain.push({ ...facts, checkout });
      if (checkout !== undefined) return chain;
    }
    return isProgramsOwn(cwd, homes) ? [] : chain;
  }

  function checkoutAt(path: string): FolderFacts["checkout"] {
    const its = checkouts.of(path);
    // Broken, or a submodule, which belongs to the repository around it.
    if (its?.root !== path) return undefined;
    const { label, repository } = its;
    return { name: repositoryName(its.main ?? repository), label, repository };
  }

  function isDistant(path: string): boolean {
    const moment = now();
    if (mounts === undefined || moment - mounts.read >= believed) {
      mounts = { isDistant: distant(), read: moment };
    }
    return mounts.isDistant(path);
  }

  /** In a container the same path is another folder. */
  function isSeenFromHere(pid: number, cwd: string): boolean {
    if (isDistant(cwd)) return false;
    const its = identityOf(`${procfs}/${pid}/cwd`);
    return its === undefined || its === identityOf(cwd);
  }

  return {
    of({ pid, cwd }) {
      if (cwd === undefined) return undefined;
      const key = `${pid} ${cwd}`;
      const before = answers.get(key);
      const moment = now();
      if (before !== undefined && moment - before.checked < believed) return before.project;
      const chain = isSeenFromHere(pid, cwd) ? chainFrom(cwd) : [];
      const project = projectIn(chain);
      if (answers.size >= most) answers.clear();
      answers.set(key, { project, checked: moment });
      return project;
    },
    isThere: (folder) => isDistant(folder) || identityOf(folder) !== undefined,
  };
}

/** The kernel tells folders without symbolic links in their paths. */
function realOf(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    // There is none: a service's user.
    return path;
  }
}

function identityOf(path: string): string | undefined {
  try {
    const its = statSync(path, { throwIfNoEntry: false });
    return its === undefined ? undefined : `${its.dev} ${its.ino}`;
  } catch {
    // Not visible for us; whoever asks takes it as not there.
    return undefined;
  }
}

/** Equal as long as none of them changes. */
function markOf(paths: readonly string[]): string {
  return paths.map(fileFingerprint).join(" ");
}

/** The mark is taken before anything is read, so that a change meanwhile is seen the next time. */
function look(path: string): Omit<Known, "checked"> {
  const is = (file: string): boolean => identityOf(join(path, file)) !== undefined;
  const present = Object.keys(manifests).filter(is);
  const mark = markOf([path, ...present.map((file) => join(path, file))]);
  const found = present.flatMap((file): [string, Manifest][] => {
    if (manifests[file] === undefined) return [[file, readManifest(file, "")]];
    const its = readTextSync(join(path, file), { longest });
    if (its.kind === "missing") return [];
    return [[file, readManifest(file, its.kind === "text" ? its.text : undefined)]];
  });
  const workspace = workspaceFiles.some(is);
  const facts = {
    path,
    manifests: found,
    workspace,
    checkout: undefined,
    isRepository: is(".git"),
  };
  return { facts, mark };
}

/** `shop` of `/srv/shop/.git`, `/srv/shop.git` and `/srv/shop/.bare`. */
export function repositoryName(path: string): string {
  const base = basename(path);
  return base.startsWith(".") ? basename(dirname(path)) : base.replace(/\.git$/, "");
}
