/** The services that a verb is about, by the folder that it is given in. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { othersText, rowsFor, rowsShown } from "../../src/cli/projects/here.ts";
import type { Row } from "../../src/cli/projects/asking.ts";
import { UsageError } from "../../src/cli/shared/settings.ts";

let root: string;
let rows: Row[];

beforeAll(() => {
  root = realpathSync(mkdtempSync(join(tmpdir(), "localhostess-here-")));
  for (const folder of ["shop/below/deep", "shop/inner", "repo/.git", "repo/new/below"]) {
    mkdirSync(join(root, folder), { recursive: true });
  }
  // A file that cannot be read: where it is, is all that counts.
  for (const folder of ["shop/inner", "repo/new"]) {
    writeFileSync(join(root, folder, "locald.toml"), "not = toml = at all");
  }
  rows = ["shop:api", "shop:db", "blog:web", "wiki:web"].map((name) => {
    const [project, service] = name.split(":");
    return { name, project, service, path: join(root, project!) } as unknown as Row;
  });
});

afterAll(() => rmSync(root, { recursive: true, force: true }));

const at = (folder: string) => ({
  rows,
  world: { cwd: join(root, folder), home: root, env: {}, platform: process.platform },
});
const namesOf = (these: readonly Row[]) => these.map((row) => row.name);

test("are those of the project here or above, whatever the daemon knows it by", async () => {
  for (const folder of ["shop", "shop/below", "shop/below/deep"]) {
    const shown = await rowsShown(at(folder));
    expect(namesOf(shown.rows)).toEqual(["shop:api", "shop:db"]);
    expect(shown).toMatchObject({ others: 2, unknown: undefined });
    expect(othersText(shown, { verb: "status" })).toBe(
      "2 other projects: localhostess status --all",
    );
    expect(namesOf(await rowsFor([], at(folder)))).toEqual(["shop:api", "shop:db"]);
  }
});

test("are none in a project that the daemon does not know, even within another or a repository", async () => {
  for (const [folder, project] of [
    ["shop/inner", "shop/inner"],
    ["repo/new", "repo/new"],
    ["repo/new/below", "repo/new"],
  ] as const) {
    const shown = await rowsShown(at(folder));
    expect(shown).toEqual({ rows: [], others: 3, unknown: join(root, project) });
    const text = othersText(shown, { verb: "monitor" });
    expect(text).toContain(`nothing of ${join(root, project)} is up`);
    expect(text).toContain("(3 other projects: localhostess monitor --all)");
    await expect(rowsFor([], at(folder))).rejects.toThrow("localhostess up");
  }
});

test("are all of them outside every project, and with --all, which takes no names", async () => {
  const shown = await rowsShown(at("repo"));
  expect(shown).toMatchObject({ others: 0, unknown: undefined });
  expect(shown.rows).toEqual(rows);
  expect(othersText(shown, { verb: "status" })).toBeUndefined();
  // `up` would find nothing to start either.
  const none = `there is no project in ${join(root, "repo")}`;
  await expect(rowsFor([], at("repo"))).rejects.toThrow(
    `${none}; name a project (shop, blog and wiki) or a service, or use --all`,
  );
  await expect(rowsFor([], { ...at("repo"), rows: [] })).rejects.toThrow(new Error(none));
  expect(await rowsFor([], { ...at("shop"), all: true })).toEqual(rows);
  await expect(rowsFor(["api"], { ...at("shop"), all: true })).rejects.toBeInstanceOf(UsageError);
  expect(namesOf(await rowsFor(["blog", "api"], at("shop/inner")))).toEqual([
    "blog:web",
    "shop:api",
  ]);
});
