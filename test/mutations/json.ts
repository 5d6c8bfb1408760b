/** Guards of the JSON on stdout and in the API -> how each could be lost. */
import type { Fault } from "./fault.ts";

export const json: readonly Fault[] = [
  {
    name: "an error follows an answer, and neither can be read",
    file: "src/cli/shared/json-output.ts",
    find: "    if (answered && !json.lines) return;\n",
    replace: "",
    tests: ["test/cli/json-output.test.ts"],
  },
  {
    name: "a stream that fails ends without a word",
    file: "src/cli/shared/json-output.ts",
    find: "if (answered && !json.lines) return;",
    replace: "if (answered) return;",
    tests: ["test/cli/json-output.test.ts"],
  },
  {
    name: "an answer moves the cursor of a terminal",
    file: "src/text/json-text.ts",
    find: ".replace(unsafe, escaped)",
    replace: "",
    tests: ["test/cli/json-output.test.ts"],
  },
  {
    name: "colors of a terminal are in the JSON",
    file: "src/cli/shared/json-output.ts",
    find: "    colors: noColors,\n    columns: () => undefined,\n",
    replace: "",
    tests: ["test/cli/json-output.test.ts"],
  },
  {
    name: "--json of another program is taken for ours",
    file: "src/cli/shared/json-output.ts",
    find: "argv.slice(0, end === -1 ? argv.length : end)",
    replace: "argv",
    tests: ["test/cli/json-output.test.ts"],
  },
  {
    name: "a signal leaves stdout empty",
    file: "src/cli/shared/json-output.ts",
    find: '        if (code !== 0) finish({ code: "interrupted" });\n',
    replace: "",
    tests: ["test/cli/json-output.test.ts"],
  },
  {
    name: "a time that is none ends the command",
    file: "src/routes/json-form.ts",
    find: "!(Math.abs(time) <= farthest)",
    replace: "Math.abs(time) > farthest",
    tests: ["test/routes/json-form.test.ts"],
  },
  {
    name: "the program's name is taken for a command that helps",
    file: "src/text/hint.ts",
    find: "(?<=: |\\b(?:run|use|try) )",
    replace: "",
    tests: ["test/text/hint.test.ts"],
  },
  {
    name: "a start that failed is a success of api",
    file: "src/cli/daemon/api.ts",
    find: ' || Object.hasOwn(reply, "Error")',
    replace: "",
    tests: ["test/cli/json.test.ts"],
  },
  {
    name: "a command line of another program is what to do",
    file: "src/text/hint.ts",
    find: "NAME=[\\w.-]+ bun dev)",
    replace: "NAME=[^;,\\n)]+)",
    tests: ["test/text/hint.test.ts"],
  },
  {
    name: "a start that failed ends with another kind of error than all else by HTTP",
    file: "src/control/http/sse.ts",
    find: "JSON.stringify(inOurWords(value))",
    replace: "JSON.stringify(value)",
    tests: ["test/control/line-stream.test.ts"],
  },
];
