/** Guards of the names of worktrees -> how each could be lost. */
import type { Fault } from "./fault.ts";

const labels = ["test/discovery/worktree-labels.test.ts"];
const checkouts = ["test/discovery/checkouts.test.ts"];
const unanswered = ["test/routes/unanswered.test.ts"];

export const worktrees: readonly Fault[] = [
  {
    name: "another user's .git file says what our servers are named",
    file: "src/discovery/checkouts.ts",
    find: "owner === uid || owner === 0",
    replace: "true",
    tests: checkouts,
  },
  {
    name: "a folder that only says it is a worktree is one",
    file: "src/discovery/git-folder.ts",
    find: `dirname(own) === join(common, "worktrees")`,
    replace: "true",
    tests: checkouts,
  },
  {
    name: "a running server's name changes with the branch under it",
    file: "src/discovery/worktree-labels.ts",
    find: "if (kept.has(id)) return kept.get(id);",
    replace: "",
    tests: labels,
  },
  {
    name: "a branch that is called like a server takes the main checkout's name",
    file: "src/discovery/worktree-labels.ts",
    find: "?.size ?? 0) < 2",
    replace: "?.size ?? 0) < 9",
    tests: labels,
  },
  {
    name: "the supervisor's name gets a label in front",
    file: "src/discovery/worktree-labels.ts",
    find: "|| its.isSupervised ||",
    replace: "||",
    tests: labels,
  },
  {
    name: "a server of one checkout answers for another worktree",
    file: "src/routes/unanswered.ts",
    find: "if (elsewhere !== undefined) return elsewhere;",
    replace: "",
    tests: unanswered,
  },
  {
    name: "a server answers for one in a worktree that is gone",
    file: "src/routes/unanswered.ts",
    find: "was.root !== checkout?.root",
    replace: "was.root === checkout?.root",
    tests: unanswered,
  },
  {
    name: "a new branch is not known before a server comes or goes",
    file: "src/daemon/current-routes.ts",
    find: "this.#checkouts() !== this.#table.checkouts ||",
    replace: "",
    tests: ["test/daemon/current-routes.test.ts"],
  },
  {
    name: "a disk on the network keeps the scan waiting",
    file: "src/discovery/checkouts.ts",
    find: "return isDistant(path);",
    replace: "return false;",
    tests: checkouts,
  },
  {
    name: "a worktree's label takes the name of a project's service",
    file: "src/routes/name-rights.ts",
    find: "!project.names.has(name) &&",
    replace: "",
    tests: ["test/routes/name-rights.test.ts"],
  },
];
