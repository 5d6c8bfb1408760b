/** buildpack.toml as github.com/buildpacks/spec has it: buildpack.md, Data Format, of API 0.10 to 0.12. */
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { mkdir, mkdtemp, realpath, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buildpackIn, readBuildpack } from "../../../src/build/buildpacks/read-buildpack.ts";
import { distroOf, thisMachine } from "../../../src/build/buildpacks/target.ts";

const head = '[buildpack]\nid = "example/node"\nversion = "1.2.3"\n';

function why(text: string): string {
  const read = buildpackIn(text, "/b");
  return read.kind === "failed" ? read.why : "";
}

test("everything that it may have; keys that are not known are left alone", () => {
  const text = `
api = "0.12"
[buildpack]
id = "example/node"
version = "1.2.3"
name = "Node"
homepage = "https://example.com"
clear-env = true
sbom-formats = ["application/vnd.cyclonedx+json"]
new-key = 1
[[buildpack.exec-env]]
name = "test"
[[targets]]
os = "linux"
arch = "arm64"
variant = "v8"
[[targets.distros]]
name = "ubuntu"
version = "24.04"
[metadata]
any = "thing"
`;
  expect(buildpackIn(text, "/b")).toEqual({
    kind: "buildpack",
    buildpack: {
      id: "example/node",
      version: "1.2.3",
      name: "Node",
      homepage: "https://example.com",
      api: "0.12",
      directory: "/b",
      clearEnv: true,
      targets: [
        {
          os: "linux",
          arch: "arm64",
          variant: "v8",
          distros: [{ name: "ubuntu", version: "24.04" }],
        },
      ],
      execEnvs: ["test"],
      order: undefined,
    },
  });
});

test("a composite: its groups, in their order", () => {
  const entry = (id: string, rest = "") =>
    `[[order.group]]\nid = "${id}"\nversion = "1.0.0"\n${rest}\n`;
  const text = `api = "0.12"\n${head}[[order]]\n${entry("a")}${entry("b", "optional = true")}[[order]]\n${entry("c", 'exec-env = ["test"]')}`;
  expect(buildpackIn(text, "/b")).toMatchObject({
    buildpack: {
      order: [
        [
          { id: "a", version: "1.0.0", optional: false, execEnvs: [] },
          { id: "b", version: "1.0.0", optional: true, execEnvs: [] },
        ],
        [{ id: "c", version: "1.0.0", optional: false, execEnvs: ["test"] }],
      ],
    },
  });
});

describe("the Buildpack API (Buildpack API Compatibility: an error where it is not supported)", () => {
  for (const api of ["0.10", "0.11", "0.12"]) {
    test(`${api} is spoken`, () => {
      expect(buildpackIn(`api = "${api}"\n${head}`, "/b")).toMatchObject({ buildpack: { api } });
    });
  }
  for (const [api, way] of [
    ["0.9", "a newer"],
    ["0.5", "a newer"],
    ["0.13", "an older"],
    ["1.0", "an older"],
    ["x", "an older"],
  ]) {
    test(`${api} is refused, and nothing else is told`, () => {
      expect(why(`api = "${api}"\n[buildpack]\nid = 3`)).toBe(
        `:1 api: "${api}" is not known, Buildpack API 0.10, 0.11 or 0.12 is spoken here; ` +
          `take ${way} version of this buildpack, or build in an engine: build = { builder = "…" }`,
      );
    });
  }
});

describe("mistakes, each with its line, all at once", () => {
  const cases: readonly [string, string][] = [
    ["", ':1 has no api, such as api = "0.11"'],
    ["api = 0.11", ":1 api: 0.11 is no text in quotes"],
    ["api =", ":1:6: invalid TOML: "],
    ['api = "0.11"', ":1 has no table [buildpack], with the id and the version of the buildpack"],
    ['api = "0.11"\nbuildpack = 1', ":2 buildpack: 1 is no table"],
    ['api = "0.11"\n[buildpack]', ":2 buildpack: has no id; :2 buildpack: has no version"],
    [
      'api = "0.11"\n[buildpack]\nid = "../up"\nversion = "01.2.3"',
      ':3 buildpack.id: "../up" is no id such as example/node; :4 buildpack.version: "01.2.3" is no version such as 1.2.3',
    ],
    [
      'api = "0.11"\n[buildpack]\nid = "a b"\nversion = "1.2.3"',
      ':3 buildpack.id: "a b" is no id such as example/node',
    ],
    [
      'api = "0.11"\n[buildpack]\nid = "sbom"\nversion = "1.2.3"',
      ':3 buildpack.id: "sbom" is reserved by the Buildpacks spec; take another',
    ],
    [
      `api = "0.11"\n${head}clear-env = "yes"`,
      ':5 buildpack.clear-env: "yes" is neither true nor false',
    ],
    [
      `api = "0.11"\n${head}[targets]\nos = "linux"`,
      ":5 targets: is no list of tables, each of which begins with [[targets]]",
    ],
    [`api = "0.11"\n${head}[[order]]`, ":5 order[0]: has no group"],
    [
      `api = "0.11"\n${head}[[order]]\n[[order.group]]\nid = "a"`,
      ":6 order[0].group[0]: has no version",
    ],
    [
      `api = "0.11"\n${head}[[order]]\n[[order.group]]\nid = "a"\nversion = "1.0.0"\n[[stacks]]\nid = "*"`,
      ":9 stacks: has no place beside order: a composite runs nothing itself; remove it",
    ],
  ];
  for (const [text, expected] of cases) {
    test(JSON.stringify(text), () => {
      expect(why(text)).toStartWith(expected);
    });
  }
});

describe("a folder", () => {
  let root: string;

  beforeEach(async () => {
    root = await realpath(await mkdtemp(join(tmpdir(), "localhostess-buildpack-")));
  });

  afterEach(() => rm(root, { recursive: true, force: true }));

  const whyOf = async () => {
    const read = await readBuildpack(root);
    return read.kind === "failed" ? read.why : "";
  };

  test("that is not there, or has no buildpack.toml, or an image extension's", async () => {
    expect(await whyOf()).toBe(
      `${root} is no buildpack, as it has no buildpack.toml; name the folder that has one`,
    );
    await writeFile(join(root, "HEAD"), "ref: refs/heads/main");
    await mkdir(join(root, "objects"));
    expect(await whyOf()).toBe(
      `${root} is a repository of git without files; clone it, and name the clone`,
    );
    await writeFile(join(root, "extension.toml"), 'api = "0.10"');
    expect(await whyOf()).toBe(
      `${root} is an image extension, and image extensions need a builder image: build = { builder = "…" }`,
    );
    await rm(root, { recursive: true });
    expect(await whyOf()).toBe(`there is no folder ${root}`);
  });

  test("with a file that cannot be read: a loop of links, a folder, one that is huge or no text", async () => {
    const path = join(root, "buildpack.toml");
    await symlink("buildpack.toml", path);
    expect(await whyOf()).toBe(`${path} cannot be read: its symbolic links form a loop`);
    await rm(path);
    await mkdir(path);
    expect(await whyOf()).toBe(`${path} cannot be read: it is a folder, not a file`);
    await rm(path, { recursive: true });
    await writeFile(path, "#".repeat(1024 * 1024 + 1));
    expect(await whyOf()).toBe(`${path} cannot be read: it is larger than 1024 KiB`);
    await writeFile(path, new Uint8Array([0xff]));
    expect(await whyOf()).toBe(`${path} cannot be read: it is not UTF-8 text`);
    await writeFile(path, "");
    expect(await whyOf()).toBe(`${path}:1 has no api, such as api = "0.11"`);
  });

  test("without targets: its programs say for which systems it is (Targets)", async () => {
    await writeFile(join(root, "buildpack.toml"), `api = "0.11"\n${head}`);
    const systems = async () => {
      const read = await readBuildpack(root);
      return read.kind === "buildpack" ? read.buildpack.targets.map(({ os }) => os) : read.why;
    };
    expect(await systems()).toEqual([]);
    await mkdir(join(root, "bin"));
    await writeFile(join(root, "bin/build.exe"), "");
    expect(await systems()).toEqual(["windows"]);
    await writeFile(join(root, "bin/build"), "");
    expect(await systems()).toEqual(["linux", "windows"]);
  });

  test("as the root of a machine: what os-release(5) says of it", async () => {
    expect((await thisMachine({ root })).distro).toBeUndefined();
    await mkdir(join(root, "usr/lib"), { recursive: true });
    await writeFile(join(root, "usr/lib/os-release"), "ID=arch\nVERSION_ID=\n");
    const isLinux = process.platform === "linux";
    expect((await thisMachine({ root })).distro).toEqual(
      isLinux ? { name: "arch", version: undefined } : undefined,
    );
    expect(distroOf('NAME="Ubuntu"\nVERSION_ID="24.04"\nID=ubuntu\nID_LIKE=debian\n')).toEqual({
      name: "ubuntu",
      version: "24.04",
    });
    expect(distroOf("NAME=x")).toBeUndefined();
  });
});
