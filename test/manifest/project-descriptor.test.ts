/** project.toml as github.com/buildpacks/spec has it, extensions/project-descriptor.md 0.1 and 0.2. */
import { describe, expect, test } from "bun:test";
import {
  emptyDescriptor,
  type ProjectDescriptor,
  readDescriptor,
} from "../../src/manifest/project-descriptor.ts";

const newer = '[_]\nschema-version = "0.2"\n';

function descriptor(text: string): ProjectDescriptor {
  const read = readDescriptor(text);
  if (read.kind === "mistakes") throw new Error(read.mistakes.join("\n"));
  return read.descriptor;
}

function mistakes(text: string): readonly string[] {
  const read = readDescriptor(text);
  return read.kind === "mistakes" ? read.mistakes : [];
}

test("an empty file, and one with only other tables, say nothing on the build", () => {
  expect(descriptor("")).toEqual({ ...emptyDescriptor, schema: "0.1" });
  expect(descriptor("\uFEFF# nothing\n")).toEqual({ ...emptyDescriptor, schema: "0.1" });
  expect(descriptor(`${newer}[_.metadata]\nany = [1, { a = 2 }]\n[com.example]\nx = 1`)).toEqual(
    emptyDescriptor,
  );
});

test("line ends of Windows: the same, and an inline script has those that a shell reads", () => {
  const script = `[io.buildpacks.group.script]\napi = "0.11"\ninline = """\necho a\necho b\n"""\n`;
  const text = `[_]\nschema-version = "0.2"\n[[io.buildpacks.group]]\nid = "a"\n${script}`;
  const read = descriptor(text.replaceAll("\n", "\r\n"));
  expect(read).toEqual(descriptor(text));
  expect(read.group[0]!.script!.inline).toBe("echo a\necho b\n");
});

test("0.2: everything that it may have", () => {
  const text = `
[_]
schema-version = "0.2"
id = "example"
authors = ["me"]

[io.buildpacks]
builder = "example/builder:1"
include = ["cmd/", "*.go"]

[[io.buildpacks.group]]
id = "example/node"
version = "1.2.3"

[[io.buildpacks.group]]
uri = "./buildpacks/own"

[[io.buildpacks.group]]
id = "example/inline"
[io.buildpacks.group.script]
api = "0.11"
inline = """
echo built
"""

[[io.buildpacks.pre.group]]
uri = "https://example.com/pre#v1"

[[io.buildpacks.post.group]]
id = "example/post"

[[io.buildpacks.build.env]]
name = "LEVEL"
value = "2"
`;
  expect(descriptor(text)).toEqual({
    schema: "0.2",
    builder: "example/builder:1",
    include: ["cmd/", "*.go"],
    exclude: undefined,
    group: [
      { id: "example/node", version: "1.2.3", uri: undefined, script: undefined, line: 11 },
      { id: undefined, version: undefined, uri: "./buildpacks/own", script: undefined, line: 15 },
      {
        id: "example/inline",
        version: undefined,
        uri: undefined,
        script: { api: "0.11", shell: "/bin/sh", inline: "echo built\n" },
        line: 18,
      },
    ],
    pre: [
      {
        id: undefined,
        version: undefined,
        uri: "https://example.com/pre#v1",
        script: undefined,
        line: 26,
      },
    ],
    post: [{ id: "example/post", version: undefined, uri: undefined, script: undefined, line: 29 }],
    env: [{ name: "LEVEL", value: "2" }],
  });
});

test("0.2: env.build, as its drafts had it; build.env counts more, as it comes later", () => {
  const of = (path: string, value: string) =>
    `[[io.buildpacks.${path}]]\nname = "A"\nvalue = "${value}"\n`;
  expect(descriptor(`${newer}${of("build.env", "new")}${of("env.build", "old")}`).env).toEqual([
    { name: "A", value: "old" },
    { name: "A", value: "new" },
  ]);
});

test("0.1: [project] and [build], without a word for the version", () => {
  const text = `
[project]
id = "example"

[build]
exclude = ["spec/"]

[[build.buildpacks]]
id = "example/java"
version = "1.0"

[[build.buildpacks]]
uri = "./own"

[[build.env]]
name = "JAVA_OPTS"
value = "-Xmx1g"

[metadata]
foo = "bar"
`;
  expect(descriptor(text)).toEqual({
    ...emptyDescriptor,
    schema: "0.1",
    exclude: ["spec/"],
    group: [
      { id: "example/java", version: "1.0", uri: undefined, script: undefined, line: 8 },
      { id: undefined, version: undefined, uri: "./own", script: undefined, line: 12 },
    ],
    env: [{ name: "JAVA_OPTS", value: "-Xmx1g" }],
  });
  expect(descriptor(`[_]\nschema-version = "0.1"\n${text}`).exclude).toEqual(["spec/"]);
});

describe("mistakes, each with its line, all at once", () => {
  const cases: readonly [string, readonly string[]][] = [
    ["[_]\nschema-version = ", ["project.toml:2:18: invalid TOML: "]],
    ["[_]\nid = 1", ["project.toml:1 _: has no schema-version"]],
    [
      '[_]\nschema-version = "0.3"',
      ['project.toml:2 _.schema-version: "0.3" is not known; the versions 0.1 and 0.2 are'],
    ],
    ["_ = 3", ["project.toml:1 _: 3 is no table"]],
    [
      '[io.buildpacks]\nbuilder = "x"',
      [
        'project.toml:1 io.buildpacks: stands without its version; write [_] with schema-version = "0.2" above it',
      ],
    ],
    [
      `${newer}[io.buildpacks]\ninclude = ["a"]\nexclude = ["b"]`,
      ["project.toml:5 io.buildpacks.exclude: stands beside include; only one of both is allowed"],
    ],
    [
      '[build]\ninclude = ["a"]\nexclude = ["b"]',
      ["project.toml:3 build.exclude: stands beside include; only one of both is allowed"],
    ],
    [
      `${newer}[io.buildpacks]\nexclude = [\n"a",\n"[z-a]",\n"/"]`,
      [
        'project.toml:6 io.buildpacks.exclude[1]: "[z-a]" is no pattern',
        'project.toml:7 io.buildpacks.exclude[2]: "/" names no path',
      ],
    ],
    [
      `${newer}[io.buildpacks]\ninclude = "a"`,
      ['project.toml:4 io.buildpacks.include: "a" is no list of texts in quotes'],
    ],
    [
      `${newer}[io.buildpacks]\nexclud = []`,
      ['project.toml:4 io.buildpacks.exclud: unknown key; did you mean "exclude"?'],
    ],
    [
      `${newer}[[io.buildpacks.group]]\nid = "a"\nversion = "1"\nuri = "./a"`,
      [
        "project.toml:3 io.buildpacks.group[0]: has version and uri; one of version, uri and script is allowed",
      ],
    ],
    [
      `${newer}[[io.buildpacks.group]]\nversion = "1"`,
      ["project.toml:3 io.buildpacks.group[0]: has no id"],
    ],
    [
      `${newer}[[io.buildpacks.group]]`,
      [
        "project.toml:3 io.buildpacks.group[0]: needs a uri, a script, or the id of a buildpack that is given",
      ],
    ],
    [
      `${newer}[[io.buildpacks.pre.group]]\n[io.buildpacks.pre.group.script]\nshell = "/bin/sh\\nrm"`,
      [
        "project.toml:4 io.buildpacks.pre.group[0].script: has no api",
        "project.toml:4 io.buildpacks.pre.group[0].script: has no inline",
        'project.toml:5 io.buildpacks.pre.group[0].script.shell: "/bin/sh\\nrm" is no program such as /bin/bash',
      ],
    ],
    [
      `${newer}[[io.buildpacks.build.env]]\nname = "A=B"\nvalue = 1\n[[io.buildpacks.build.env]]\nname = ""`,
      [
        "project.toml:5 io.buildpacks.build.env[0].value: 1 is no text in quotes",
        "project.toml:6 io.buildpacks.build.env[1]: has no value",
        "project.toml:7 io.buildpacks.build.env[1].name: is empty",
      ],
    ],
    [
      `${newer}[[io.buildpacks.build.env]]\nname = "A/B"\nvalue = ""`,
      ['"A/B" is no variable\'s name'],
    ],
    ["[[build.buildpacks]]", ["project.toml:1 build.buildpacks[0]: needs either an id or a uri"]],
    [
      '[[build.buildpacks]]\nuri = "a"\nversion = "1"',
      [
        "project.toml:3 build.buildpacks[0].version: has no place beside uri, which says all; remove it",
      ],
    ],
    ["build = 3", ["project.toml:1 build: 3 is no table"]],
    [`${newer}[io]\nbuildpacks = []`, ["project.toml:4 io.buildpacks: [] is no table"]],
  ];
  for (const [text, expected] of cases) {
    test(JSON.stringify(text), () => {
      const found = mistakes(text);
      expect(found.length).toBe(expected.length);
      for (const [index, part] of expected.entries()) expect(found[index]).toContain(part);
    });
  }
});

test("bytes of any kind are a value or mistakes, and never an error", () => {
  let seed = 7;
  const next = (below: number) => {
    seed = (seed * 1103515245 + 12345) % 2147483648;
    return seed % below;
  };
  const words = [
    "[_]",
    "[[",
    "io.buildpacks",
    ".group",
    "]]",
    "\n",
    " = ",
    '"',
    "[",
    "{",
    "}",
    "script",
    "3",
    "\0",
    "é",
  ];
  for (let round = 0; round < 2000; round++) {
    const text = Array.from({ length: next(12) }, () => words[next(words.length)]).join("");
    expect(["descriptor", "mistakes"]).toContain(readDescriptor(text).kind);
  }
});
