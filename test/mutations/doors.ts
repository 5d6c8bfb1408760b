/** Faults in how words are looked up, and in what the doors say. */
import type { Fault } from "./fault.ts";

export const doors: readonly Fault[] = [
  {
    name: "an empty word is the project of this folder",
    file: "src/cli/shared/lookup.ts",
    find: '  if (word === "") return found;',
    replace: "",
    tests: ["test/cli/lookup.test.ts"],
  },
  {
    name: "a plain name is another project's where this one was never up",
    file: "src/cli/shared/lookup.ts",
    find: "  if (declared !== undefined) return declared;",
    replace: "",
    tests: ["test/cli/lookup.test.ts"],
  },
  {
    name: "a name with a path is the folder above that path",
    file: "src/cli/shared/lookup.ts",
    find: "  return project === folder ? folder : undefined;",
    replace: "  return project;",
    tests: ["test/cli/lookup.test.ts"],
  },
  {
    name: "a slip in an address names another service",
    file: "src/routes/named.ts",
    find: "  const most = isUrl ? labels.length : 1;",
    replace: "  const most = labels.length;",
    tests: ["test/routes/named.test.ts"],
  },
  {
    name: "an exit that is long past explains a state",
    file: "src/routes/state-sentence.ts",
    find: ' || !explained.has(state) ? "" : ` (',
    replace: ' ? "" : ` (',
    tests: ["test/routes/state-sentence.test.ts"],
  },
  {
    name: "a service is started in a folder that is gone",
    file: "src/routes/state-sentence.ts",
    find: "  if (turn === undefined || its.isGone) return undefined;",
    replace: "  if (turn === undefined) return undefined;",
    tests: ["test/routes/state-sentence.test.ts"],
  },
  {
    name: "a plain name is a stranger's server before the project's own service",
    file: "src/cli/shared/reach.ts",
    find: '  if (own.kind === "rows") return withName(target, oneOf(word, own.rows, sight));\n',
    replace: "",
    tests: ["test/cli/reach.test.ts"],
  },
  {
    name: "a server elsewhere stands for a service that nobody has started",
    file: "src/cli/shared/reach.ts",
    find: '  if (found.kind === "declared") {\n    const other',
    replace: '  if (found.kind === "declared" && !isExact) {\n    const other',
    tests: ["test/cli/reach.test.ts"],
  },
  {
    name: "why keeps the proxy's own sentence to itself",
    file: "src/cli/servers/step-answers.ts",
    find: 'const said = answer.text === undefined ? "" :',
    replace: 'const said = answer.text !== undefined ? "" :',
    tests: ["test/cli/reach.test.ts"],
  },
  {
    name: "a mistyped name is not compared with services that are down",
    file: "src/routes/table.ts",
    find: "new Set([...table.names, ...table.known().filter(isProjects)])",
    replace: "new Set([...table.names, ...table.known().filter(isProjects).slice(0, 0)])",
    tests: ["test/cli/reach.test.ts"],
  },
  {
    name: "a server that may have any name is told beside the one that was meant",
    file: "src/routes/unusable.ts",
    find: "(sure.length > 0 ? sure : found)",
    replace: "found",
    tests: ["test/routes/unusable.test.ts"],
  },
  {
    name: "a declared name with a capital letter is not found by its address's letters",
    file: "src/routes/named.ts",
    find: "services.filter(({ name: own, instance }) =>",
    replace: "services.filter(({ instance, name: own }) => own === lower &&",
    tests: ["test/routes/named.test.ts"],
  },
];
