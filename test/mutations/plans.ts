/** Guards of plugins' plans, and of what is done with them -> how each could be lost. */
import type { Fault } from "./fault.ts";

const bad = ["test/plugins/bad-plans.test.ts"];
const up = ["test/cli/plugin-plans.test.ts"];
const planned = ["test/manifest/planned.test.ts"];

export const planFaults: readonly Fault[] = [
  {
    name: "a plan writes outside of its project",
    file: "src/plugins/file-path.ts",
    find: 'if (words.includes(".."))',
    replace: 'if (words[0] === "..")',
    tests: bad,
  },
  {
    name: "a plan writes hooks of git, on a file system that knows no case",
    file: "src/plugins/file-path.ts",
    find: "ownFolders.find((its) => lower.includes(its))",
    replace: "ownFolders.find((its) => words.includes(its))",
    tests: bad,
  },
  {
    name: "a plan uses what it does not request",
    file: "src/plugins/validate-plan.ts",
    find: "usualCapabilities.includes(word) || requested.includes(word)) continue;",
    replace: "usualCapabilities.includes(word) || requested.length === 0) continue;",
    tests: bad,
  },
  {
    name: "an image in the settings needs no capability",
    file: "src/plugins/validate-plan.ts",
    find: 'settings.some(([key]) => key === "image")',
    replace: 'settings.some(([key]) => key === "images")',
    tests: bad,
  },
  {
    name: "a reference leads to a step that may come later",
    file: "src/plugins/validate-plan.ts",
    find: "if (!this.#isNeeded(stepId, step)) {",
    replace: 'if (stepId === "") {',
    tests: bad,
  },
  {
    name: "a plan takes the name of a person's service",
    file: "src/plugins/validate-plan.ts",
    find: "taken.includes(name) && name !== service",
    replace: "taken.includes(name) && name === service",
    tests: bad,
  },
  {
    name: "a plan of any size is looked at",
    file: "src/plugins/validate-plan.ts",
    find: "steps.length > mostSteps || size > longestPlan",
    replace: "steps.length > 1e9",
    tests: bad,
  },
  {
    name: "a plan is used whose service has changed",
    file: "src/manifest/planned.ts",
    find: "if (plans.fingerprint(writtenText(node)) !== written) {",
    replace: 'if (written === "") {',
    tests: planned,
  },
  {
    name: "a plan is used whose plugin is gone",
    file: "src/manifest/planned.ts",
    find: "if (outdated !== undefined) return",
    replace: 'if (outdated === "") return',
    tests: planned,
  },
  {
    name: "a plan replaces a service of the file",
    file: "src/manifest/planned.ts",
    find: "if (taken.length === 0) return undefined;",
    replace: "if (taken.length >= 0) return undefined;",
    tests: planned,
  },
  {
    name: "a person's file is written over",
    file: "src/plugins/planned-files.ts",
    find: "} else if (!known.includes(look.hash)) {",
    replace: '} else if (look.hash === "") {',
    tests: up,
  },
  {
    name: "a person's file is removed",
    file: "src/plugins/planned-files.ts",
    find: 'if (look.kind === "file" && hashes.includes(look.hash)) {',
    replace: 'if (look.kind === "file") {',
    tests: up,
  },
  {
    name: "a file is written through a link",
    file: "src/plugins/planned-files.ts",
    find: 'if (its.isSymbolicLink()) return { kind: "other", why: `${folder} is a symbolic link` };',
    replace: "if (its.isSymbolicLink()) continue;",
    tests: up,
  },
  {
    name: "what a plugin has not been granted is granted without a question",
    file: "src/cli/shared/plan-grants.ts",
    find: 'if (answer !== "yes") {',
    replace: 'if (question === "") {',
    tests: up,
  },
  {
    name: "a project's plugin runs without a question",
    file: "src/plugins/make-plans.ts",
    find: "if (await options.agree(plugin)) await detect",
    replace: "if (plugin.name !== undefined) await detect",
    tests: up,
  },
  {
    name: "a fault that passes removes a plan's files",
    file: "src/cli/shared/plugin-plans.ts",
    find: "const current = [...kept, ...fresh, ...stale];",
    replace: "const current = [...kept, ...fresh, ...stale.slice(0, 0)];",
    tests: up,
  },
];
