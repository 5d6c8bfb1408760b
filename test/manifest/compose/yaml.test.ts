/** Compose files as YAML: what has a line, and what is refused. */
import { expect, test } from "bun:test";
import { longestFile, type Node, readYaml } from "../../../src/manifest/compose/yaml.ts";

const file = { name: "compose.yaml", folder: "." };

/** Nodes as plain values. */
function plain(node: Node): unknown {
  if (node.kind === "scalar") return node.value;
  if (node.kind === "list") return node.items.map(plain);
  return Object.fromEntries([...node.entries].map(([key, { node: its }]) => [key, plain(its)]));
}

function read(text: string): unknown {
  const its = readYaml(text, file);
  return its.kind === "done" ? its.documents.map(plain) : its.mistakes;
}

test("aliases and merge keys are what they stand for, and own keys come first", () => {
  const text = `x-base: &base
  image: busybox
  environment: &env { A: 1 }
services:
  one:
    <<: *base
    image: own
  two: { environment: *env, <<: [{ a: 1 }, { a: 2, b: 3 }] }
`;
  expect(read(text)).toMatchObject([
    {
      services: {
        one: { image: "own", environment: { A: 1 } },
        two: { environment: { A: 1 }, a: 1, b: 3 },
      },
    },
  ]);
});

test("a value has the line of its own file, also behind an alias", () => {
  const its = readYaml("a: &x\n  b: 1\nc: *x\nd:\n- e\n- 'f\n\n  g'\n", file);
  if (its.kind !== "done") throw new Error(its.mistakes.join());
  const [root] = its.documents;
  if (root?.kind !== "mapping") throw new Error("no mapping");
  const lines = [...root.entries].map(([key, { at, node }]) => [key, at.line, node.line]);
  expect(lines).toEqual([
    ["a", 1, 2],
    ["c", 3, 2],
    ["d", 4, 5],
  ]);
});

test("numbers and words keep their text", () => {
  const its = readYaml("a: [0777, 1.10, 1e3, yes, ~, '012', 2026-01-02, 22:22]\n", file);
  const [root] = its.kind === "done" ? its.documents : [];
  const list = root?.kind === "mapping" ? root.entries.get("a")!.node : undefined;
  const items = list?.kind === "list" ? list.items : [];
  expect(items.map((item) => (item.kind === "scalar" ? item.text : ""))).toEqual([
    ...["0777", "1.10", "1e3", "yes", "~", "012", "2026-01-02", "22:22"],
  ]);
});

const bomb = `a0: &a0 [x, x]\n${Array.from({ length: 30 }, (_, index) => `a${index + 1}: &a${index + 1} [*a${index}, *a${index}]\n`).join("")}`;

test.each<[what: string, text: string, mistake: RegExp]>([
  ["invalid YAML", "a: 1\nb: c: d\n", /^compose\.yaml:2: invalid YAML: Nested mappings/],
  ["a tab", "a:\n\tb: 1\n", /^compose\.yaml:2: invalid YAML: Tabs/],
  ["half a file", "services:\n  db:\n    image: 'post", /^compose\.yaml:3: invalid YAML: Missing/],
  ["a key twice", "a: 1\nb: 2\na: 3\n", /^compose\.yaml:3: the key "a" is there twice$/],
  [
    "<< twice",
    "x: &x {}\na:\n  <<: *x\n  <<: *x\n",
    /^compose\.yaml:4: the key "<<" is there twice/,
  ],
  ["a stranger's tag", "a: 1\nb: !vault x\n", /^compose\.yaml:2: the tag "!vault" is unknown$/],
  ["a tag of code", "a: !!python/object:os.system x\n", /^compose\.yaml:1: the tag .* is unknown$/],
  ["a bomb of aliases", bomb, /^compose\.yaml:1\d: more than 50000 values, with those of aliases$/],
  ["an alias within itself", "a: &a [*a]\n", /^compose\.yaml:1: \*a is within &a itself$/],
  ["an alias of nothing", "a: *b\n", /^compose\.yaml:1: no anchor &b before \*b$/],
  ["a list as a key", "? [a]\n: b\n", /^compose\.yaml:1: a key is a text$/],
  ["a merge of a text", "a:\n  <<: b\n", /^compose\.yaml:2: << takes a mapping/],
  ["60 lists in each other", `a:\n  ${"[".repeat(60)}${"]".repeat(60)}`, /:2: nested too deeply$/],
])("%s is an error with its line", (_, text, mistake) => {
  const its = readYaml(text, file);
  if (its.kind === "done") throw new Error("it was read");
  expect(its.mistakes[0]).toMatch(mistake);
});

test.each<[what: string, piece: string]>([
  ["open lists", "["],
  ["open mappings", "{"],
  ["lists of lists", "- "],
  ["keys of keys", "? "],
  ["wrong escapes", '"\\x'],
  ["spaces", "a: "],
])(
  "%s in the longest of files end in one of two answers",
  (_, piece) => {
    const its = readYaml(piece.repeat(longestFile / piece.length), file);
    expect(["done", "mistakes"]).toContain(its.kind);
    if (its.kind === "mistakes") expect(its.mistakes.length).toBeLessThan(20);
  },
  60_000,
);

test("ten thousand keys are read, and one of them twice is found", () => {
  const keys = Array.from({ length: 10_000 }, (_, index) => `k${index}:\n`).join("");
  expect(read(`${keys}`)).toHaveLength(1);
  expect(read(`${keys}k7:\n`)).toEqual(['compose.yaml:10001: the key "k7" is there twice']);
}, 60_000);

test("an empty file has no document", () => {
  for (const text of ["", "\n# nothing\n", "---\n"]) expect(readYaml(text, file).kind).toBe("done");
  expect(read("")).toEqual([]);
});
