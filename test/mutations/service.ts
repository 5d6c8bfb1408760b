/** Guards of what brings the daemon up after a reboot -> how each could be lost. */
import type { Fault } from "./fault.ts";

const service = ["test/cli/service.test.ts"];
const manager = ["test/cli/manager.test.ts"];
const identity = ["test/supervisor/family-identity.test.ts"];
const stable = ["test/boot/stable-program.test.ts"];

export const serviceFaults: readonly Fault[] = [
  {
    name: "systemd is not told who has taken over",
    file: "src/cli/daemon/manager.ts",
    find: "if (isSame) this.#notify(",
    replace: "if (!isSame) this.#notify(",
    tests: manager,
  },
  {
    name: "a daemon that has replaced one without its help is not the unit's",
    file: "src/cli/daemon/manager.ts",
    find: "isHanded || predecessor === undefined ? []",
    replace: "isHanded || predecessor !== undefined ? []",
    tests: manager,
  },
  {
    name: "a process of the unit stays in it, though its daemon is elsewhere",
    file: "src/boot/started-by.ts",
    find: 'systemd: { "same unit": "keeps", elsewhere: "ends" },',
    replace: 'systemd: { "same unit": "keeps", elsewhere: "keeps" },',
    tests: manager,
  },
  {
    name: "the first process of a container ends between two daemons",
    file: "src/cli/daemon/minding.ts",
    find: "const patience = 6;",
    replace: "const patience = 2;",
    tests: manager,
  },
  {
    name: "a daemon that was killed ends the container as if it had been told to",
    file: "src/cli/daemon/minding.ts",
    find: "last = record === undefined ? exitCode.done : exitCode.failed;",
    replace: "last = exitCode.done;",
    tests: manager,
  },
  {
    name: "what a person has changed is written over",
    file: "src/cli/boot/owned-file.ts",
    find: 'if (having.kind === "edited" && !force) {',
    replace: 'if (having.kind === "edited" && force) {',
    tests: service,
  },
  {
    name: "what a person has changed is removed",
    file: "src/cli/boot/by-systemd.ts",
    find: 'if (having.kind === "edited" && !place.force) {',
    replace: 'if (having.kind === "edited" && place.force) {',
    tests: service,
  },
  {
    name: "a program in a cache is installed",
    file: "src/boot/stable-program.ts",
    find: "if (runnerOf(own) !== undefined) {",
    replace: 'if (own === "") {',
    tests: stable,
  },
  {
    name: "another program of our name in PATH is installed",
    file: "src/boot/stable-program.ts",
    find: "target === real(launcher) ||",
    replace: "target !== own ||",
    tests: stable,
  },
  {
    name: "the first process of a container ends what is nobody's",
    file: "src/supervisor/family/family.ts",
    find: ".filter((pid) => pid !== 1);",
    replace: ".filter((pid) => pid !== 0);",
    tests: identity,
  },
  {
    name: "children of Bun are reaped before Bun sees them",
    file: "src/system/left-zombies.ts",
    find: "if (now - since >= leftPatience) due.push(pid);",
    replace: "if (now - since >= 0) due.push(pid);",
    tests: identity,
  },
  {
    name: "the first process of a container becomes a program that only keeps its children",
    file: "src/supervisor/handing.ts",
    find: "if (!this.#isAlone && !stays) keep(line.descriptor);",
    replace: "if (!this.#isAlone) keep(line.descriptor);",
    tests: ["test/supervisor/handing.test.ts"],
  },
  {
    name: "uninstall asks a systemd that does not run",
    file: "src/cli/boot/service.ts",
    find: "withoutManager: isSystemd && !machine.hasSystemd",
    replace: "withoutManager: false",
    tests: service,
  },
  {
    name: "uninstall leaves folders that were made for our own",
    file: "src/cli/install/folder-pieces.ts",
    find: "await removeEmptyFolders(dirname(path), { below: home });",
    replace: "",
    tests: ["test/cli/install/uninstall.test.ts"],
  },
  {
    name: "folders are removed above the one that stays",
    file: "src/system/remove-empty-folders.ts",
    find: "at.startsWith(`${below}/`)",
    replace: 'at !== "/"',
    tests: ["test/system/remove-empty-folders.test.ts"],
  },
];
