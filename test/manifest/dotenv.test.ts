import { expect, test } from "bun:test";
import { readDotenv } from "../../src/manifest/dotenv.ts";

function values(text: string): Record<string, string> {
  return Object.fromEntries(readDotenv(text).variables.map(({ name, value }) => [name, value]));
}

const lines: [text: string, meant: Record<string, string>][] = [
  ["A=1", { A: "1" }],
  ["  export A = 1  \r\nB=2\r\n", { A: "1", B: "2" }],
  ["\uFEFFA=1", { A: "1" }],
  ["# A=1\n\n  # more\nB=2 # why\nC=a#b\nD=#\n", { B: "2", C: "a#b", D: "" }],
  ["A=\nB=''\nC=\"\"\n", { A: "", B: "", C: "" }],
  ["A='a $x ${B} \\n #'", { A: "a $x $${B} \\n #" }],
  ['A="a\\n\\t\\"b\\" \\\\ \\q #" # c', { A: 'a\n\t"b" \\ \\q #' }],
  ["A=\"one\ntwo\"\nB='three\nfour'\nC=5", { A: "one\ntwo", B: "three\nfour", C: "5" }],
  ["A=1\nA=2", { A: "2" }],
  ['A=/x\nB=${A}/y\nC="${B}/z"', { A: "/x", B: "/x/y", C: "/x/y/z" }],
  ["A=${HOME}/x", { A: "${env.HOME:-}/x" }],
  ['A="\\${HOME}"', { A: "$${HOME}" }],
  ["A=pa$$word$\nB=$A", { A: "pa$$word$", B: "$A" }],
  ["A='$'\nB=\"${A}{HOME}\"", { A: "$", B: "$${HOME}" }],
  ["A=$${HOME}", { A: "$$${env.HOME:-}" }],
  ["A=${services.db.port}", { A: "$${services.db.port}" }],
];

for (const [text, meant] of lines) {
  test(`${JSON.stringify(text)} is read`, () => {
    expect(readDotenv(text).mistakes).toEqual([]);
    expect(values(text)).toEqual(meant);
  });
}

test("a line keeps its number, whatever stands before it", () => {
  expect(readDotenv('# x\nA="1\n2"\n\nB=3\n').variables.map(({ line }) => line)).toEqual([2, 5]);
});

test("errors are reported with their lines, and without what may be secret", () => {
  expect(readDotenv('secret\nA=\'open\nB=1\n1C=2\nD="x"y\n').mistakes).toEqual([
    { line: 1, what: "expected NAME=value" },
    { line: 2, what: "A: the closing ' is missing" },
    { line: 4, what: "expected NAME=value" },
    { line: 5, what: 'D: unexpected text after the closing "' },
  ]);
});
