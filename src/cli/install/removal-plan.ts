/** The way in which this program was installed -> the commands that take it away, or a word for a person. Pure. */
import { dirname, join } from "node:path";
import type { Installed, Manager } from "./installed-by.ts";
import type { Plan, PlanOptions, Step } from "./upgrade-plan.ts";

const name = "localhostess";

const removes: Readonly<Record<Manager, readonly [string, ...string[]]>> = {
  npm: ["npm", "uninstall", "--global"],
  pnpm: ["pnpm", "remove", "--global"],
  yarn: ["yarn", "global", "remove"],
  bun: ["bun", "remove", "--global"],
};

const fromProject: Readonly<Record<Manager, string>> = {
  npm: "npm uninstall",
  pnpm: "pnpm remove",
  yarn: "yarn remove",
  bun: "bun remove",
};

export function removalPlan(
  installed: Installed,
  { mayWrite }: Pick<PlanOptions, "mayWrite">,
): Plan {
  const steps = (words: Step["words"], rootsOwn?: string): Plan => ({
    ...{ kind: "steps", steps: [{ words, folder: "/" }], program: undefined, rootsOwn },
  });
  switch (installed.by) {
    case "global": {
      const { manager, folder } = installed;
      const [remove, ...more] = removes[manager];
      // The npm in PATH may be that of another Node, which has its own prefix.
      const place = manager === "npm" ? ["--prefix", dirname(folder)] : [];
      const modules = join(folder, "node_modules");
      const isRoots = manager === "npm" && !mayWrite(modules);
      return steps([remove, ...more, ...place, name], isRoots ? modules : undefined);
    }
    case "project":
      return {
        kind: "by hand",
        how: `the program is a dependency of ${installed.folder}, and stays; to remove it there: ${fromProject[installed.manager]} ${name}`,
      };
    case "runner":
      return {
        kind: "by hand",
        how: `the program ran from the cache of ${installed.manager}, which keeps it until it is emptied`,
      };
    case "debian":
      // The person has agreed already.
      return steps(["apt-get", "purge", "--yes", name], "/usr");
    case "homebrew":
      return steps(["brew", "uninstall", name]);
    case "clone":
      return {
        kind: "by hand",
        how: `the program is in the clone ${installed.folder}, which stays`,
      };
    case "file":
      return {
        kind: "by hand",
        how: `the program was not installed by a package manager, and stays; to remove it: rm ${installed.file}`,
      };
  }
}
