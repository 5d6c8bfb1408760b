/** A process's folder -> the folders that may make it part of a project, the nearest first. Pure. */
import { dirname } from "node:path";

/** Folders above a process's own. */
const deepest = 40;

/** Folders of whole machines and of many projects: what lies in them directly is nobody's project. */
const tops: ReadonlySet<string> = new Set([
  ...["/", "/tmp", "/var/tmp", "/private/tmp", "/home", "/Users", "/root", "/mnt", "/media"],
  ...["/srv", "/opt", "/var", "/var/www", "/usr/src", "/workspaces", "/Volumes", "/private"],
]);

/** Folders of installed programs and of the system. */
const installed =
  /^\/(?:usr(?!\/src\/|\/local\/src\/)|bin|sbin|lib\w*|etc|nix|snap|proc|sys|dev|run|boot|System|Library|Applications|var\/(?:lib|cache|snap|run|log|spool))(?:\/|$)/;

/** Packages of others inside a project: the project is the one around them. */
const foreign = /\/(?:node_modules|\.venv|site-packages|__pycache__)(?:\/|$)/;

/** The kernel's remark on a folder that is gone: proc(5). */
const deleted = / \(deleted\)$/;

/**
 * Empty: the folder is no project, whatever is in it. `homes`: the person's own folder, by every path that leads to it.
 * A package.json or a repository in it is one for the whole of a person's files, such as their dotfiles.
 */
export function projectChain(cwd: string | undefined, homes: readonly string[]): string[] {
  if (cwd === undefined || !cwd.startsWith("/") || installed.test(cwd) || deleted.test(cwd)) {
    return [];
  }
  const inside = foreign.exec(cwd);
  const chain: string[] = [];
  let path = inside === null ? cwd : cwd.slice(0, inside.index);
  while (chain.length < deepest && !isTop(path, homes)) {
    chain.push(path);
    path = dirname(path);
  }
  return chain;
}

function isTop(path: string, homes: readonly string[]): boolean {
  const isHome = homes.some((home) => path === home || home.startsWith(`${path}/`));
  return isHome || tops.has(path) || path === dirname(path);
}

/** Programs keep their own files in hidden folders of a person's: only a checkout in one is a person's. */
export function isProgramsOwn(cwd: string, homes: readonly string[]): boolean {
  return homes.some((home) => cwd.startsWith(home === "/" ? "/." : `${home}/.`));
}
