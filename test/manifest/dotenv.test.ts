import { expect, test } from "bun:test";
import { fill } from "../../src/manifest/fill.ts";
import type { EnvFile } from "../../src/manifest/read/options.ts";
import { directory, read } from "./manifest.ts";
import { fieldsOf } from "./fields-of.ts";

const shell = { HOME: "/home/ada", PATH: "/bin", EMPTY: "", LEVEL: "shell" };

type Files = Record<string, string>;

function readWith(files: Files, toml: string) {
  const envFiles = new Map(
    Object.entries(files).map(([name, text]): [string, EnvFile] => [
      `${directory}/${name}`,
      { kind: "text", text },
    ]),
  );
  return read(toml, { envFiles, shell, nameOf: (path) => path.slice(directory.length + 1) });
}

/** The variables that `web` gets, in the order of the file. */
function values(files: string | Files, toml = '[services]\nweb = "x"\n'): unknown {
  const its = readWith(typeof files === "string" ? { ".env": files } : files, toml);
  if (its.kind === "mistakes") return its.mistakes;
  const [spec] = its.project.services;
  const filled = fill(spec!, {
    project: { name: "shop", domain: "shop.localhost", directory },
    shell,
    given: { PORT: "4000" },
    fieldOf: (_name, field) => fieldsOf(5432)[field],
  });
  return filled.kind === "filled" ? filled.env : filled.mistakes;
}

function warnings(text: string): readonly string[] {
  const its = readWith({ ".env": text }, '[services]\nweb = "x"\n');
  return its.kind === "project" ? its.project.warnings : its.mistakes;
}

const lines: [text: string, meant: Record<string, string>][] = [
  ["A=1", { A: "1" }],
  ["  export A = 1  \r\nB=2\r\n", { A: "1", B: "2" }],
  ["A=1\rB=2\r\rC=3", { A: "1", B: "2", C: "3" }],
  ['A="one\rtwo\r\nthree"', { A: "one\ntwo\nthree" }],
  ["\uFEFFA=1", { A: "1" }],
  ["# A=1\n\n  # more\nB=2 # why\nC=a#b\nD=#\nE=  # none\n", { B: "2", C: "a#b", D: "", E: "" }],
  ["A=\nB=''\nC=\"\"\nD=``\n", { A: "", B: "", C: "", D: "" }],
  ["A: 1\nB: 'x y' # c\nURL: http://h:1/a=b", { A: "1", B: "x y", URL: "http://h:1/a=b" }],
  ["A=x=y=\nA.B=1\nC-D=2\n1E=3\nÄ=4", { A: "x=y=", "A.B": "1", "C-D": "2", "1E": "3", Ä: "4" }],
  ['A=it\'s "so"', { A: 'it\'s "so"' }],
  ["A=1\nB=2\nA=3", { B: "2", A: "3" }],
  // Quotes.
  ["A='a $LEVEL ${B} \\n # \\' $$'", { A: "a $LEVEL ${B} \\n # ' $$" }],
  ["A='C:\\'\nB=1", { A: "C:\\", B: "1" }],
  ['A="a\\n\\t\\"b\\" \\\\ \\q \\041 #" # c', { A: 'a\n\t"b" \\ \\q ! #' }],
  ["A=\"one\ntwo\"\nB='three\nfour'\nC=5", { A: "one\ntwo", B: "three\nfour", C: "5" }],
  ['A=`it\'s "$LEVEL"\n\\n` # c\nB=1', { A: 'it\'s "shell"\n\\n', B: "1" }],
  ["A=`open\nB=1", { A: "`open", B: "1" }],
  ['A="{\\"a\\": \\"${LEVEL}\\"}"', { A: '{"a": "shell"}' }],
  // Variables.
  ['A=/x\nB=${A}/y\nC="$B/z"', { A: "/x", B: "/x/y", C: "/x/y/z" }],
  ["PATH=/x:$PATH", { PATH: "/x:/bin" }],
  ["PATH=/x:$PATH\nPATH=/y:${PATH}", { PATH: "/y:/x:/bin" }],
  ["A=$LEVEL-$LEVEL.x${LEVEL}y", { A: "shell-shell.xshelly" }],
  ["A=$B\nB=later", { A: "", B: "later" }],
  ["A=${B}\nB=${C}\nC=${A}", { A: "", B: "", C: "" }],
  ["A=$NONE", { A: "" }],
  ["LEVEL=own\nA=$LEVEL", { LEVEL: "own", A: "own" }],
  // Literal dollars.
  ['A="\\${HOME} \\$HOME"\nB=\\$HOME', { A: "${HOME} $HOME", B: "$HOME" }],
  ["A=pa$$word$\nB=$A\nC=$5.00 $ $-", { A: "pa$word$", B: "pa$word$", C: "$5.00 $ $-" }],
  ["A='$'\nB=\"${A}{HOME}\"", { A: "$", B: "${HOME}" }],
  ["A=$${HOME}", { A: "${HOME}" }],
  ["A=${services.db.port} ${ ${}", { A: "${services.db.port} ${ ${}" }],
  ["A=$(whoami) `id`", { A: "$(whoami) `id`" }],
  // Defaults.
  ["A=${NONE:-y}${NONE-z}\nB=${EMPTY:-y}\nC=${EMPTY-y}", { A: "yz", B: "y", C: "" }],
  ["A=${LEVEL:-y}${LEVEL-y}", { A: "shellshell" }],
  [
    "A=${LEVEL:+y}${LEVEL+z}\nB=${EMPTY:+y}.${EMPTY+z}\nC=${NONE:+y}${NONE+z}",
    { A: "yz", B: ".z", C: "" },
  ],
  ["A=${LEVEL:?gone}\nB=${EMPTY?gone}", { A: "shell", B: "" }],
  ["A=${NONE:-${LEVEL}}\nB=${NONE:-${EMPTY:-${LEVEL}/b}/c}", { A: "shell", B: "shell/b/c" }],
  ["A=${NONE:-$LEVEL}", { A: "shell" }],
  ['A=${NONE:-a b # c}\nB="${NONE:-a \\"b\\"}"', { A: "${NONE:-a b", B: 'a "b"' }],
  ['A=${NONE:-{"a":1}}', { A: '{"a":1}' }],
  ["J='{}}{'\nA=${NONE:-$J}\nB=${NONE:-x'}y", { J: "{}}{", A: "{}}{", B: "x'y" }],
  ["X=\nA=${X:-y}\nB=${X-y}\nC=${X:+y}\nD=${X+y}", { X: "", A: "y", B: "", C: "", D: "y" }],
  ["X=1\nA=${X:-y}\nB=${X:+y}\nC=${X:?no}", { X: "1", A: "1", B: "y", C: "1" }],
  ["X=$EMPTY\nA=${X:-y}\nB=$LEVEL\nC=${B:-y}", { X: "", A: "y", B: "shell", C: "shell" }],
  ["A=$HOME\nA=${A:-y}/x", { A: "/home/ada/x" }],
  // The port that the service is given.
  ["PORT=5000\nURL=http://localhost:$PORT", { PORT: "5000", URL: "http://localhost:4000" }],
  // A name alone.
  ["LEVEL\nNONE\nB=1", { LEVEL: "shell", B: "1" }],
  ["export LEVEL # why\nA=$LEVEL", { LEVEL: "shell", A: "shell" }],
  ["NONE=1\nNONE\nA=$NONE", { NONE: "1", A: "1" }],
  ["A=1\nLEVEL=2\nLEVEL", { A: "1", LEVEL: "shell" }],
];

for (const [text, meant] of lines) {
  test(`${JSON.stringify(text)} is read`, () => {
    expect(values(text)).toEqual(meant);
  });
}

test("a file sees what the layers and files before it declare, and not what comes after it", () => {
  const files = { ".env": "A=$BASE/a\nBASE=$BASE/own", more: "B=$A/b", web: "C=$B/c\nD=$LATE" };
  const toml = `env = { BASE = "/\${services.db.port}", PATH = "bin:\${env.PATH}" }
[project]
env_file = "more"
[services]
web = { command = "x", env_file = "web", env = { LATE = "no" } }
db = "x"`;
  expect(values(files, toml)).toEqual({
    PATH: "bin:/bin",
    A: "/5432/a",
    BASE: "/5432/own",
    B: "/5432/a/b",
    C: "/5432/a/b/c",
    D: "",
    LATE: "no",
  });
  expect(values({ ".env": "Q=$PATH" }, toml.replace(/env_file = "\w+",?/g, ""))).toMatchObject({
    Q: "bin:/bin",
  });
});

test("a line keeps its number, whatever stands before it", () => {
  expect(warnings('# x\nA="1\n2"\r\n\r\n=3\n')).toEqual([
    ".env:5 expected NAME=value; the line is ignored",
  ]);
});

test("a bad line is a warning with its number, and without what may be secret", () => {
  const text = 'my secret\nB=1\nlol$wut\nD="x"y\nE=${x y}\nF=pa$NONE\nG=${NONE:-}';
  expect(warnings(text)).toEqual([
    ".env:1 expected NAME=value; the line is ignored",
    ".env:3 expected NAME=value; the line is ignored",
    '.env:4 D: the text after the closing " is ignored',
    ".env:5 E: a ${ begins no variable and stands for itself; write $${ or '...' for a literal one",
    ".env:6 F: NONE is not set, so $NONE is empty; for a literal $ write $$ or '...'",
  ]);
  expect(values(text)).toEqual({ B: "1", D: "x", E: "${x y}", F: "pa", G: "" });
});

test("what nobody can read refuses the project: a quote that is open, a variable that is demanded", () => {
  expect(
    values("A='open\nB=1\nC=\"open\nD=${NONE:?set it}\nE=${EMPTY:?}\nF=${NONE?for $HOME}"),
  ).toEqual([
    ".env:1 A: the closing ' is missing",
    '.env:3 C: the closing " is missing',
    ".env:4 D: NONE is not set: set it",
    ".env:5 E: EMPTY is not set, and has to be",
    ".env:6 F: NONE is not set: for ${shell.HOME:-}",
  ]);
});

test("references that grow without end are an error, and take no time", () => {
  const doubling = Array.from({ length: 60 }, (_, index) => `A${index + 1}=$A${index}$A${index}`);
  const grown = values(`A0=${"x".repeat(64)}\n${doubling.join("\n")}`) as string[];
  expect(grown[0]).toBe(".env:13 A12: longer than 128 KiB with its references filled in");
  const wide = `A=${"x".repeat(100_000)}\n${"B=$A\n".repeat(1000)}`;
  expect(values(wide)).toEqual([
    ".env:42 B: the file is longer than 4 MiB with its references filled in",
  ]);
});

test.each([
  ["open braces", "${A:-".repeat(50_000)],
  ["braces that are never closed but for one", `${"${A:-".repeat(50_000)}}`],
  ["open quotes", "A='\\'\n".repeat(30_000)],
  ["backslashes", `"${"\\".repeat(800_001)}`],
  ["words in an open quote", `"${"x\\n".repeat(50_000)}`],
  ["dollars", "$".repeat(300_000)],
])("%s are read in time", (_what, value) => {
  expect(values(`A=${value}`)).toBeDefined();
});
