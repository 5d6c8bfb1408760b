/** Faults in which services are meant: by a name, a profile, a folder, a number, or a wait for them. */
import type { Fault } from "./fault.ts";

export const meant: readonly Fault[] = [
  {
    name: "a request that waits for an instance goes to another when it is read again",
    file: "src/proxy/client/current-destination.ts",
    find: "const wanted = again ? { ...asked, key: known?.key } : asked;",
    replace: "const wanted: Wanted = asked;",
    tests: ["test/proxy/instances.test.ts"],
  },
  {
    name: "all requests of a connection go to one instance",
    file: "src/proxy/client/current-destination.ts",
    find: "const isAlone = known !== undefined && known.ring === undefined;",
    replace: "const isAlone = known !== undefined;",
    tests: ["test/proxy/instances.test.ts"],
  },
  {
    name: "an instance that refuses the connection is the answer for them all",
    file: "src/proxy/client/current-destination.ts",
    find: "if (ring === undefined || this.#missed + 1 >= ring.all.length) return undefined;",
    replace: "if (ring !== undefined) return undefined;",
    tests: ["test/proxy/instances.test.ts"],
  },
  {
    name: "the address of one instance leads to all",
    file: "src/routes/decide.ts",
    find: "return group !== undefined && longest <= group.routeName.length ? group : undefined;",
    replace: "return group;",
    tests: ["test/proxy/instances.test.ts"],
  },
  {
    name: "a service that is called like an instance takes its place",
    file: "src/manifest/read/instances.ts",
    find: "if (names.has(name)) {",
    replace: "if (names.has(name) && name === spec.name) {",
    tests: ["test/manifest/instances.test.ts"],
  },
  {
    name: "a request wakes one of the instances that sleep",
    file: "src/supervisor/project/project.ts",
    find: "for (const its of this.#units.together(unit)) {",
    replace: "for (const its of [unit]) {",
    tests: ["test/supervisor/project.test.ts"],
  },
  {
    name: "a service of a profile that nobody asked for starts when it is added",
    file: "src/supervisor/project/project.ts",
    find: "const part = partOf(unit.spec, this.#units.profiles);\n      if (added",
    replace:
      "const part = partOf({ ...unit.spec, profiles: [] }, this.#units.profiles);\n      if (added",
    tests: ["test/supervisor/project.test.ts"],
  },
  {
    name: "the next daemon forgets the profiles that were asked for",
    file: "src/supervisor/project/project.ts",
    find: "    this.#whole = whole;\n    this.#units.profiles = new Set(profiles);\n",
    replace: "    this.#whole = whole;\n",
    tests: ["test/supervisor/project.test.ts"],
  },
  {
    name: "a service that failed without an exit code passes for a success",
    file: "src/cli/projects/awaited.ts",
    find: 'if (state !== "exited") return code || 1;',
    replace: 'if (state !== "exited") return code ?? 0;',
    tests: ["test/cli/awaited.test.ts"],
  },
  {
    name: "a migration that somebody stopped has completed",
    file: "src/cli/projects/awaited.ts",
    find: 'if (goal === "completed" && state === "stopped" && seen.ran) {',
    replace: 'if (goal === "completed" && state === "stopped" && !seen.ran) {',
    tests: ["test/cli/awaited.test.ts"],
  },
  {
    name: "a project that was never up shows the services of others as its own",
    file: "src/cli/shared/lookup.ts",
    find: "  return (known?.length ?? 0) > (declared?.length ?? 0) ? known : declared;",
    replace: "  return known;",
    tests: ["test/cli/here.test.ts"],
  },
];
