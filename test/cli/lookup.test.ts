/** A word and the folder that it is typed in -> the services that it names, for every verb. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { servicesMeant } from "../../src/cli/shared/lookup.ts";
import { hostsOf, type Nameable } from "../../src/routes/named.ts";

let root: string;
let rows: Nameable[];

beforeAll(() => {
  root = realpathSync(mkdtempSync(join(tmpdir(), "localhostess-lookup-")));
  for (const folder of ["shop/src", "shop/api/docs", "blog", "new/below", "none"]) {
    mkdirSync(join(root, folder), { recursive: true });
  }
  const toml = (name: string) =>
    `[project]\nname = "${name}"\n[services.api]\ncommand = "true"\n[services.db]\ntype = "worker"\ncommand = "true"\n`;
  for (const name of ["shop", "blog", "new"]) {
    writeFileSync(join(root, name, "locald.toml"), toml(name));
  }
  symlinkSync(join(root, "shop"), join(root, "link"));
  rows = ["shop:api", "shop:db", "blog:api", "blog:web", "gone:old"].map((id) => {
    const [project, service] = id.split(":") as [string, string];
    const hosts = hostsOf([`${service}.${project}`], `${project}.localhost`);
    return { id, project, service, directory: join(root, project), hosts };
  });
});

afterAll(() => rmSync(root, { recursive: true, force: true }));

async function meant(word: string, folder: string): Promise<readonly string[] | string> {
  const world = { cwd: join(root, folder), home: root, env: {}, platform: process.platform };
  const found = await servicesMeant(word, { rows, world });
  if (found.kind === "rows") return found.rows.map(({ id }) => id);
  return found.why.replaceAll(root, "");
}

const shop = ["shop:api", "shop:db"];

test.each([
  ["api", "shop", ["shop:api"]],
  ["api", "shop/src", ["shop:api"]],
  ["api", "blog", ["blog:api"]],
  ["shop:api", "blog", ["shop:api"]],
  ["api.shop", "blog", ["shop:api"]],
  ["http://api.shop.localhost:9090/users", "blog", ["shop:api"]],
  ["web", "shop", ["blog:web"]],
  ["shop", "blog", shop],
])("%s in %s", async (word, folder, ids) => {
  expect(await meant(word, folder)).toEqual(ids);
});

describe("A folder stands for its project", () => {
  test.each([
    [".", "shop"],
    ["./", "shop"],
    ["..", "shop/src"],
    ["../shop", "blog"],
    ["../shop/locald.toml", "blog"],
    ["./shop/src", "."],
    ["~/shop", "blog"],
    ["link/", "."],
    ["shop/", "."],
    ["link", "."],
  ])("%s in %s", async (word, folder) => {
    expect(await meant(word, folder)).toEqual(shop);
  });

  test("by its absolute path, also where it is gone", async () => {
    expect(await meant(join(root, "shop"), "blog")).toEqual(shop);
    expect(await meant(join(root, "gone"), "blog")).toEqual(["gone:old"]);
  });

  test("but a name with a path is a name, unless a project is there", async () => {
    expect(await meant("api/docs", "shop")).toEqual(["shop:api"]);
    expect(await meant("api/docs", "none")).toContain("use shop:api or blog:api");
  });

  test("and where no project is, or no folder, the command that helps is another", async () => {
    const none = "no locald.toml, Procfile.dev or Procfile in /none; create one with: ";
    expect(await meant(".", "none")).toBe(`${none}localhostess init`);
    expect(await meant("../none", "new")).toBe(`${none}cd /none && localhostess init`);
    expect(await meant("./nowhere", "none")).toBe("no such folder: /none/nowhere");
  });

  test("and one that is not up is told, with the command", async () => {
    expect(await meant("./new", ".")).toBe(
      `nothing of /new is up; start it with: localhostess up /new`,
    );
  });
});

test("a service of the project here comes first, also where nobody has started it", async () => {
  for (const folder of ["new", "new/below"]) {
    expect(await meant("api", folder)).toBe(
      "new:api: nobody has started it; start it with: localhostess up /new api",
    );
    expect(await meant("new:api", folder)).toContain("nobody has started it");
    // Whoever writes the project as well means that one.
    expect(await meant("shop:api", folder)).toEqual(["shop:api"]);
    expect(await meant("web", folder)).toEqual(["blog:web"]);
  }
});

test("a word for nothing is told the nearest, whatever it holds", async () => {
  expect(await meant("apu", "shop")).toBe("no service is named apu; did you mean api?");
  expect(await meant("\x1b[2J\n", "shop")).not.toMatch(/[\x00-\x1f]/);
  expect(await meant("/\x1b[2J\n", "shop")).not.toMatch(/[\x00-\x1f]/);
  for (const word of ["", "/", ":", "://", "http://", "~", "a".repeat(100_000)]) {
    expect(await meant(word, "shop")).toBeString();
  }
});
