/** Worktrees of one repository, all up in a real daemon: each is a project of its own, until its folder is gone. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { mkdir, readdir, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { SupervisedStatus } from "../../src/routes/project-report.ts";
import { cli } from "../cli/cli.ts";
import { eventually } from "../support/eventually.ts";
import { isAlive, type ProjectPlace, projectPlace } from "../support/project-place.ts";
import { freePort } from "../support/servers.ts";
import { type Repository, repository } from "../support/repository.ts";

/** It tells who it is, and which names its database has; a POST adds one. */
const api = `exec bun -e '
  const { PORT, DATABASE_URL, WHO } = process.env;
  const { Database } = await import("bun:sqlite");
  const rows = new Database(DATABASE_URL.replace("sqlite:", ""));
  rows.run("create table if not exists names (name text)");
  Bun.serve({
    port: Number(PORT),
    hostname: "127.0.0.1",
    async fetch(request) {
      if (request.method === "POST") rows.run("insert into names values (?)", [await request.text()]);
      return new Response([WHO, ...rows.query("select name from names").values()].join(" "));
    },
  });
'`;

const port = freePort();

const toml = `[project]
name = "shop"
domain = "shop.localhost"
[services.api]
command = """${api}"""
port = ${port}
env = { DATABASE_URL = "sqlite:\${project.dir}/shop.sqlite", WHO = "\${project.name} \${services.api.port} \${project.domain}" }
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

const answerOf = async ({ url }: SupervisedStatus, more: RequestInit = {}) =>
  await (await fetch(url!, { ...more, headers: { Host: new URL(url!).host } })).text();

const pidsOf = async (project: string) =>
  (await place.rows()).flatMap((row) => (row.project === project ? (row.pid ?? []) : []));

/** Nothing of the project is left: no process, registration, port or log. */
async function isFree(project: string, pids: readonly number[]): Promise<void> {
  const logs = join(place.daemon.directory, "logs", project);
  await eventually(`${project} is free`, async () => {
    const rows = (await place.rows()).filter((row) => row.project === project);
    const names = (await registered()).map(({ name }) => name);
    const ports = JSON.stringify(await place.state()).includes(`"${project}:`);
    return rows.length === 0 && !names.includes(project) && !ports && !existsSync(logs);
  });
  for (const pid of pids) expect(await isAlive(pid)).toBe(false);
}

test("five worktrees and the main checkout are up at once, and share no name, port, database or log", async () => {
  const branches = ["fix/nav", "one", "two", "three", "four"];
  const folders: string[] = [];
  for (const branch of branches) folders.push(await worktree(branch));
  const [nav, one] = folders as [string, string];
  expect(await upAt(main)).not.toContain(`${port} (api)`);
  const said = await Promise.all(folders.map((folder) => upAt(folder)));
  expect(said[0]).toContain(
    `port ${port} (api) is the main checkout's, so fix-nav.shop has a free one here`,
  );
  const projects = ["shop", "fix-nav.shop", "one.shop", "two.shop", "three.shop", "four.shop"];
  const apis = await Promise.all(projects.map((project) => place.row(`${project}:api`)));
  expect(apis.map((row) => [row.project, row.path, row.route_name])).toEqual(
    projects.map((project, at) => [project, [main, ...folders][at]!, `api.${project}`]),
  );
  expect(apis[0]!.port).toBe(port);
  expect(new Set(apis.map(({ port }) => port)).size).toBe(6);
  for (const row of apis) {
    const who = `${row.project} ${row.port} ${row.project}.localhost`;
    expect(await answerOf(row, { method: "POST", body: row.project })).toBe(
      `${who} ${row.project}`,
    );
    expect(await place.logs(`${row.project}:jobs`)).toEqual([`jobs of ${row.project}`]);
  }
  // The folder's own comes first, and a note is told once.
  expect((await at(nav)("status", "api")).out).toContain("fix-nav.shop:api");
  expect((await at(main)("url", "api")).out).toContain("http://api.shop.localhost");
  expect((await at(nav)("url", "api")).out).toContain("http://api.fix-nav.shop.localhost");
  expect((await at(main)("url", "one.shop:api")).out).toContain("http://api.one.shop.localhost");
  expect(await upAt(nav)).not.toContain(`${port} (api)`);
  // Edits in two, while a third one is deleted, change nothing of the others.
  const [gone] = await pidsOf("four.shop");
  for (const folder of [nav, one]) await writeFile(join(folder, ".env"), "EDITED=1\n");
  await rm(folders[4]!, { recursive: true });
  for (const its of apis.slice(1, 3)) {
    await place.until(its.name, (row) => row.ready && row.pid !== its.pid);
  }
  await isFree("four.shop", [gone!]);
  for (const its of [apis[0]!, apis[3]!, apis[4]!]) {
    expect((await place.row(its.name)).pid).toBe(its.pid);
    expect(await answerOf(its)).toEndWith(` ${its.project}`);
  }
  // From anywhere, by name; then all that is left goes with its worktree.
  const stop = await at(one)("stop", "fix-nav.shop");
  expect({ code: stop.code, err: stop.err }).toEqual({ code: 0, err: "" });
  expect((await place.row("one.shop:api")).ready).toBe(true);
  const ends = (await Promise.all(projects.slice(1, 5).map(pidsOf))).flat();
  for (const branch of branches.slice(0, 4)) {
    const removed = await at(main)("worktree", "remove", "--force", branch);
    expect({ code: removed.code, err: removed.err }).toMatchObject({ code: 0 });
  }
  await at(main)("worktree", "remove", "--force", "four");
  for (const project of projects.slice(1)) await isFree(project, ends);
  expect(await registered()).toMatchObject([{ name: "shop", path: main }]);
  expect((await readdir(join(place.daemon.directory, "logs"))).sort()).toEqual(["shop"]);
  expect(await answerOf(apis[0]!)).toEndWith(" shop");
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
  const own = freePort();
  const locally = `[project]\nname = "mine"\n[services.api]\nport = ${own}\n`;
  await writeFile(join(keep, "locald.local.toml"), locally);
  expect(await place.until("mine:api", (row) => row.ready)).toMatchObject({ port: own });
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

test("a repository that is deleted with its worktree ends the worktree's services; one that is moved does not", async () => {
  const parent = join(main, "../whole");
  const plain = "[services.jobs]\ntype = 'worker'\ncommand = 'exec sleep 1000'\n";
  await mkdir(join(parent, "wood"), { recursive: true });
  await writeFile(join(parent, "wood/locald.toml"), plain);
  const wood = await repository(join(parent, "wood"));
  await wood.commit("Wood");
  const leaf = join(parent, "leaf");
  await wood.git("worktree", "add", "--quiet", "-b", "leaf", leaf);
  await upAt(leaf);
  const before = await pidsOf("leaf.wood");
  const now = `${parent}-moved`;
  await rename(parent, now);
  await place.until("leaf.wood:jobs", ({ path }) => path === join(now, "leaf"));
  expect(await pidsOf("leaf.wood")).toEqual(before);
  await rm(now, { recursive: true });
  await isFree("leaf.wood", before);
}, 60_000);
