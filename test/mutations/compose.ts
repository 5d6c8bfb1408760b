/** Rules about compose files that `init` reads -> how each could be lost. */
import type { Fault } from "./fault.ts";

const convert = ["test/manifest/compose/convert.test.ts"];
const yaml = ["test/manifest/compose/yaml.test.ts"];
const any = ["test/manifest/compose/any-compose.test.ts"];

export const composeFiles: readonly Fault[] = [
  {
    name: "aliases of a compose file may repeat without an end",
    file: "src/manifest/compose/yaml.ts",
    find: "return this.#isRoomFor(anchored.size, offset) ? anchored.node : undefined;",
    replace: "return anchored.node;",
    tests: yaml,
  },
  {
    name: "a key that is twice in a compose file counts once",
    file: "src/manifest/compose/yaml.ts",
    find: "if (seen.has(name.text)) {",
    replace: 'if (seen.has(name.text) && name.text === "") {',
    tests: yaml,
  },
  {
    name: "a tag that nobody knows is ignored",
    file: "src/manifest/compose/yaml.ts",
    find: "if (tag !== undefined && own === undefined && !coreTag.test(tag)) {",
    replace: 'if (tag === "!" && own === undefined && !coreTag.test(tag)) {',
    tests: yaml,
  },
  {
    name: "a part without a counterpart is left out in silence",
    file: "src/manifest/compose/service.ts",
    find: "if (reader === undefined) none(key, entry);",
    replace: "if (reader === undefined) continue;",
    tests: convert,
  },
  {
    name: "a secret of .env is written to locald.toml",
    file: "src/manifest/compose/environment.ts",
    find: "else if (isItself(parts, key) && facts.dotenv.has(key))",
    replace: "else if (isItself(parts, key) && facts.dotenv.has(`${key}-`))",
    tests: convert,
  },
  {
    name: "dependencies of a compose file that only start are awaited to be ready",
    file: "src/manifest/compose/dependency.ts",
    find: 'service_started: "started",',
    replace: 'service_started: "ready",',
    tests: convert,
  },
  {
    name: "a service whose end is awaited is started again",
    file: "src/manifest/compose/service.ts",
    find: 'out.set("restart", "no");\n  return out;',
    replace: 'out.get("restart");\n  return out;',
    tests: convert,
  },
  {
    name: "a later file of compose is merged below the earlier one",
    file: "src/manifest/compose/load.ts",
    find: "if (its !== undefined) root = root === undefined ? its : mergedOver(root, its);",
    replace: "if (its !== undefined) root = root === undefined ? its : mergedOver(its, root);",
    tests: convert,
  },
  {
    name: "a name that TOML readers refuse is written",
    file: "src/manifest/compose/convert.ts",
    find: "!unsafeKeys.includes(written);",
    replace: 'written !== "";',
    tests: any,
  },
  {
    name: "two services of a compose file publish one port",
    file: "src/manifest/compose/publish.ts",
    find: "const owner = isTwice ? facts.name : facts.claim(port, facts.name);",
    replace: "const owner = isTwice ? facts.name : undefined;",
    tests: convert,
  },
  {
    name: "a compose file with errors is left out, and locald.toml written without it",
    file: "src/cli/projects/init.ts",
    find: "if (found === undefined) return 1;",
    replace: "if (found === undefined) return 0;",
    tests: ["test/cli/init.test.ts"],
    only: "is an error, and nothing is written",
  },
];
