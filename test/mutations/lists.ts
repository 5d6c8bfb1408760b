/** Guards of lists, and of what is said of servers that no name leads to -> how each could be lost. */
import type { Fault } from "./fault.ts";

const unusable = ["test/discovery/unusable.test.ts"];
const rows = ["test/cli/rows.test.ts"];

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
    file: "src/discovery/procfs.ts",
    find: "return !/^[^\\s=]+=/.test(first);",
    replace: "return false;",
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
];
