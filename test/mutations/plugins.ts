/** Faults in how plugins are fetched, bounded, and run. */
import type { Fault } from "./fault.ts";

export const pluginFaults: readonly Fault[] = [
  {
    name: "a plugin that was changed is run",
    file: "src/plugins/call.ts",
    find: "if (hash !== component.sha256) return",
    replace: 'if (hash === "") return',
    tests: ["test/plugins/call.test.ts"],
  },
  {
    name: "a project's plugin runs before anybody has agreed",
    file: "src/plugins/installed.ts",
    find: 'state: agreed === undefined ? "not agreed" : "ready"',
    replace: 'state: "ready"',
    tests: ["test/cli/plugins/verbs.test.ts"],
  },
  {
    name: "another plugin has what was granted to the one before",
    file: "src/cli/plugins/install.ts",
    find: "isSame ? before : undefined",
    replace: "before",
    tests: ["test/cli/plugins/verbs.test.ts"],
  },
  {
    name: "a plugin may import what it likes",
    file: "src/plugins/component.ts",
    find: "if (asked.length > 0) {",
    replace: "if (asked.length > 99) {",
    tests: ["test/plugins/hostile.test.ts"],
  },
  {
    name: "a memory without a maximum stays so",
    file: "src/plugins/bounded-module.ts",
    find: "...leb(Math.min(most ?? limit, limit))",
    replace: "...leb(most ?? 65_536)",
    tests: ["test/plugins/bounded-module.test.ts"],
  },
  {
    name: "a name may end a text of the JavaScript that is made of it",
    file: "src/plugins/wasm-reader.ts",
    find: "if (!safeName.test(name)) throw",
    replace: "if (name === undefined) throw",
    tests: ["test/plugins/bounded-module.test.ts"],
  },
  {
    name: "a child has our environment",
    file: "src/plugins/bounded-child.ts",
    find: '{ cwd: "/", env: {}, detached: true }',
    replace: '{ cwd: "/", detached: true }',
    tests: ["test/plugins/bounded-child.test.ts"],
  },
  {
    name: "a child may take what memory there is",
    file: "src/plugins/bounded-child.ts",
    find: "memory > limits.memory",
    replace: "memory < 0",
    tests: ["test/plugins/bounded-child.test.ts"],
  },
  {
    name: "a child may say as much as it likes",
    file: "src/plugins/bounded-child.ts",
    find: "if (size > most) return undefined;",
    replace: "if (size > 1e9) return undefined;",
    tests: ["test/plugins/bounded-child.test.ts"],
  },
  {
    name: "a file of a kept folder may be another one",
    file: "src/plugins/kept-folder.ts",
    find: "if (bytes === undefined || hashOf(bytes) !== hash) return undefined;",
    replace: "if (bytes === undefined) return undefined;",
    tests: ["test/plugins/kept-folder.test.ts"],
  },
  {
    name: "an address may lead to one without TLS",
    file: "src/cli/plugins/component-bytes.ts",
    find: "    checkAddress(url);\n",
    replace: "    if (redirects === 0) checkAddress(url);\n",
    tests: ["test/cli/plugins/verbs.test.ts"],
  },
];
