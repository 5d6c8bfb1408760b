/** A project's name and domain in each of its checkouts. */
import { describe, expect, test } from "bun:test";
import { readLayer } from "../../src/manifest/layer.ts";
import type { ManifestOptions } from "../../src/manifest/read/options.ts";
import { readManifest } from "../../src/manifest/read/read-manifest.ts";

const services = '[services]\nshop = "s"\napi = { command = "a", port = 3000 }\n';

function read(project: string, options: Partial<ManifestOptions> & { own?: string } = {}) {
  const { own, ...more } = options;
  const layers = [readLayer(`${project}${services}`, { name: "locald.toml" })];
  const local = own === undefined ? undefined : readLayer(own, { name: "locald.local.toml" });
  if (local !== undefined) layers.push(local);
  return readManifest({
    ...{ directory: "/srv/folder", layers, local: local?.tree.source, envFiles: new Map() },
    ...{ tlds: ["test"], ...more },
  });
}

function named(project: string, options: Partial<ManifestOptions> & { own?: string } = {}) {
  const its = read(project, options);
  if (its.kind === "mistakes") throw new Error(its.mistakes.join("\n"));
  const { name, domain, services: all } = its.project;
  return { name, domain, addresses: all.map(({ routeName }) => routeName) };
}

const plain = '[project]\nname = "shop"\n';
const withDomain = '[project]\nname = "shop"\ndomain = "shop.test"\n';
const nav = { naming: { label: "fix-nav" } };

describe("in a linked worktree", () => {
  test("the label stands in front of the name, the domain and every address", () => {
    expect(named(plain, nav)).toEqual({
      name: "fix-nav.shop",
      domain: "fix-nav.shop.localhost",
      addresses: ["fix-nav.shop", "api.fix-nav.shop"],
    });
  });

  test("a domain of its own has the label in front too, whether its ending is written or not", () => {
    const wanted = { name: "fix-nav.shop", domain: "fix-nav.shop.test" };
    expect(named(withDomain, nav)).toMatchObject(wanted);
    const bare = '[project]\nname = "my_app"\ndomain = "shop"\n';
    expect(named(bare, nav)).toMatchObject({
      name: "fix-nav.my_app",
      domain: "fix-nav.shop.localhost",
    });
  });

  test("a name that ends like a domain stays a name", () => {
    expect(named('[project]\nname = "test"\n', nav).domain).toBe("fix-nav.test.localhost");
  });

  test("without a name in the files, the project is named like the main checkout's folder", () => {
    const naming = { label: "fix-nav", folder: "Shop" };
    expect(named("", { naming }).name).toBe("fix-nav.shop");
    expect(named("", { naming: {} }).name).toBe("folder");
  });
});

describe("a name that a person gives", () => {
  test("is before all others, and takes the domain along", () => {
    const given = { naming: { label: "fix-nav", given: "mine" } };
    expect(named(withDomain, given)).toMatchObject({ name: "mine", domain: "mine.test" });
    const own = '[project]\nname = "other"\n';
    expect(named(withDomain, { ...given, own })).toMatchObject({ name: "mine" });
  });

  test("in locald.local.toml is before the worktree's, and its domain is as it is written", () => {
    const own = '[project]\nname = "review.shop"\n';
    const wanted = { name: "review.shop", domain: "review.shop.test" };
    expect(named(withDomain, { ...nav, own })).toMatchObject(wanted);
    const both = `${own}domain = "here.localhost"\n`;
    expect(named(withDomain, { ...nav, own: both }).domain).toBe("here.localhost");
    expect(named(withDomain, { own: '[project]\ndomain = "x.test"\n', ...nav })).toMatchObject({
      name: "fix-nav.shop",
      domain: "x.test",
    });
  });

  test("may have dots, and the service that is named like the project keeps the project's address", () => {
    const its = named(plain, { naming: { given: "a.b" } });
    expect(its.addresses).toEqual(["a.b", "api.a.b"]);
  });

  test("that is none is an error at its place", () => {
    for (const name of ["a..b", "-a", "a b", "localhost", "LocalHost", "a:b", "a/b", ".", "é"]) {
      const its = read(plain, { own: `[project]\nname = "${name}"\n` });
      const [first] = its.kind === "mistakes" ? its.mistakes : [];
      expect(first, name).toStartWith("locald.local.toml:2 project.name: ");
    }
    const long = read(plain, { own: `[project]\nname = "${"a.".repeat(100)}a"\n` });
    expect(long.kind).toBe("mistakes");
  });
});

test("a name in the place of the committed one is below one in locald.local.toml", () => {
  const naming = { instead: "shop2" };
  expect(named(withDomain, { naming })).toMatchObject({ name: "shop2", domain: "shop2.test" });
  const own = '[project]\nname = "mine"\n';
  expect(named(withDomain, { naming, own }).name).toBe("mine");
});

test("a committed name that is none is an error in a worktree too", () => {
  const its = read('[project]\nname = "a.b"\n', nav);
  expect(its.kind === "mistakes" && its.mistakes[0]).toStartWith("locald.toml:2 project.name: ");
});

describe("a committed port, where it belongs to another checkout", () => {
  const portOf = (options: Partial<ManifestOptions> & { own?: string }) => {
    const its = read(plain, options);
    if (its.kind === "mistakes") throw new Error(its.mistakes.join("\n"));
    const { services: all, freedPorts } = its.project;
    return { port: all.find(({ name }) => name === "api")!.port, freedPorts };
  };

  test("is a free one here, which is told", () => {
    expect(portOf({ freesPorts: true })).toEqual({
      port: undefined,
      freedPorts: [{ service: "api", port: 3000 }],
    });
    expect(portOf({})).toEqual({ port: 3000, freedPorts: undefined });
  });

  test("holds where this folder's own file has it", () => {
    const own = "[services.api]\nport = 3001\n";
    expect(portOf({ freesPorts: true, own })).toEqual({ port: 3001, freedPorts: undefined });
  });
});

describe("[worktree]", () => {
  const withTable = (table: string) => `[worktree]\n${table}\n[project]\nname = "shop"\n`;

  test("is read from the last layer that has it, also where the rest has errors", () => {
    const own = '[worktree]\nsetup = "mine"\n';
    const its = read(withTable('copy = [".env"]\nsetup = "npm i"'), { own });
    const wanted = { copy: [".env"], setup: "mine", teardown: undefined, folder: ".." };
    expect(its.worktree).toEqual(wanted);
    const wrong = read(withTable('copy = [".env"]'), { own: "[services.api]\nport = 'x'\n" });
    expect(wrong).toMatchObject({ kind: "mistakes", worktree: { copy: [".env"] } });
  });

  test("of a committed file has paths of the repository, and a folder beside it or inside", () => {
    for (const [table, line] of [
      ['copy = ["a", "/etc/passwd"]', "locald.toml:2 worktree.copy[1]: "],
      ['copy = ["~/.ssh"]', "locald.toml:2 worktree.copy[0]: "],
      ['folder = "/etc"', "locald.toml:2 worktree.folder: "],
      ['folder = "~/.config"', "locald.toml:2 worktree.folder: "],
      ['folder = "x/../../../y"', "locald.toml:2 worktree.folder: "],
      ["setup = 1", "locald.toml:2 worktree.setup: "],
      ["set_up = 1", "locald.toml:2 worktree.set_up: "],
    ] as const) {
      const its = read(withTable(table));
      expect(its.kind === "mistakes" && its.mistakes[0], table).toStartWith(line);
    }
    for (const folder of ["..", "../trees", ".worktrees", "."]) {
      expect(read(withTable(`folder = "${folder}"`)).kind).toBe("project");
    }
    const own = '[worktree]\nfolder = "/srv/trees"\n';
    expect(read(plain, { own }).worktree?.folder).toBe("/srv/trees");
  });
});
