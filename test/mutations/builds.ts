/** Faults in builds beside the processes of their services. */
import type { Fault } from "./fault.ts";

const service = "src/supervisor/service";

export const builds: readonly Fault[] = [
  {
    name: "a process makes way for a build that failed",
    file: `${service}/swap-states.ts`,
    find: 'unbuilt: { next: "stale", action: "tell" },',
    replace: 'unbuilt: { next: "built", action: "swap" },',
    tests: ["test/supervisor/swap-states.test.ts", "test/supervisor/built-lifecycle.test.ts"],
  },
  {
    name: "a process begins with a build that is outdated",
    file: `${service}/swap-states.ts`,
    find: "  kept: { change: idle,",
    replace: "  kept: {",
    tests: ["test/supervisor/built-lifecycle.test.ts"],
    only: "between a build and the process",
  },
  {
    name: "a process that a person starts again is not built",
    file: `${service}/built-lifecycle.ts`,
    find: 'const isBuilt = this.#phase === "kept" || this.#phase === "built";',
    replace: "const isBuilt = true;",
    tests: ["test/supervisor/built-lifecycle.test.ts"],
  },
  {
    name: "a process builds what was built beside it",
    file: `${service}/built-lifecycle.ts`,
    find: "    if (isBuilt) return { ...others, isBuilt: true };\n",
    replace: "",
    tests: ["test/supervisor/built-lifecycle.test.ts"],
    only: "a change builds beside",
  },
  {
    name: "a build goes on beside a process that builds by itself",
    file: `${service}/swap-states.ts`,
    find: "    ...{ begun: drop, way: drop, stop: drop },",
    replace: "    ...{ begun: idle, way: idle, stop: drop },",
    tests: ["test/supervisor/swap-states.test.ts"],
  },
  {
    name: "a build that another daemon was at is lost",
    file: `${service}/built-lifecycle.ts`,
    find: 'if (todo === "anew") halted.change = why',
    replace: "if (todo === undefined) halted.change = why",
    tests: ["test/supervisor/built-lifecycle.test.ts"],
  },
  {
    name: "the next daemon does not begin a build again",
    file: `${service}/built-lifecycle.ts`,
    find: 'if (build?.todo === "anew") this.#change(',
    replace: 'if (build?.todo === "nothing") this.#change(',
    tests: ["test/supervisor/built-lifecycle.test.ts"],
    only: "the next daemon begins the build again",
  },
  {
    name: "a service whose first build failed is not started when something changes",
    file: `${service}/built-lifecycle.ts`,
    find: 'if (state !== "failed" || this.isBuilding || this.#request === undefined) {',
    replace: "if (state !== undefined) {",
    tests: ["test/supervisor/built-lifecycle.test.ts"],
    only: "whose first build has failed",
  },
  {
    name: "a build begins again for ever because of what it writes",
    file: `${service}/build-writes.ts`,
    find: "    if (builds < enoughBuilds) return true;\n",
    replace: "    if (builds > 0) return true;\n",
    tests: ["test/supervisor/build-writes.test.ts"],
  },
  {
    name: "a file that a person edits while it is built counts as the build's",
    file: `${service}/build-writes.ts`,
    find: "(isNext && before.hash === hash)",
    replace: "isNext",
    tests: ["test/supervisor/build-writes.test.ts"],
  },
  {
    name: "a file of the build's stays its own, whoever writes it",
    file: `${service}/build-writes.ts`,
    find: "        this.#own.delete(path);\n",
    replace: "",
    tests: ["test/supervisor/build-writes.test.ts"],
  },
  {
    name: "what was built is run without those that restart with it",
    file: "src/supervisor/project/starting.ts",
    find: 'this.#renew(unit, because ?? "it was built again");',
    replace: "unit.service.restart(this.#request(unit, undefined));",
    tests: ["test/supervisor/built-project.test.ts"],
  },
  {
    name: "a process that waits before it makes way does not hear of changes",
    file: "src/supervisor/project/project.ts",
    find: "(makesWay && service !== undefined && isSwapped(service.spec))",
    replace: "(makesWay && service === undefined)",
    tests: ["test/supervisor/built-project.test.ts"],
  },
  {
    name: "up does not wait for a build",
    file: "src/supervisor/project/boot.ts",
    find: "if (its.builds && unit.service?.isBuilding) {",
    replace: "if (its.builds && unit.service === undefined) {",
    tests: ["test/supervisor/built-project.test.ts"],
  },
];
