/** Faults in what falls between tasks, restarts, removals and instances. */
import type { Fault } from "./fault.ts";

const project = "src/supervisor/project";
const tests = ["test/supervisor/between.test.ts"];

export const between: readonly Fault[] = [
  {
    name: "the next daemon leaves down what ran without a dependency that was stopped",
    file: "src/supervisor/project/project.ts",
    find: 'for (const unit of this.#units.all()) if (isDue(unit)) this.#starting.begin(unit, "missed");',
    replace: "",
    tests: ["test/supervisor/project.test.ts"],
  },
  {
    name: "a task that was only looked at is not told to those who wait for it",
    file: `${project}/project.ts`,
    find: " || unit.toldWish !== unit.wish;",
    replace: ";",
    tests,
  },
  {
    name: "a start during an end does not look at dependencies again",
    file: `${project}/starting.ts`,
    find: ' || processOf(unit) === "ending") return;',
    replace: ") return;",
    tests,
  },
  {
    name: "a task that ends well before its restart ends it is not run again",
    file: `${project}/restarts.ts`,
    find: "if (isTask(unit)) this.#units.forgetRun(unit);",
    replace: "",
    tests,
  },
  {
    name: "a restart in a project of tasks alone runs none",
    file: `${project}/project.ts`,
    find: " && !all.every((unit) => isTask(unit)));",
    replace: ");",
    tests,
  },
  {
    name: "up answers with the reason for which a restart waited before",
    file: `${project}/project.ts`,
    find: "        unit.held = undefined;\n        renewing.push(name);\n",
    replace: "        renewing.push(name);\n",
    tests,
  },
  {
    name: "a service that is started again while it is removed stays",
    file: `${project}/project.ts`,
    find: "while (units.some((unit) => this.#units.has(unit) && isWanted(unit)));",
    replace: "while (false);",
    tests,
  },
  {
    name: "who waited for a stop finds services that are gone",
    file: `${project}/project.ts`,
    find: "      if (unit !== undefined) this.#changed(unit);\n",
    replace: "      this.#changed(unit!);\n",
    tests,
  },
  {
    name: "instances that are added to some are left out",
    file: `${project}/project.ts`,
    find: " || shared.has(sharedName(unit)))) {",
    replace: ")) {",
    tests,
  },
  {
    name: "instances that were added under another daemon are left out",
    file: `${project}/project.ts`,
    find: " || shared.has(sharedName(unit));",
    replace: ";",
    tests,
  },
  {
    name: "a service sleeps for ever that no request starts any more",
    file: `${project}/project.ts`,
    find: '} else if (unit.wish.state === "dozing" && !wakes',
    replace: '} else if (unit.wish.state === "dozing" && wakes',
    tests,
  },
  {
    name: "the next daemon leaves a task out for which a service waits",
    file: `${project}/project.ts`,
    find: "!this.#units.dependentsOf(unit.spec.name).some((other) => isWanted(other));",
    replace: "true;",
    tests,
  },
  {
    name: "hooks are no part of what a task is run from",
    file: `${project}/code.ts`,
    find: "? {} : { hooks };",
    replace: "? {} : {};",
    tests,
  },
  {
    name: "a stop falls between a process and its life",
    file: "src/supervisor/service/begin-life.ts",
    find: "  options.onLife(life);\n",
    replace: "  const its = life;\n  queueMicrotask(() => options.onLife(its));\n",
    tests,
  },
];
