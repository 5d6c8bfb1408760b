/** Lines of sources and documents -> those that are too long, and comments that begin without a subject. */
import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";

const root = resolve(import.meta.dir, "..");

/** Columns of a line: two comments or diffs side by side on a usual screen. */
const width = 120;

/** Files in which every line is recorded or generated: they are as long as they are. */
const recorded = /\/(fixtures|corpus|artefacts)\//;

/** Words that leave a comment without a subject. */
const subjectless = /^(It|What|Who|Whose|Of|That)\b/;

type Text = { file: string; text: string };

/** A comment that begins on this line: the text after `/**` or `//`, or on the line after a `/**` of its own. */
function beginningOf(lines: readonly string[], at: number): string | undefined {
  const line = lines[at]!.trim();
  if (line === "/**") return lines[at + 1]?.trim().replace(/^\* ?/, "");
  const [, doc] = /^\/\*\*? (.*)$/.exec(line) ?? [];
  if (doc !== undefined) return doc;
  const [, words] = /^\/\/ ?(.*)$/.exec(line) ?? [];
  const continues = at > 0 && lines[at - 1]!.trim().startsWith("//");
  return continues ? undefined : words;
}

/** Code with a string or a pattern, which a formatter does not break; a comment that ends in an address. */
function isUnbreakable(line: string): boolean {
  const isComment = /^\s*(\/\*|\*|\/\/)/.test(line);
  return isComment ? /https?:\/\/\S+$/.test(line) : /["'`]|\/.+\//.test(line);
}

function wrongInSource({ file, text }: Text): string[] {
  const lines = text.split("\n");
  return lines.flatMap((line, index) => {
    const wrong: string[] = [];
    if (line.length > width && !isUnbreakable(line)) {
      wrong.push(`${file}:${index + 1} has ${line.length} columns`);
    }
    const word = file.startsWith("src/") && beginningOf(lines, index)?.match(subjectless)?.[1];
    if (word) wrong.push(`${file}:${index + 1} begins with ${word}`);
    return wrong;
  });
}

/** Tables and code are exempt, and so are lines that a single address makes too long. */
function wrongInProse({ file, text }: Text): string[] {
  let fenced = false;
  return text.split("\n").flatMap((line, index) => {
    if (line.startsWith("```")) fenced = !fenced;
    const isCode = fenced || line.startsWith("    ");
    const isTable = line.startsWith("|");
    if (line.length <= width || isCode || isTable || !line.trim().includes(" ")) return [];
    return [`${file}:${index + 1} has ${line.length} columns`];
  });
}

function violations({ file, text }: Text): string[] {
  if (recorded.test(file)) return [];
  return file.endsWith(".md") ? wrongInProse({ file, text }) : wrongInSource({ file, text });
}

/** Sources, tests and documents, as paths from the root of the project. */
const files = [
  "src/**/*.{ts,tsx}",
  "test/**/*.ts",
  "scripts/**/*.ts",
  "pac/*",
  "docs/*.md",
  "*.md",
].flatMap((pattern) => [...new Bun.Glob(pattern).scanSync(root)].sort());

test("no line is longer than 120 columns, and every comment begins with its subject", () => {
  const wrong = files.flatMap((file) =>
    violations({ file, text: readFileSync(join(root, file), "utf8") }),
  );
  expect(wrong).toEqual([]);
});

test("a long line is found where it is planted, in comments and prose", () => {
  const long = "word ".repeat(25).trim();
  const source = ["/** Short. */", "/**", ` * ${long}`, " */", `  // ${long}`, `add(${long});`];
  expect(violations({ file: "src/a.ts", text: source.join("\n") })).toEqual([
    "src/a.ts:3 has 127 columns",
    "src/a.ts:5 has 129 columns",
    "src/a.ts:6 has 130 columns",
  ]);
  expect(violations({ file: "docs/a.md", text: `# Title\n\n${long}` })).toEqual([
    "docs/a.md:3 has 124 columns",
  ]);
});

test("tables, code, strings, addresses and recorded files may be as long as they are", () => {
  const long = "word ".repeat(30).trim();
  const address = `https://example.com/${"a".repeat(120)}`;
  const prose = [`| ${long} |`, `    ${long}`, "```", long, "```", address];
  expect(violations({ file: "docs/a.md", text: prose.join("\n") })).toEqual([]);
  const source = [`const text = "${long}";`, `// See ${address}`];
  expect(violations({ file: "src/a.ts", text: source.join("\n") })).toEqual([]);
  expect(violations({ file: "test/fixtures/a.ts", text: `// ${long}` })).toEqual([]);
});

test.each(["It", "What", "Who", "Whose", "Of", "That"])("a comment that begins with %s", (word) => {
  const planted = [
    `/** ${word} is here. */`,
    `// ${word} is here.`,
    "const a = 1;",
    "/**",
    ` * ${word} is here.`,
    " */",
    `  /** ${word} starts a comment of several`,
    "   * lines. */",
  ];
  expect(violations({ file: "src/a.ts", text: planted.join("\n") })).toEqual([
    `src/a.ts:1 begins with ${word}`,
    `src/a.ts:2 begins with ${word}`,
    `src/a.ts:4 begins with ${word}`,
    `src/a.ts:7 begins with ${word}`,
  ]);
  const allowed = ["// The first line goes on:", `// ${word} may begin the next one.`];
  expect(violations({ file: "src/a.ts", text: allowed.join("\n") })).toEqual([]);
  expect(violations({ file: "src/a.ts", text: "// Office hours. Whatever. Items." })).toEqual([]);
});
