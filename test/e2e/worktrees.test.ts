/** Worktrees of one repository, all up in a real daemon: each is a project of its own, until its folder is gone. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { SupervisedStatus } from "../../src/routes/project-report.ts";
import { cli } from "../cli/cli.ts";
import { eventually } from "../support/eventually.ts";
import { isAlive, type ProjectPlace, projectPlace, server } from "../support/project-place.ts";
import { type Repository, repository } from "../support/repository.ts";

const toml = `[project]
name = "shop"
domain = "shop.localhost"
[services.api]
command = """${server}"""
port = 28311
env = { FOO = "\${project.name} \${services.api.port} \${project.domain}" }
[services.jobs]
type = "worker"
command = "echo jobs of \${project.name}; exec sleep 1000"
`;

let place: ProjectPlace;
let main: string;
let git: Repository;

beforeAll(async () => {
  place = await projectPlace();
  main = await place.project("shop", toml);
  git = await repository(main);
  await git.commit("Shop");
}, 60_000);
afterAll(() => place[Symbol.asyncDispose]());

const at =
  (directory: string) =>
  (...words: string[]) =>
    cli(words, { env: place.daemon.env, cwd: directory });

async function worktree(branch: string, folder = branch.replace("/", "-")): Promise<string> {
  const directory = join(main, "..", folder);
  await git.git("worktree", "add", "--quiet", "-b", branch, directory);
  return directory;
}

async function upAt(directory: string, more: Record<string, unknown> = {}): Promise<string> {
  const lines = await place.up(directory, more);
  expect(lines.at(-1)).toBe("Ok");
  return JSON.stringify(lines);
}

const registered = async () => {
  type Known = { RegistryList: { name: string; path: string }[] };
  return (await place.send<Known>("RegistryList")).RegistryList;
};

const answerOf = async ({ url }: SupervisedStatus) =>
  await (await fetch(url!, { headers: { Host: new URL(url!).host } })).text();

/** Nothing of the project is left: no process, registration, port or log. */
async function isFree(project: string, pids: readonly (number | null)[]): Promise<void> {
  const logs = join(place.daemon.directory, "logs", project);
  await eventually(`${project} is free`, async () => {
    const rows = (await place.rows()).filter((row) => row.project === project);
    const names = (await registered()).map(({ name }) => name);
    const ports = JSON.stringify(await place.state()).includes(`"${project}:`);
    return rows.length === 0 && !names.includes(project) && !ports && !existsSync(logs);
  });
  for (const pid of pids) expect(await isAlive(pid!)).toBe(false);
}

test("the main checkout and two worktrees are up at once, and share no name, port or log", async () => {
  const nav = await worktree("fix/nav");
  const other = await worktree("other");
  expect(await upAt(main)).not.toContain("28311 (api)");
  expect(await upAt(nav)).toContain(
    "port 28311 (api) is the main checkout's, so fix-nav.shop has a free one here",
  );
  await upAt(other);
  const apis = await Promise.all(
    ["shop", "fix-nav.shop", "other.shop"].map((name) => place.row(`${name}:api`)),
  );
  expect(apis.map((row) => [row.project, row.path, row.route_name])).toEqual([
    ["shop", main, "api.shop"],
    ["fix-nav.shop", nav, "api.fix-nav.shop"],
    ["other.shop", other, "api.other.shop"],
  ]);
  expect(apis[0]!.port).toBe(28_311);
  expect(new Set(apis.map(({ port }) => port)).size).toBe(3);
  for (const row of apis) {
    expect(await answerOf(row)).toBe(`${row.project} ${row.port} ${row.project}.localhost`);
    expect(await place.logs(`${row.project}:jobs`)).toContain(`jobs of ${row.project}`);
  }
  // The folder's own comes first, and a name is told once.
  expect((await at(nav)("status", "api")).out).toContain("fix-nav.shop:api");
  expect((await at(main)("url", "api")).out).toContain("http://api.shop.localhost");
  expect((await at(nav)("url", "api")).out).toContain("http://api.fix-nav.shop.localhost");
  expect(await upAt(nav)).not.toContain("28311 (api)");
  // An edit in one changes nothing of the others.
  await writeFile(join(nav, ".env"), "EDITED=1\n");
  const before = apis[1]!.pid;
  await place.until("fix-nav.shop:api", (row) => row.ready && row.pid !== before);
  for (const row of [apis[0]!, apis[2]!]) expect((await place.row(row.name)).pid).toBe(row.pid);
  const stop = await at(other)("stop", "fix-nav.shop");
  expect({ code: stop.code, err: stop.err }).toEqual({ code: 0, err: "" });
  expect((await place.row("other.shop:api")).ready).toBe(true);
}, 120_000);

test("a project keeps its name while it is up, whatever branch is checked out, and over a new daemon", async () => {
  const keep = await worktree("keep");
  await upAt(keep);
  await git.git("-C", keep, "switch", "--quiet", "--create", "later");
  expect(await upAt(keep)).toContain("it goes on as keep.shop until it is stopped");
  await place.daemon.run("server", "stop");
  await place.daemon.start();
  await place.until("keep.shop:api", (row) => row.ready);
  expect((await at(keep)("stop")).code).toBe(0);
  await upAt(keep);
  await place.until("later.shop:api", (row) => row.ready);
  expect((await place.rows()).map(({ project }) => project)).not.toContain("keep.shop");
  const locally = '[project]\nname = "mine"\n[services.api]\nport = 28312\n';
  await writeFile(join(keep, "locald.local.toml"), locally);
  expect(await place.until("mine:api", (row) => row.ready)).toMatchObject({ port: 28_312 });
  await upAt(keep, { name: "given" });
  await place.until("given:api", (row) => row.ready);
  await upAt(keep);
  expect((await place.row("given:api")).ready).toBe(true);
  await upAt(keep, { name: null });
  expect((await place.row("mine:api")).ready).toBe(true);
  expect((await at(keep)("stop")).code).toBe(0);
}, 120_000);

test("a worktree that git moves goes on where it is, and one that is deleted ends and frees all it had", async () => {
  const moving = await worktree("moving");
  const removed = await worktree("removed");
  const rubbed = await worktree("rubbed");
  await Promise.all([moving, removed, rubbed].map((its) => upAt(its)));
  const pidsOf = async (project: string) =>
    (await place.rows()).filter((row) => row.project === project).map(({ pid }) => pid);
  const [moved, ends, gone] = await Promise.all(
    ["moving.shop", "removed.shop", "rubbed.shop"].map(pidsOf),
  );
  const now = join(main, "../elsewhere/moved");
  await mkdir(join(now, ".."));
  await git.git("worktree", "move", moving, now);
  await git.git("worktree", "remove", "--force", removed);
  await rm(rubbed, { recursive: true });
  await isFree("removed.shop", ends!);
  await isFree("rubbed.shop", gone!);
  await place.until("moving.shop:api", ({ path }) => path === now);
  expect(await pidsOf("moving.shop")).toEqual(moved!);
  expect(await registered()).toContainEqual(expect.objectContaining({ path: now }));
  // While no daemon runs, too.
  await place.daemon.run("server", "stop");
  await rm(now, { recursive: true });
  await place.daemon.start();
  await isFree("moving.shop", moved!);
  expect((await place.row("shop:api")).path).toBe(main);
}, 120_000);
