/** Faults in what becomes of layers, variables and processes of buildpacks, and in what survives a build. */
import type { Fault } from "./fault.ts";

const folder = "src/build/buildpacks";
const restoring = ["test/build/buildpacks/layers.test.ts"];
const environment = ["test/build/buildpacks/environment.test.ts"];
const launching = ["test/build/buildpacks/launch.test.ts"];
const incremental = ["test/build/buildpacks/incremental.test.ts"];
const killed = ["test/build/buildpacks/killed.test.ts"];

export const layers: readonly Fault[] = [
  {
    name: "metadata of a launch layer for builds comes back without its content",
    file: `${folder}/restore.ts`,
    find: "!(launch && !build)",
    replace: "!launch",
    tests: restoring,
  },
  {
    name: "content of a launch layer comes back without a cache",
    file: `${folder}/restore.ts`,
    find: "const isCached = cache && files.includes(name);",
    replace: "const isCached = (cache || launch) && files.includes(name);",
    tests: restoring,
  },
  {
    name: "a restored layer has the types of the last build",
    file: `${folder}/restore.ts`,
    find: "withoutTypes(read.text)",
    replace: "(withoutTypes(read.text), read.text)",
    tests: restoring,
  },
  {
    name: "a launch layer without content is left out without a word",
    file: `${folder}/export-layers.ts`,
    find: 'return { kind: "failed", why };',
    replace: "continue;",
    tests: restoring,
  },
  {
    name: "an append has no delimiter",
    file: `${folder}/layer-environment.ts`,
    find: "`${before}${between}${content}`",
    replace: "`${before}${content}`",
    tests: environment,
  },
  {
    name: "a default takes the place of what is set",
    file: `${folder}/layer-environment.ts`,
    find: 'before === "" ? content : before',
    replace: "content",
    tests: environment,
  },
  {
    name: "layers of one buildpack are in the order in which they are put in front",
    file: `${folder}/layer-environment.ts`,
    find: "layers.toReversed()",
    replace: "layers",
    tests: environment,
  },
  {
    name: "a buildpack sets HOME",
    file: `${folder}/build-group.ts`,
    find: "if (HOME !== undefined) env.HOME = HOME;",
    replace: "",
    tests: environment,
  },
  {
    name: "a person's secrets stay in the platform's folder",
    file: `${folder}/build-app.ts`,
    find: 'for (const folder of ["platform", "scratch"])',
    replace: 'for (const folder of ["scratch"])',
    tests: environment,
  },
  {
    name: "a process that is no default takes over that it was the default",
    file: `${folder}/launch-toml.ts`,
    find: "else if (chosen === its.type) chosen = undefined;",
    replace: "",
    tests: launching,
  },
  {
    name: "a process runs by the path that the next build moves",
    file: `${folder}/launch.ts`,
    find: "text.replaceAll(`${place}/at/`, `${here}/`)",
    replace: "text.replaceAll(`${place}/at/`, `${place}/at/`)",
    tests: launching,
  },
  {
    name: "the folder of a running process is built in",
    file: `${folder}/generations.ts`,
    find: "others.filter((_, index) => !held[index])",
    replace: "others.filter((_, index) => held[index] !== undefined)",
    tests: launching,
  },
  {
    name: "a file of the same size is the same file",
    file: `${folder}/app-files.ts`,
    find: "`${its.ino}:${its.size}:${its.mtimeNs}:${its.ctimeNs}`",
    replace: "`${its.ino}:${its.size}`",
    tests: incremental,
  },
  {
    name: "an app that changes while it is copied is taken for what it was",
    file: `${folder}/build-app.ts`,
    find: "if (after.fingerprint === its.fingerprint) {",
    replace: "if (after !== undefined) {",
    tests: incremental,
  },
  {
    name: "a buildpack that is being written is taken for the one before",
    file: `${folder}/build-app.ts`,
    find: "its.push([id, version, directory, fingerprint]);",
    replace: "its.push([id, version, directory, fingerprint.length]);",
    tests: incremental,
  },
  {
    name: "a buildpack of a killed build goes on in the folder of the next",
    file: `${folder}/build-app.ts`,
    find: "if (unfinished(place, last?.generation)) {",
    replace: "if (place === app) {",
    tests: killed,
  },
  {
    name: "after a build that failed, its folder is where at leads",
    file: `${folder}/generations.ts`,
    find: "  else await point(place, last);\n  await removeTree",
    replace: "  await removeTree",
    tests: [...restoring, ...killed],
  },
  {
    name: "a layer without a type stays where the buildpacks behind find it",
    file: `${folder}/build-group.ts`,
    find: "await rename(join(folder, name), hidden);",
    replace: "",
    tests: restoring,
  },
  {
    name: "variables of a build that was killed stay",
    file: `${folder}/generations.ts`,
    find: "await giveUp(place, { next: killed, last });",
    replace: "if (last !== undefined) await point(place, last);",
    tests: killed,
  },
  {
    name: "our own folders are a part of the app where a link leads to them",
    file: `${folder}/app-files.ts`,
    find: "if (ours.has(identityOf(its))) continue;",
    replace: "if (without.includes(whole)) continue;",
    tests: incremental,
  },
  {
    name: "a variable is written outside of its folder",
    file: `${folder}/build-app.ts`,
    find: "if (!isFileName(name)) continue;",
    replace: "",
    tests: incremental,
  },
  {
    name: "a folder that is missing is an empty app",
    file: `${folder}/build-app.ts`,
    find: "if (none !== undefined) return",
    replace: "if (none === app) return",
    tests: incremental,
  },
  {
    name: "what a command of a killed build has started goes on beside the next one",
    file: "src/build/command-build.ts",
    find: "await endOrphans({ variable: buildVariables.place, begins: `${place}/` });",
    replace: "",
    tests: ["test/programs/build-service.test.ts"],
  },
  {
    name: "an inline script keeps the line ends of Windows",
    file: "src/manifest/project-descriptor.ts",
    find: '?.replaceAll("\\r\\n", "\\n")',
    replace: "",
    tests: ["test/manifest/project-descriptor.test.ts"],
  },
];
