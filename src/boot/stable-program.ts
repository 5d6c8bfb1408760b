/** The file of the running program -> the path of the program that is still there after the next update. */
import { realpathSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { whereIs } from "../system/search-path.ts";
import { runnerOf } from "./runner-cache.ts";

export type StableProgram =
  | {
      kind: "stable";
      path: string;
      /** A sentence: what the path depends on. */
      remark?: string;
    }
  /** In a cache: `why` is a sentence with the command that helps. */
  | { kind: "passing"; why: string };

export type StableOptions = {
  /** The compiled executable, or our `src/main.ts`. */
  own: string;
  PATH: string | undefined;
  /** For tests. Undefined where nothing is there. */
  real?: (path: string) => string | undefined;
  find?: (program: string, PATH: string | undefined) => string | undefined;
};

const name = "localhostess";

/** Folders of one version of Node: nvm, fnm, asdf, mise, n. */
const versioned = /\/(?:\.nvm\/versions|node-versions|installs\/node(?:js)?|n\/versions)\//;

/** Folders of one shell. */
const passing = /\/fnm_multishells\//;

export function stableProgram(options: StableOptions): StableProgram {
  const { own, PATH, real = realPath, find = whereIs } = options;
  if (runnerOf(own) !== undefined) {
    return {
      kind: "passing",
      why: "this program is in a cache, from which it will vanish; install it first: npm install -g localhostess; then run: localhostess service install",
    };
  }
  // The script that npm and bun link to finds its Bun, or its compiled program, by itself.
  const launcher = own.endsWith(".ts") ? join(dirname(dirname(own)), "bin", name) : own;
  const linked = find(name, PATH);
  const target = linked === undefined ? undefined : real(linked);
  const isLinked =
    linked !== undefined &&
    target !== undefined &&
    !passing.test(linked) &&
    (target === real(launcher) || isOfPackage(own, target) || isOfPnpm(own, linked));
  const path = isLinked ? linked : launcher;
  const remark = remarkOn(isLinked ? (target ?? path) : path);
  return remark === undefined ? { kind: "stable", path } : { kind: "stable", path, remark };
}

/** The platform's package of npm stands beside ours, or in it. */
function isOfPackage(own: string, target: string): boolean {
  const its = dirname(dirname(target));
  const modules = dirname(its);
  if (basename(target) !== name || basename(its) !== name) return false;
  return (
    own.startsWith(`${its}/`) ||
    (basename(modules) === "node_modules" && own.startsWith(`${modules}/`))
  );
}

/** pnpm has a script in PATH, in the folder that holds all that is installed globally. */
function isOfPnpm(own: string, linked: string): boolean {
  const home = /^(.*\/pnpm)\//.exec(linked)?.[1];
  return home !== undefined && own.startsWith(`${home}/global/`);
}

function remarkOn(path: string): string | undefined {
  if (versioned.test(path)) {
    return "the program belongs to one version of Node; with another one, run again: localhostess service install";
  }
  const project = /^(.*?)\/node_modules\//.exec(path)?.[1];
  if (project === undefined || /\/lib$|\/pnpm\b|\/\.bun\b|\/global\b/.test(project))
    return undefined;
  return `the program is a dependency of ${project}, and goes with it`;
}

function realPath(path: string): string | undefined {
  try {
    return realpathSync(path);
  } catch {
    // Nothing is there.
    return undefined;
  }
}
