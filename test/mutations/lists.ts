/** Guards of lists, and of what is said of servers that no name leads to -> how each could be lost. */
import type { Fault } from "./fault.ts";

const unusable = ["test/discovery/unusable.test.ts"];
const rows = ["test/cli/rows.test.ts"];
const usage = ["test/cli/usage.test.ts"];

export const lists: readonly Fault[] = [
  {
    name: "a command that another program has written is pasted without quotes",
    file: "src/text/short-command.ts",
    find: ".map(pastedWord)",
    replace: ".map(String)",
    tests: ["test/text/short-command.test.ts"],
  },
  {
    name: "a program's title is taken for its environment",
    file: "src/discovery/read-environment.ts",
    find: "(!beginsWithName(environment) || environment.includes(zeros))",
    replace: "false",
    tests: ["test/discovery/procfs.test.ts"],
  },
  {
    name: "a project's own service is listed as a server without a name",
    file: "src/discovery/unusable.ts",
    find: "if (given.has(port) || pids.some(",
    replace: "if (pids.some(",
    tests: unusable,
  },
  {
    name: "another daemon of ours is listed as a person's server",
    file: "src/discovery/unusable.ts",
    find: "process.command.includes(ownFile)) continue;",
    replace: "ownFile === process.command) continue;",
    tests: unusable,
  },
  {
    name: "a command that is suggested is that of another folder",
    file: "src/discovery/unusable.ts",
    find: "leader.cwd === process.cwd &&",
    replace: "leader.cwd !== undefined &&",
    tests: unusable,
  },
  {
    name: "a name is suggested that a server has",
    file: "src/discovery/unusable.ts",
    find: "for (let number = 2; taken.has(name); number++)",
    replace: 'for (let number = 2; name === ""; number++)',
    tests: unusable,
  },
  {
    name: "a narrow table shows half of an address",
    file: "src/cli/shared/table.ts",
    find: "if (column.below?.(row)) {",
    replace: 'if (column.title === "") {',
    tests: rows,
  },
  {
    name: "a line with wide characters is wider than the terminal",
    file: "src/cli/shared/table.ts",
    find: "width += Bun.stringWidth(characters[from - 1]!);",
    replace: "width += 1;",
    tests: rows,
  },
  {
    name: "help for a command that does not exist is the help of the program",
    file: "src/cli/typed-words.ts",
    find: "if (unknown !== undefined) return [...path, unknown];",
    replace: "if (unknown !== undefined) return ['--help'];",
    tests: usage,
    only: "lss",
  },
  {
    name: "a command that does not exist has a help",
    file: "src/cli/typed-words.ts",
    find: "return unknown === undefined ? withEnd(argv, first) : [...lead, ...path, unknown];",
    replace: "return [...argv];",
    tests: usage,
    only: "lss",
  },
  {
    name: "an error in a variable leads to the help of a command",
    file: "src/cli/shared/settings.ts",
    find: '{ isTyped: mistakes.some((its) => its.startsWith("--")) }',
    replace: "{ isTyped: true }",
    tests: usage,
    only: "bad variables",
  },
  {
    name: "Enter adds a command that was tried to a file",
    file: "src/cli/projects/try.ts",
    find: 'if (said === "" || /^no?$/i.test(said)) return;',
    replace: "if (/^no?$/i.test(said)) return;",
    tests: ["test/cli/project-verbs.test.ts"],
    only: "offers to keep",
  },
  {
    name: "another program's port is taken for the one that a service listens on",
    file: "src/cli/projects/elsewhere.ts",
    find: "pids.some((listener) => ancestry(listener, scan.processes).has(pid!))",
    replace: "pids.length > 0",
    tests: ["test/cli/elsewhere.test.ts"],
  },
  {
    name: "a service that listens on its port too is said to listen elsewhere",
    file: "src/cli/projects/elsewhere.ts",
    find: "if (first === undefined || ports.includes(own!)) return [];",
    replace: "if (first === undefined) return [];",
    tests: ["test/cli/elsewhere.test.ts"],
  },
  {
    name: "files of another user's server are read for a name",
    file: "src/cli/shared/hidden-server.ts",
    find: 'return fault.kind === "no name" && its?.uid === uid && its.cwd !== undefined;',
    replace: 'return fault.kind === "no name" && its?.cwd !== undefined;',
    tests: ["test/cli/hidden-server.test.ts"],
  },
  {
    name: "a title in the place of an environment gives a server the name of another user",
    file: "src/discovery/name-carrier.ts",
    find: "if (parent.uid !== at.uid && parent.uid !== 0) return process;",
    replace: "",
    tests: ["test/discovery/group.test.ts"],
  },
  {
    name: "a title sets a variable in a command that is to be pasted",
    file: "src/text/short-command.ts",
    find: 'if (command.split(" ", 1)[0]!.includes("=")) return undefined;',
    replace: "",
    tests: ["test/text/short-command.test.ts"],
  },
  {
    name: "the command that asks is told as the server, in a shell in which NAME is exported",
    file: "src/cli/shared/hidden-server.ts",
    find: "!ours.has(pid) && ",
    replace: "",
    tests: ["test/cli/hidden-server.test.ts"],
  },
];
