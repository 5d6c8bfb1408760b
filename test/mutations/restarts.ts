/** Faults in what is asked before a service that runs is ended for another process in its place. */
import type { Fault } from "./fault.ts";

const project = "src/supervisor/project";

export const restarts: readonly Fault[] = [
  {
    name: "a restart ends a service before what it depends on is ready",
    file: `${project}/held-by.ts`,
    find: "  if (waits.length === 0) return undefined;\n",
    replace: "  return undefined;\n",
    tests: ["test/supervisor/restarts.test.ts"],
  },
  {
    name: "a restart ends a service whose folder is gone",
    file: `${project}/held-by.ts`,
    find: "if (!effects.isFolder(spec.workdir)) return",
    replace: "if (spec.workdir === undefined) return",
    tests: ["test/supervisor/restarts.test.ts"],
  },
  {
    name: "a restart ends a service whose new port another program holds",
    file: `${project}/held-by.ts`,
    find: "if (!own && !effects.isFree(port)) return",
    replace: "if (own && !effects.isFree(port)) return",
    tests: ["test/supervisor/restarts.test.ts"],
  },
  {
    name: "a restart waits for a service that restarts with it",
    file: `${project}/held-by.ts`,
    find: ".filter((its) => !going.has(its.unit.spec.name))",
    replace: "",
    tests: ["test/supervisor/restarts.test.ts", "test/supervisor/project.test.ts"],
  },
  {
    name: "a restart does not begin the dependencies that are missing",
    file: `${project}/restarts.ts`,
    find: 'for (const unit of asked) this.#options.begin(unit, event === "restart" ? "up" : "missed");\n',
    replace: "void asked;\n",
    tests: ["test/supervisor/restarts.test.ts"],
  },
  {
    name: "nobody looks again at what no event tells of",
    file: `${project}/restarts.ts`,
    find: "const look = (): void => void this.#go(new Set());",
    replace: "const look = (): void => {};",
    tests: ["test/supervisor/restarts.test.ts"],
  },
  {
    name: "a service that waits for its restart and is given up stays down",
    file: `${project}/restarts.ts`,
    find: '      this.#units.ask(unit, "ended", unit.wish.because);\n',
    replace: "",
    tests: ["test/supervisor/restarts.test.ts"],
  },
  {
    name: "a restart that waits for a check that never passes keeps who asked for ever",
    file: `${project}/boot.ts`,
    find: 'if (state === "unready" || anew) {',
    replace: 'if (state === "unready" && !anew) {',
    tests: ["test/supervisor/restarts.test.ts"],
  },
  {
    name: "a worker that did its work is waited for in vain",
    file: `${project}/unit.ts`,
    find: "return isReady(unit) || hasDone(unit) || isCompleted(unit);",
    replace: "return isReady(unit) || isCompleted(unit);",
    tests: ["test/supervisor/restarts.test.ts"],
  },
  {
    name: "a restart that is followed waits without end for a service that dozes meanwhile",
    file: `${project}/boot.ts`,
    find: 'if (unit.wish.state === "dozing" && !isUp(unit)) {',
    replace: 'if (unit.wish.state === "dozing" && isUp(unit)) {',
    tests: ["test/supervisor/between.test.ts"],
  },
];
