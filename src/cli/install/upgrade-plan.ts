/** The way in which this program was installed, and a version -> the commands that bring it up to date. Pure. */
import { dirname, join } from "node:path";
import type { Installed, Manager } from "./installed-by.ts";

/** A command, which its own program does the work of: the folder that it is run in, too. */
export type Step = { words: [string, ...string[]]; folder: string };

export type Plan =
  | {
      kind: "steps";
      steps: Step[];
      /** The program once they are done; undefined: the last of them has run it already. */
      program: string | undefined;
      /** A folder that the person may not write, so that the steps are run by sudo. */
      rootsOwn: string | undefined;
    }
  /** `how`: a sentence with the commands. */
  | { kind: "by hand"; how: string };

export type PlanOptions = {
  /** A version or a tag; or a package's file, absolute. */
  to: { kind: "version"; version: string } | { kind: "package"; path: string };
  /** Whether this person may write there. */
  mayWrite(path: string): boolean;
};

const name = "localhostess";
const launcher = `node_modules/${name}/bin/${name}`;

const adds: Readonly<Record<Manager, readonly [string, ...string[]]>> = {
  npm: ["npm", "install", "--global"],
  pnpm: ["pnpm", "add", "--global"],
  yarn: ["yarn", "global", "add"],
  bun: ["bun", "add", "--global"],
};

/** `npx` and its like: each with the word that keeps it from asking. */
const runs: Readonly<Record<Manager, readonly [string, ...string[]]>> = {
  npm: ["npx", "--yes"],
  pnpm: ["pnpm", "dlx"],
  yarn: ["yarn", "dlx"],
  bun: ["bunx"],
};

export function upgradePlan(installed: Installed, { to, mayWrite }: PlanOptions): Plan {
  const wanted = to.kind === "package" ? to.path : `${name}@${to.version}`;
  const isLatest = to.kind === "version" && to.version === "latest";
  const steps = (
    words: Step["words"],
    { folder = "/", program }: { folder?: string; program: string | undefined },
  ): Plan => ({ kind: "steps", steps: [{ words, folder }], program, rootsOwn: undefined });
  switch (installed.by) {
    case "global": {
      const { manager, folder } = installed;
      const [add, ...more] = adds[manager];
      // The npm in PATH may be that of another Node, which has its own prefix.
      const place = manager === "npm" ? ["--prefix", dirname(folder)] : [];
      const modules = join(folder, "node_modules");
      const plan = steps([add, ...more, ...place, wanted], { program: join(folder, launcher) });
      return plan.kind === "steps" && manager === "npm" && !mayWrite(modules)
        ? { ...plan, rootsOwn: modules }
        : plan;
    }
    case "project": {
      const { folder } = installed;
      return steps(inProject(installed, { wanted, isLatest }), {
        folder,
        program: join(folder, launcher),
      });
    }
    case "runner": {
      const [run, ...more] = runs[installed.manager];
      if (to.kind === "package" && installed.manager !== "npm") {
        return {
          kind: "by hand",
          how: `install the package first: npm install --global ${wanted}`,
        };
      }
      return steps([run, ...more, wanted, "server", "restart"], { program: undefined });
    }
    case "debian": {
      if (to.kind === "version" && !isLatest) {
        return debian(["apt-get", "install", `${name}=${to.version}`], installed.file);
      }
      return to.kind === "package"
        ? debian(["apt-get", "install", to.path], installed.file)
        : debian(["apt-get", "install", "--only-upgrade", name], installed.file);
    }
    case "homebrew": {
      if (!isLatest)
        return {
          kind: "by hand",
          how: "Homebrew has the latest version only: brew upgrade localhostess",
        };
      return steps(["brew", "upgrade", name], { program: join(installed.prefix, "bin", name) });
    }
    case "clone": {
      const { folder } = installed;
      if (!isLatest)
        return {
          kind: "by hand",
          how: `it runs from the clone ${folder}: check out what you want there`,
        };
      const program = join(folder, "bin", name);
      return {
        kind: "steps",
        steps: [
          { words: ["git", "-C", folder, "pull", "--ff-only"], folder: "/" },
          { words: ["npm", "install", "--prefix", folder], folder: "/" },
        ],
        program,
        rootsOwn: undefined,
      };
    }
    case "file":
      return {
        kind: "by hand",
        how: `it was not installed by a package manager: put the new program in the place of ${installed.file}, then run: localhostess server restart`,
      };
  }
}

function debian(words: Step["words"], program: string): Plan {
  return { kind: "steps", steps: [{ words, folder: "/" }], program, rootsOwn: "/usr" };
}

/** A declaration stays where it is, among the dependencies or those of development. */
function inProject(
  { manager, isBerry }: Extract<Installed, { by: "project" }>,
  { wanted, isLatest }: { wanted: string; isLatest: boolean },
): Step["words"] {
  switch (manager) {
    case "npm":
      return ["npm", "install", wanted];
    case "pnpm":
      return isLatest ? ["pnpm", "update", "--latest", name] : ["pnpm", "add", wanted];
    case "yarn":
      if (isBerry) return ["yarn", "up", isLatest ? name : wanted];
      return isLatest ? ["yarn", "upgrade", "--latest", name] : ["yarn", "add", wanted];
    case "bun":
      return isLatest ? ["bun", "update", "--latest", name] : ["bun", "add", wanted];
  }
}
