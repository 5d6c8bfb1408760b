/** Faults in what a line of output is, and in who is at a service's terminal. */
import type { Fault } from "./fault.ts";

export const terminals: readonly Fault[] = [
  {
    name: "a row that is written again is a line with every frame",
    file: "src/supervisor/logs/terminal-screen.ts",
    find: "if (row.told === undefined && row.left === undefined && !restless) {",
    replace: "if (!restless) {",
    tests: ["test/supervisor/terminal-lines.test.ts"],
  },
  {
    name: "a row that cannot be written again any more is lost",
    file: "src/supervisor/logs/terminal-screen.ts",
    find: "    if (row.isOwed) this.#tellLeft(row, tell);\n  }\n\n  /** The cursor goes",
    replace: "  }\n\n  /** The cursor goes",
    tests: ["test/supervisor/terminal-lines.test.ts"],
  },
  {
    name: "a full-screen program's rows are lines",
    file: "src/supervisor/logs/terminal-screen.ts",
    find: "    if (this.#alternate) return;\n    const row = this.#rows[this.#at]!;\n    const restless",
    replace: "    const row = this.#rows[this.#at]!;\n    const restless",
    tests: ["test/supervisor/terminal-lines.test.ts"],
  },
  {
    name: "a sequence that is cut between two pieces is text",
    file: "src/supervisor/logs/terminal-screen.ts",
    find: "if (begun[0].length <= longestEscape) this.#cut = begun[0];",
    replace: "",
    tests: ["test/supervisor/terminal-lines.test.ts"],
  },
  {
    name: "a line without an end is shown while it changes",
    file: "src/supervisor/logs/output-lines.ts",
    find: "const stands = text === its.seen;",
    replace: "const stands = true;",
    tests: ["test/supervisor/log-store.test.ts"],
  },
  {
    name: "a pattern is looked for in what an animation has written over",
    file: "src/supervisor/service/ready-pattern.ts",
    find: "if (!this.#found) this.#lines.push(stream, bytes);",
    replace: "this.#look(decoder.decode(bytes));",
    tests: ["test/supervisor/lifecycle.test.ts"],
  },
  {
    name: "a terminal is as large as the largest of those attached",
    file: "src/supervisor/project/attachments.ts",
    find: "rows: Math.min(...sizes.map(({ rows }) => rows)),",
    replace: "rows: Math.max(...sizes.map(({ rows }) => rows)),",
    tests: ["test/supervisor/attachments.test.ts"],
  },
  {
    name: "who has left still types",
    file: "src/supervisor/project/attachments.ts",
    find: "if (!left) inputOf(id)?.write(bytes);",
    replace: "inputOf(id)?.write(bytes);",
    tests: ["test/supervisor/attachments.test.ts"],
  },
  {
    name: "the API's port has a route into terminals",
    file: "src/control/http/http.ts",
    find: 'commands.filter(({ streams }) => streams !== "both").map((its) => [its.path, its]),',
    replace: "commands.map((its) => [its.path, its]),",
    tests: ["test/control/http.test.ts"],
  },
  {
    name: "a service with pipes has no standard input",
    file: "src/supervisor/service/child.ts",
    find: '{ ...shared, stdin: "pipe", stdout: "pipe", stderr: "pipe" });\n  const { stdin } = process;',
    replace:
      '{ ...shared, stdin: "ignore", stdout: "pipe", stderr: "pipe" });\n  const stdin = { write() {}, flush() {}, end() {} };',
    tests: ["test/supervisor/child.test.ts"],
  },
  {
    name: "modes that a program has set stay in the person's terminal",
    file: "src/cli/projects/terminal-modes.ts",
    find: 'return `${ends.join("")}\\u001b[0m\\r\\n`;',
    replace: 'return "\\u001b[0m\\r\\n";',
    tests: ["test/cli/terminal-modes.test.ts"],
  },
];
