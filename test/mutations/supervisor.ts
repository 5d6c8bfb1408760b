/** Faults in what is wanted of a service, and in what becomes of its process. */
import type { Fault } from "./fault.ts";

export const supervised: readonly Fault[] = [
  {
    name: "a file that changes starts again what was stopped",
    file: "src/supervisor/project/unit.ts",
    find: 'return unit.wish.state === "given" && isUp(unit);',
    replace: "return isUp(unit);",
    tests: ["test/supervisor/asked.test.ts"],
  },
  {
    name: "one that was stopped and dozes again keeps its process",
    file: "src/supervisor/project/wishes.ts",
    find: '    "up-lazy": { next: "dozing", action: "end" },\n    restart:',
    replace: '    "up-lazy": { next: "dozing" },\n    restart:',
    tests: ["test/supervisor/wishes.test.ts", "test/supervisor/asked.test.ts"],
  },
  {
    name: "a dependency that ended by itself is not started with its dependent",
    file: "src/supervisor/project/wishes.ts",
    find: '    dependent: { next: "due", process: ["rested"] },\n',
    replace: "",
    tests: ["test/supervisor/asked.test.ts"],
  },
  {
    name: "up does not mend a lazy service that was refused",
    file: "src/supervisor/project/wishes.ts",
    find: '    up: { next: "due" },\n    "up-lazy": { next: "dozing", action: "end" },\n    stop:',
    replace: '    up: { next: "due" },\n    stop:',
    tests: ["test/supervisor/project.test.ts"],
  },
  {
    name: "a request while the daemon ends keeps a process",
    file: "src/supervisor/project/restarts.ts",
    find: "if (unit.wish !== wish && !this.isLast) return;",
    replace: "if (unit.wish !== wish) return;",
    tests: ["test/supervisor/asked.test.ts"],
  },
  {
    name: "a restart that somebody has overtaken starts what is still being ended",
    file: "src/supervisor/project/restarts.ts",
    find: 'if (unit.wish === wish) this.#units.ask(unit, "ended", because);',
    replace: 'this.#units.ask(unit, "ended", because);',
    tests: ["test/supervisor/asked.test.ts"],
  },
  {
    name: "a process that is being ended is watched as one that runs",
    file: "src/supervisor/service/lifecycle.ts",
    find: "    if (life.isOver) return;\n    watchLife(",
    replace: "    watchLife(",
    tests: ["test/supervisor/lifecycle.test.ts"],
  },
  {
    name: "what is known of a process that has ended is shown of its service",
    file: "src/supervisor/service/lifecycle.ts",
    find: "this.#life?.isAlive ? this.#life : undefined",
    replace: "this.#life",
    tests: ["test/supervisor/lifecycle.test.ts"],
  },
  {
    name: "a check that was asked of a former life counts for the next",
    file: "src/supervisor/service/readiness.ts",
    find: "      if (life.isOver) return;\n      const { phase }",
    replace: "      const { phase }",
    tests: ["test/supervisor/lifecycle.test.ts"],
  },
  {
    name: "a command is carried out before the daemon of before has let go",
    file: "src/supervisor/all-projects.ts",
    find: "  async ids(): Promise<readonly string[]> {\n    await this.#recovered.promise;\n",
    replace: "  async ids(): Promise<readonly string[]> {\n",
    tests: ["test/supervisor/all-projects.test.ts"],
  },
  {
    name: "a folder that somebody named in vain is kept in memory",
    file: "src/supervisor/project/folders.ts",
    find: "      if (folder.isBlank) this.#all.delete(directory);\n",
    replace: "",
    tests: ["test/supervisor/folders.test.ts"],
  },
  {
    name: "a word means another project's service before the one here",
    file: "src/routes/named.ts",
    find: "  if (here.length > 0) return named(here);\n",
    replace: "",
    tests: ["test/routes/named.test.ts"],
  },
  {
    name: "a file that changes while it is read for the first time stays as it was read",
    file: "src/supervisor/project/folder.ts",
    find: '      const unknown = paths.filter((path) => !before.has(path));\n      if (unknown.length === 0 || left <= 0) {\n        return { read, files: new Map(paths.map((path) => [path, before.get(path) ?? ""])) };\n      }\n      before = fingerprintsOf(paths);',
    replace:
      "      if (left > 0) return { read, files: fingerprintsOf(paths) };\n      before = new Map();",
    tests: ["test/supervisor/folder.test.ts"],
  },
  {
    name: "a change counts as looked at as soon as it is reported",
    file: "src/supervisor/project/watch-files.ts",
    find: "      this.#reported.set(path, { fingerprint, time });\n      this.#news",
    replace:
      "      this.#known.set(path, fingerprint);\n      this.#reported.set(path, { fingerprint, time });\n      this.#news",
    tests: ["test/supervisor/watch-files.test.ts", "test/supervisor/folder.test.ts"],
  },
  {
    name: "a look that fails is not repeated",
    file: "src/supervisor/project/folder.ts",
    find: "        this.#lookAfter(failedPeriod);",
    replace: "",
    tests: ["test/supervisor/folder.test.ts"],
  },
];
