/** Folders of this machine -> the projects in them, looked at as seldom as that is enough, and never for long. */
import { statSync } from "node:fs";
import { homedir } from "node:os";
import { basename, dirname, join } from "node:path";
import { fileFingerprint } from "../system/file-fingerprint.ts";
import { readTextSync } from "../system/read-text.ts";
import type { Checkouts } from "./checkouts.ts";
import { type Manifest, manifests, readManifest, workspaceFiles } from "./manifest-names.ts";
import { type FolderFacts, type Project, projectIn } from "./project.ts";

export interface ProjectFolders {
  /** Undefined: the folder is in no project, or is not what it seems. */
  of(process: { pid: number; cwd: string | undefined }): Project | undefined;
  /** Whether a folder is still there. */
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
};

/** Bytes. A package.json has a few thousand; what is larger was not written by a person. */
const longest = 1024 * 1024;
/** Milliseconds for which a folder is believed: as long as services may be old. */
const believed = 5_000;
/** Folders that are remembered; the others are looked at again. */
const most = 2_000;
/** Folders above a process's own. */
const deepest = 40;

/** Folders of whole machines: what lies in them directly is nobody's project. */
const tops = new Set([
  "/",
  "/tmp",
  "/var/tmp",
  "/private/tmp",
  "/home",
  "/Users",
  "/root",
  "/mnt",
  "/media",
  "/srv",
  "/opt",
  "/var/www",
  "/workspaces",
  "/usr/src",
]);
/** Folders of installed programs. */
const installed =
  /^\/(?:usr(?!\/src\/)|bin|sbin|lib\w*|etc|nix|snap|proc|sys|dev|run|boot|System|Library|Applications|var\/(?:lib|cache|snap|run|log|spool))(?:\/|$)/;
/** Packages of others inside a project: the project is the one around them. */
const foreign = /\/(?:node_modules|\.venv|site-packages|__pycache__)(?:\/|$)/;
/** The kernel's remark on a folder that is gone: proc(5). */
const deleted = / \(deleted\)$/;

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
}: ProjectFoldersOptions): ProjectFolders {
  const known = new Map<string, Known>();
  const answers = new Map<string, { project: Project | undefined; checked: number }>();

  /** Differs where something has changed: files in the folder, or those that were read. */
  function markOf(path: string, files: readonly string[]): string {
    return [path, ...files.map((file) => join(path, file))].map(fileFingerprint).join(" ");
  }

  function factsOf(path: string): Looked {
    const before = known.get(path);
    const moment = now();
    if (before !== undefined && moment - before.checked < believed) return before.facts;
    const files = before?.facts.manifests.map(([file]) => file) ?? [];
    if (before !== undefined && before.mark === markOf(path, files)) {
      before.checked = moment;
      return before.facts;
    }
    const facts = look(path);
    const present = facts.manifests.map(([file]) => file);
    if (known.size >= most) known.clear();
    known.set(path, { facts, mark: markOf(path, present), checked: moment });
    return facts;
  }

  function chainFrom(cwd: string): FolderFacts[] {
    const chain: FolderFacts[] = [];
    const inside = foreign.exec(cwd);
    let path = inside === null ? cwd : cwd.slice(0, inside.index);
    while (chain.length < deepest && !isTop(path, home)) {
      const { isRepository, ...facts } = factsOf(path);
      chain.push(isRepository ? { ...facts, checkout: checkoutAt(path) } : facts);
      path = dirname(path);
    }
    return chain;
  }

  function checkoutAt(path: string): FolderFacts["checkout"] {
    const its = checkouts.of(path);
    // Broken, or a submodule, which belongs to the repository around it.
    if (its?.root !== path) return undefined;
    return { name: repositoryName(its.main ?? its.repository), label: its.label };
  }

  /** Programs keep their own files below such folders; a checkout there is a person's. */
  function isHidden(cwd: string, chain: readonly FolderFacts[]): boolean {
    if (!cwd.startsWith(`${home}/.`)) return false;
    return !chain.some(({ checkout }) => checkout !== undefined);
  }

  /** In a container the same path is another folder. */
  function isSeenFromHere(pid: number, cwd: string): boolean {
    const its = identityOf(`${procfs}/${pid}/cwd`);
    return its === undefined || its === identityOf(cwd);
  }

  return {
    of({ pid, cwd }) {
      if (cwd === undefined || !cwd.startsWith("/") || installed.test(cwd) || deleted.test(cwd)) {
        return undefined;
      }
      const key = `${pid} ${cwd}`;
      const before = answers.get(key);
      const moment = now();
      if (before !== undefined && moment - before.checked < believed) return before.project;
      const chain = isSeenFromHere(pid, cwd) ? chainFrom(cwd) : [];
      const project = isHidden(cwd, chain) ? undefined : projectIn(chain);
      if (answers.size >= most) answers.clear();
      answers.set(key, { project, checked: moment });
      return project;
    },
    isThere: (folder) => identityOf(folder) !== undefined,
  };
}

function isTop(path: string, home: string): boolean {
  return tops.has(path) || path === home || home.startsWith(`${path}/`) || path === dirname(path);
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

function look(path: string): Looked {
  const is = (file: string): boolean => identityOf(join(path, file)) !== undefined;
  const found = Object.keys(manifests).flatMap((file): [string, Manifest][] => {
    if (!is(file)) return [];
    const its = readTextSync(join(path, file), { longest });
    if (its.kind === "missing") return [];
    return [[file, readManifest(file, its.kind === "text" ? its.text : undefined)]];
  });
  const workspace = workspaceFiles.some(is);
  return { path, manifests: found, workspace, checkout: undefined, isRepository: is(".git") };
}

/** `shop` of `/srv/shop/.git`, `/srv/shop.git` and `/srv/shop/.bare`. */
export function repositoryName(path: string): string {
  const base = basename(path);
  return base.startsWith(".") ? basename(dirname(path)) : base.replace(/\.git$/, "");
}
