/** The command that takes the program away, for each way in which it may have been installed. */
import { expect, test } from "bun:test";
import type { Installed } from "../../../src/cli/install/installed-by.ts";
import { removalPlan } from "../../../src/cli/install/removal-plan.ts";

const folder = "/home/ann/x";
const global = (manager: "npm" | "pnpm" | "yarn" | "bun"): Installed => ({
  ...{ by: "global", manager, folder: "/usr/local/lib" },
});

test.each<[Installed, string, string | undefined]>([
  [
    global("npm"),
    "npm uninstall --global --prefix /usr/local localhostess",
    "/usr/local/lib/node_modules",
  ],
  [global("pnpm"), "pnpm remove --global localhostess", undefined],
  [global("yarn"), "yarn global remove localhostess", undefined],
  [global("bun"), "bun remove --global localhostess", undefined],
  [{ by: "debian", file: "/usr/bin/localhostess" }, "apt-get purge --yes localhostess", "/usr"],
  [{ by: "homebrew", prefix: "/opt/homebrew" }, "brew uninstall localhostess", undefined],
])("%j: %s", (installed, command, rootsOwn) => {
  const plan = removalPlan(installed, { mayWrite: () => false });
  if (plan.kind !== "steps") throw new Error(plan.how);
  expect(plan.steps.map(({ words }) => words.join(" "))).toEqual([command]);
  expect(plan.rootsOwn).toBe(rootsOwn);
  // What a person may write needs no root.
  const own = removalPlan(installed, { mayWrite: () => true });
  if (installed.by === "global") expect(own).toMatchObject({ rootsOwn: undefined });
});

test.each<[Installed, string]>([
  [
    { by: "project", manager: "pnpm", folder, isBerry: false },
    `the program is a dependency of ${folder}, and stays; to remove it there: pnpm remove localhostess`,
  ],
  [
    { by: "runner", manager: "npm" },
    "the program ran from the cache of npm, which keeps it until it is emptied",
  ],
  [{ by: "clone", folder }, `the program is in the clone ${folder}, which stays`],
  [
    { by: "file", file: "/opt/l" },
    "the program was not installed by a package manager, and stays; to remove it: rm /opt/l",
  ],
])("%j stays, and it is said", (installed, how) => {
  expect(removalPlan(installed, { mayWrite: () => true })).toEqual({ kind: "by hand", how });
});
