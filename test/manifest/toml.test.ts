import { expect, test } from "bun:test";
import fc from "fast-check";
import { stringify } from "smol-toml";
import { type Path, pathText, readToml } from "../../src/manifest/toml.ts";

const text = `# Comments [are] = "nothing"
title = "a # b"
tlds = [ "test", # one
  'dev.test', [1, 2], { deep = [3] } ]
a.b."c d" = 1
"quoted \\u0041" = 1979-05-27 07:32:00
multi = """
x = "1"
[no.table]
a\\"""" # four quotes: one is text
raw = '''
y = 'z''''
inline = { one = 1, two = [ "x" ], three.four = true }

[ table . "x.y" ]
key = -1.5
[[list]]
name = "first"
[[list]]
name = "second"
[list.sub]
deep = []
[[list.more]]
last = 1`;

const places: [path: Path, line: number, column: number][] = [
  [["title"], 2, 1],
  [["tlds"], 3, 1],
  [["tlds", 0], 3, 10],
  [["tlds", 1], 4, 3],
  [["tlds", 2, 1], 4, 19],
  [["tlds", 3, "deep", 0], 4, 33],
  [["a", "b", "c d"], 5, 1],
  [["quoted A"], 6, 1],
  [["multi"], 7, 1],
  [["raw"], 11, 1],
  [["inline", "one"], 13, 12],
  [["inline", "two", 0], 13, 29],
  [["inline", "three", "four"], 13, 36],
  [["table", "x.y"], 15, 1],
  [["table", "x.y", "key"], 16, 1],
  [["list", 0, "name"], 18, 1],
  [["list", 1, "name"], 20, 1],
  [["list", 1, "sub", "deep"], 22, 1],
  [["list", 1, "more", 0, "last"], 24, 1],
];

function documentOf(toml: string) {
  const read = readToml(toml);
  if (read.kind === "bad") throw new Error(read.why);
  return read.document;
}

for (const [ending, written] of [
  ["LF", text],
  ["CRLF", text.replaceAll("\n", "\r\n")],
] as const) {
  const document = documentOf(written);
  test.each(places)(`%j is where it stands, with ${ending}`, (path, line, column) => {
    let value: unknown = document.value;
    for (const part of path) value = (value as Record<string | number, unknown>)[part];
    expect(value).toBeDefined();
    expect(document.placeOf(path)).toEqual({ line, column });
  });
}

test("what is not there belongs where its nearest parent is", () => {
  expect(documentOf(text).placeOf(["list", 1, "nosuch", 3])).toEqual({ line: 19, column: 1 });
  expect(documentOf(text).placeOf(["nosuch"])).toEqual({ line: 1, column: 1 });
});

test("a path is written as a person would write it", () => {
  expect(pathText(["services", "web", "depends_on", 0])).toBe("services.web.depends_on[0]");
  expect(pathText(["a b", "c.d", 1])).toBe('"a b"."c.d"[1]');
});

test.each([
  ["tlds = [", 1],
  ["a = 1\nb = ?", 2],
  ["a = 1\n\na = 2", 3],
  ["[a]\nb = 'x\n'", 2],
  ["__proto__ = 1", 1],
  [`a = ${"[".repeat(200)}${"]".repeat(200)}`, 1],
  ["\0", 1],
])("%j is invalid TOML, and its line is reported", (toml, line) => {
  const read = readToml(toml);
  expect(read).toMatchObject({ kind: "bad", place: { line } });
  expect((read as { why: string }).why).toMatch(/^[^\n]+$/);
});

test("an empty file, a comment and a byte order mark are files with nothing in them", () => {
  for (const toml of ["", "\n\n", "# x", "\uFEFF"]) expect(documentOf(toml).value).toEqual({});
  expect(documentOf("\uFEFFa = 1").value).toEqual({ a: 1 });
});

test("whatever a library writes, the place of each key begins with the key", () => {
  const key = fc.string({ unit: "grapheme", maxLength: 6 });
  const leaf = fc.oneof(fc.string({ unit: "grapheme" }), fc.integer(), fc.boolean());
  const { value } = fc.letrec<{ value: unknown }>((tie) => ({
    value: fc.oneof(
      { maxDepth: 4 },
      leaf,
      fc.array(tie("value"), { maxLength: 3 }),
      fc.dictionary(key, tie("value"), { maxKeys: 3 }),
    ),
  }));
  fc.assert(
    fc.property(fc.dictionary(key, value, { maxKeys: 5 }), (table) => {
      const toml = stringify(table);
      const document = documentOf(toml);
      for (const path of pathsOf(document.value)) {
        const { line, column } = document.placeOf(path);
        const rest = toml
          .split("\n")
          .slice(line - 1)
          .join("\n")
          .slice(column - 1);
        const last = path.at(-1)!;
        // Of an element only its value is there.
        if (typeof last === "number") continue;
        expect(rest).toMatch(/^(?:\[|["'\w-])/);
        expect(rest.split("\n")[0]).toContain(/^[\w-]+$/.test(last) ? last : '"');
      }
    }),
  );
});

function pathsOf(value: unknown, path: Path = []): Path[] {
  if (typeof value !== "object" || value === null) return path.length === 0 ? [] : [path];
  const own = path.length === 0 ? [] : [path];
  const parts: [string | number, unknown][] = Array.isArray(value)
    ? [...value.entries()]
    : Object.entries(value);
  return [...own, ...parts.flatMap(([part, its]) => pathsOf(its, [...path, part]))];
}
