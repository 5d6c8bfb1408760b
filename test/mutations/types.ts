/** Guards of service types and of what services give to each other -> how each could be lost. */
import type { Fault } from "./fault.ts";

const types = "test/manifest/types";
const own = ["test/supervisor/own-values.test.ts"];
const offered = ["test/supervisor/offered.test.ts"];
const gifts = ["test/manifest/gifts.test.ts"];

export const typed: readonly Fault[] = [
  {
    name: "a key of an unknown type refuses the project",
    file: "src/manifest/read/read-manifest.ts",
    find: 'table !== "services" || !foreign.has(String(name))',
    replace: 'table !== "services" || foreign.size >= 0',
    tests: [`${types}/unknown.test.ts`],
  },
  {
    name: "a service of an unknown type is read like one of exec",
    file: "src/manifest/read/service.ts",
    find: 'if (type === "unknown") return notUnderstood(',
    replace: 'if (type === "task") return notUnderstood(',
    tests: [`${types}/unknown.test.ts`],
  },
  {
    name: "a service that cannot be started is",
    file: "src/supervisor/project/starting.ts",
    find: "if (unit.spec.unusable !== undefined) {",
    replace: "if (unit.spec.unusable === '') {",
    tests: ["test/supervisor/unusable.test.ts"],
  },
  {
    name: "a file that an editor has emptied is a project without services",
    file: "src/manifest/read/read-manifest.ts",
    find: "own.entries.size === 0 ? mistakes : reading.warnings",
    replace: "own.entries.size < 0 ? mistakes : reading.warnings",
    tests: ["test/manifest/read-manifest.test.ts"],
  },
  {
    name: "files without services end what runs",
    file: "src/supervisor/project/folder.ts",
    find: "if (up === undefined && project?.isActive && read.project.services.length === 0) {",
    replace: "if (up !== undefined && project?.isActive && read.project.services.length === 0) {",
    tests: ["test/supervisor/folder.test.ts"],
  },
  {
    name: "a key of another type is ignored",
    file: "src/manifest/read/own.ts",
    find: 'if (node === undefined || node.kind === "bad" || types.includes(type)) continue;',
    replace: 'if (node === undefined || node.kind !== "bad" || types.includes(type)) continue;',
    tests: [`${types}/container.test.ts`],
  },
  {
    name: "a port inside a container is one of this machine",
    file: "src/manifest/read/service.ts",
    find: 'const isInside = ownSpec?.kind === "container" && !table.entries.has("container_port");',
    replace: 'const isInside = ownSpec?.kind === "site" && !table.entries.has("container_port");',
    tests: [`${types}/container.test.ts`],
  },
  {
    name: "a linked worktree takes the further ports of the main checkout",
    file: "src/manifest/types/container.ts",
    find: 'return [holds("ports") ? its : { ...its, outside: undefined }];',
    replace: 'return [has("ports") ? its : { ...its, outside: undefined }];',
    tests: [`${types}/container.test.ts`],
  },
  {
    name: "a site's fallback leads out of its folder",
    file: "src/manifest/types/site.ts",
    find: 'spa.split("/").includes("..")',
    replace: 'spa.split("/").includes("...")',
    tests: [`${types}/site.test.ts`],
  },
  {
    name: "a setting is two lines of a file",
    file: "src/manifest/types/postgres.ts",
    find: "!/[\\0\\r\\n]/.test(value)",
    replace: "!/[\\0\\r]/.test(value)",
    tests: [`${types}/postgres.test.ts`],
  },
  {
    name: "a reference to what a service does not give is no error",
    file: "src/manifest/read/reachable.ts",
    find: "return fields.includes(field)",
    replace: "return fields.length > 0",
    tests: gifts,
  },
  {
    name: "a password in a command is not told of",
    file: "src/manifest/read/reachable.ts",
    find: 'if (!giftFields[type].includes("password")) return false;',
    replace: 'if (giftFields[type].includes("password")) return false;',
    tests: gifts,
  },
  {
    name: "a variable that a dependency gives is not set",
    file: "src/manifest/read/references.ts",
    find: "if (offered.has(part.name) || !isUnset(part, { env, key, reading })) continue;",
    replace: "if (offered.size < 0 || !isUnset(part, { env, key, reading })) continue;",
    tests: gifts,
  },
  {
    name: "the last of two databases is the one that is meant",
    file: "src/supervisor/project/unit.ts",
    find: ".map((name) => giftOf(name)?.variables ?? {})\n        .reverse(),",
    replace: ".map((name) => giftOf(name)?.variables ?? {}),",
    tests: offered,
  },
  {
    name: "every verb waits for the library that reads files",
    file: "src/cli/projects/file-grammar.ts",
    find: 'import type { AddFlags } from "./new-service.ts";',
    replace:
      'import "../../manifest/schema.ts";\nimport type { AddFlags } from "./new-service.ts";',
    tests: ["test/cli/grammar-loads.test.ts"],
  },
  {
    name: "a database behind a migration gives nothing",
    file: "src/supervisor/project/unit.ts",
    find: "...nearestFirst(graphOf(project.services), spec.dependsOn)",
    replace: "...nearestFirst(new Map(), spec.dependsOn)",
    tests: offered,
  },
  {
    name: "a database's variables beat those of the file",
    file: "src/supervisor/project/unit.ts",
    find: "env: { ...offered, ...env }",
    replace: "env: { ...env, ...offered }",
    tests: offered,
  },
  {
    name: "a moved project builds in the folder where it was",
    file: "src/supervisor/project/moved-spec.ts",
    find: "build: build && { ...build, context: moved(build.context) },",
    replace: "build: build && { ...build, context: build.context },",
    tests: own,
  },
  {
    name: "a database that crashes after an upgrade is started by the program of the former version",
    file: "src/supervisor/project/units.ts",
    find: "...(needsRestart(spec, filled.spec) ? {} : { env })",
    replace: "...(needsRestart(spec, filled.spec) ? {} : {})",
    tests: own,
  },
  {
    name: "a database whose port another program has taken is started at that port for ever",
    file: "src/supervisor/project/starting.ts",
    find: "isOutdated(unit.service.spec, filled.spec)",
    replace: "isOutdated(filled.spec, filled.spec)",
    tests: ["test/supervisor/container-life.test.ts"],
  },
  {
    name: "an upgrade restarts every database",
    file: "src/supervisor/project/unit.ts",
    find: "return { ...rest, env };",
    replace: "return { ...rest, env: rest.env };",
    tests: own,
  },
  {
    name: "a branch mounts another folder unseen",
    file: "src/supervisor/project/code.ts",
    find: 'its.kind === "bind" ? { ...its, source: from(its.source) } : its,',
    replace: 'its.kind === "bind" ? { target: its.target } : its,',
    tests: own,
  },
];
