/** Guards of projects in worktrees and clones -> how each could be lost: names, ports, copies, deletion. */
import type { Fault } from "./fault.ts";

const verbs = ["test/cli/worktree.test.ts"];
const names = ["test/supervisor/folder-names.test.ts"];

export const projectNames: readonly Fault[] = [
  {
    name: "a worktree's committed port is the main checkout's too",
    file: "src/manifest/read/service.ts",
    find: "if (port === undefined || !freesPorts || isOwn) return port;",
    replace: "if (port === undefined || freesPorts || isOwn) return port;",
    tests: ["test/manifest/naming.test.ts"],
  },
  {
    name: "a worktree's domain has no label in front",
    file: "src/manifest/read/naming.ts",
    find: "isLabelled ? `${naming.label}.${read.domain}`",
    replace: "isLabelled ? read.domain",
    tests: ["test/manifest/naming.test.ts"],
  },
  {
    name: "any worktree may have names under another repository's project",
    file: "src/supervisor/project/conflict.ts",
    find: "return label !== undefined && repository === outer.checkout?.repository;",
    replace: "return label !== undefined && repository !== outer.name;",
    tests: ["test/supervisor/conflict.test.ts"],
  },
  {
    name: "a project's domain takes the address of another's service",
    file: "src/supervisor/project/conflict.ts",
    find: "if (base === baseOf(its.domain, tlds) || !of.has(base)) continue;",
    replace: 'if (base !== "" || !of.has(base)) continue;',
    tests: ["test/supervisor/conflict.test.ts"],
  },
  {
    name: "two folders have one name, silently",
    file: "src/supervisor/project/folder.ts",
    find: "    if (holder !== undefined) return `${holder} has the name already`;",
    replace: "    if (holder === read.project.name) return `${holder} has the name already`;",
    tests: names,
  },
  {
    name: "a project is renamed while it is up, as its branch is",
    file: "src/supervisor/project/folder.ts",
    find: "const stays = this.project !== undefined && (up === undefined || this.project.isActive);",
    replace: "const stays = this.project !== undefined && up === undefined;",
    tests: names,
  },
  {
    name: "a worktree that lacks the project's folder counts as deleted",
    file: "src/supervisor/project/worktree-fate.ts",
    find: 'if (isThere || (where !== "gone" && where !== "replaced"))',
    replace: 'if (where !== "gone" && where !== "replaced")',
    tests: names,
  },
  {
    name: "a worktree whose parent was moved counts as deleted",
    file: "src/supervisor/project/worktree-fate.ts",
    find: 'folderIdentity(dirname(root)) !== "" || hasEnded ||',
    replace: 'folderIdentity(dirname(root)) === "" || hasEnded ||',
    tests: names,
  },
  {
    name: "services of a deleted worktree go on where another one is in its place",
    file: "src/supervisor/project/folder.ts",
    find: "project.spec.name === declared.spec.name && !anew)",
    replace: "project.spec.name === declared.spec.name)",
    tests: names,
  },
  {
    name: "a worktree that was moved counts as deleted",
    file: "src/supervisor/project/worktree-fate.ts",
    find: '    if (to !== undefined) return { kind: "moved", to };',
    replace: '    if (to === "") return { kind: "moved", to };',
    tests: names,
  },
  {
    name: "a copy is written through a link that leads out of the worktree",
    file: "src/cli/projects/copy-into.ts",
    find: "if (!(await isReallyInside(dirname(target), toRoot))) return leave(whys.outside);",
    replace: 'if (target === "") return leave(whys.outside);',
    tests: verbs,
  },
  {
    name: "a copy is read through a link that leads out of the repository",
    file: "src/cli/projects/copy-into.ts",
    find: "if (!(await isReallyInside(dirname(source), fromRoot))) return leave(whys.outside);",
    replace: 'if (source === "") return leave(whys.outside);',
    tests: verbs,
  },
  {
    name: "a worktree is removed with changes that no commit has",
    file: "src/cli/projects/worktree-remove.ts",
    find: "  if (changed.length > 0) {",
    replace: "  if (changed.length > 1_000) {",
    tests: verbs,
  },
  {
    name: "a worktree is removed with the only copy of a submodule's commits",
    file: "src/cli/projects/worktree-remove.ts",
    find: "  if (inModules.length > 0) {",
    replace: "  if (inModules.length > 1_000) {",
    tests: verbs,
  },
  {
    name: "a worktree is removed with another one in it",
    file: "src/cli/projects/worktree-remove.ts",
    find: "!isGone && root.startsWith(`${its.root}/`)",
    replace: "isGone && root.startsWith(`${its.root}/`)",
    tests: verbs,
  },
  {
    name: "a worktree is removed with a commit that no branch has",
    file: "src/cli/projects/worktree-remove.ts",
    find: 'if (held.code !== 0 || held.out.trim() === "") {',
    replace: "if (held.code !== 0) {",
    tests: verbs,
  },
];
