/** Guards of what is printed: for a terminal, for a page, to be pasted -> how each could be lost. */
import type { Fault } from "./fault.ts";

const words = ["test/text/shell-words.test.ts"];

export const shown: readonly Fault[] = [
  {
    name: "a quote in a path ends the quotes of a command that is to be pasted",
    file: "src/text/shell-words.ts",
    find: "`'${word.replaceAll(\"'\", `'\\\\''`)}'`",
    replace: "`'${word}'`",
    tests: words,
  },
  {
    name: "a command that is to be pasted has control characters in it",
    file: "src/text/shell-words.ts",
    find: "if (!unprintable.test(word)) return shellWord(word);",
    replace: 'if (!word.includes("\\0")) return shellWord(word);',
    tests: words,
  },
  {
    name: "within $'...' a backslash of the path is read as an escape",
    file: "src/text/shell-words.ts",
    find: `if (character === "'" || character === "\\\\")`,
    replace: `if (character === "'")`,
    tests: words,
  },
  {
    name: "a typographer's quote ends a string of PowerShell's",
    file: "src/text/shell-words.ts",
    find: "/['\\u2018\\u2019\\u201a\\u201b]/g",
    replace: "/'/g",
    tests: words,
  },
  {
    name: "a command for Windows has what PowerShell reads within double quotes",
    file: "src/tls/trust/windows.ts",
    find: "const both = !argv.some((word) => active.test(word));",
    replace: "const both = true;",
    tests: ["test/tls/trust/windows.test.ts"],
  },
  {
    name: "the sudo line of a strange state directory has its path unquoted",
    file: "src/system/state-directory.ts",
    find: "sudo chown -R ${uid} ${pastedWord(path)}",
    replace: "sudo chown -R ${uid} '${path}'",
    tests: words,
    needs: "another user",
  },
  {
    name: "the page of a service that is down shows its folder unquoted",
    file: "src/routes/pending.ts",
    find: "${pastedWord(directory)}",
    replace: "${directory}",
    tests: ["test/proxy/pasted.test.ts"],
  },
  {
    name: "escape sequences that other programs chose reach the terminal",
    file: "src/text/printable.ts",
    find: "return shown.replace(unsafe, escaped)",
    replace: 'return shown.replace(/\\n/g, "\\\\x0a")',
    tests: ["test/text/printable.test.ts"],
  },
  {
    name: "bidirectional overrides and zero widths are printed as they are",
    file: "src/text/unprintable.ts",
    find: "/[\\p{C}\\p{Zl}\\p{Zp}\\p{Default_Ignorable_Code_Point}]/u",
    replace: "/[\\p{Cc}]/u",
    tests: ["test/text/printable.test.ts"],
  },
  {
    name: "the name of a browser's folder reaches the terminal as it is",
    file: "src/cli/trust/outcomes.ts",
    find: "${printable(detail, longest)}",
    replace: "${detail}",
    tests: ["test/cli/outcomes.test.ts"],
  },
  {
    name: "a duration that is too long for a timer fires at once",
    file: "src/text/duration.ts",
    find: "  if (value > longest) {",
    replace: "  if (value > longest * 1e9) {",
    tests: ["test/text/duration.test.ts"],
  },
  {
    name: "a number without a unit is not seconds where it is text",
    file: "src/text/duration.ts",
    find: "if (number.test(written)) return Number(written) * second;",
    replace: "if (number.test(written)) return Number(written);",
    tests: ["test/text/duration.test.ts"],
  },
];
