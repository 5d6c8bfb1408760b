/** Worktrees of one repository, all up in a real daemon: each is a project of its own, until its folder is gone. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { mkdir, readdir, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { inProcess } from "../cli/in-process.ts";
import { eventually } from "../support/eventually.ts";
import { isAlive, type ProjectPlace, projectPlace } from "../support/project-place.ts";
import { freePort, uniqueName } from "../support/servers.ts";
import { type Repository, repository } from "../support/repository.ts";

const shop = uniqueName("shop");
const port = freePort();

/** A server with a database, in which a POST writes a row, and one that asks it, and says whose it is. */
const toml = `[project]
name = "${shop}"
domain = "${shop}.localhost"
[services.web]
command = "exec bun serve.mjs"
port = ${port}
depends_on = ["db"]
env = { API = "\${services.db.url}", WHO = "\${project.name} \${services.web.port} \${project.domain}" }
[services.db]
command = "exec bun serve.mjs"
env = { DATABASE_URL = "sqlite:\${project.dir}/shop.sqlite" }
`;

const server = `const { PORT, DATABASE_URL, API, WHO } = process.env;
console.log("serving", WHO ?? DATABASE_URL);
async function rowOf(request) {
  const { Database } = await import("bun:sqlite");
  using rows = new Database(DATABASE_URL.replace("sqlite:", ""));
  rows.run("create table if not exists names (name text)");
  if (request.method === "POST") rows.run("insert into names values (?)", [await request.text()]);
  return rows.query("select name from names").values().join(" ");
}
Bun.serve({
  port: Number(PORT),
  hostname: "127.0.0.1",
  async fetch(request) {
    if (DATABASE_URL !== undefined) return new Response(await rowOf(request));
    const row = await fetch(API, { method: request.method, body: request.body });
    return new Response([WHO, await row.text()].join(": "));
  },
});`;

let place: ProjectPlace;
let main: string;
let git: Repository;

beforeAll(async () => {
  place = await projectPlace();
  main = await place.project(shop, toml);
  await writeFile(join(main, "serve.mjs"), server);
  await writeFile(join(main, ".gitignore"), "shop.sqlite\n.env\nlocald.local.toml\n");
  git = await repository(main);
  await git.commit("Shop");
}, 60_000);
afterAll(() => place[Symbol.asyncDispose]());

const at =
  (directory: string) =>
  (...words: string[]) =>
    inProcess(words, { env: place.daemon.env, cwd: directory });

/** With exit code 0. */
async function done(directory: string, ...words: string[]): Promise<string> {
  const { code, out, err } = await at(directory)(...words);
  expect({ words, code, err }).toMatchObject({ words, code: 0 });
  return out;
}

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

/** By the proxy. */
async function ask(name: string, request: RequestInit = {}) {
  const found = await place.daemon.find();
  if (found.kind !== "healthy") throw new Error(JSON.stringify(found));
  const headers = { Host: `${name}.localhost` };
  const { port } = found.registration;
  const answer = await fetch(`http://127.0.0.1:${port}/`, { ...request, headers });
  return { status: answer.status, body: await answer.text() };
}

const said = async (name: string, request?: RequestInit) => (await ask(name, request)).body;

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

test("five worktrees and the main checkout are up at once, and each is on its own until its end", async () => {
  const branches = ["fix/nav", "one", "two", "three", "four"];
  const folders: string[] = [];
  for (const branch of branches) folders.push(await worktree(branch));
  const [nav, one, , , four] = folders as [string, string, string, string, string];
  const notes = await Promise.all([main, ...folders].map((folder) => upAt(folder)));
  const labels = ["fix-nav", "one", "two", "three", "four"];
  const projects = [shop, ...labels.map((label) => `${label}.${shop}`)];
  const freed = `port ${port} (web) is the main checkout's, so fix-nav.${shop} has a free one here`;
  expect(notes.map((its) => its.includes(freed))).toEqual([false, true, ...Array(4).fill(false)]);

  // Names and ports, also of what a service is told of another; the committed port is the main checkout's.
  const rows = await place.rows();
  const webs = projects.map((project) => rows.find(({ name }) => name === `${project}:web`)!);
  expect(rows.map(({ name }) => name).sort()).toEqual(
    projects.flatMap((project) => [`${project}:db`, `${project}:web`]).sort(),
  );
  expect(webs.map((row) => row.path)).toEqual([main, ...folders]);
  expect(webs[0]!.port).toBe(port);
  expect(new Set(rows.map((row) => row.port)).size).toBe(12);
  // Databases and logs.
  await Promise.all(projects.map((project) => ask(project, { method: "POST", body: project })));
  const whose = (project: string) =>
    `${project} ${webs[projects.indexOf(project)]!.port} ${project}.localhost`;
  for (const project of projects) {
    expect(await said(project)).toBe(`${whose(project)}: ${project}`);
    expect(await said(`x.db.${project}`)).toBe(project);
    expect(await place.logs(`${project}:web`)).toEqual([`serving ${whose(project)}`]);
  }
  // The folder's own comes first.
  expect(await done(nav, "status", "web")).toContain(`fix-nav.${shop}:web`);
  expect(await done(main, "url", "db")).toContain(`http://db.${shop}.localhost`);
  expect(await done(nav, "url", "db")).toContain(`http://db.fix-nav.${shop}.localhost`);
  expect(await done(main, "url", `one.${shop}:db`)).toContain(`http://db.one.${shop}.localhost`);

  // Edits in two, while a third one is deleted, change nothing of the others.
  const ends = await pidsOf(`four.${shop}`);
  for (const folder of [nav, one]) await writeFile(join(folder, ".env"), "EDITED=1\n");
  await rm(four, { recursive: true });
  for (const its of webs.slice(1, 3)) {
    await place.until(its.name, (row) => row.ready && row.pid !== its.pid);
  }
  await isFree(`four.${shop}`, ends);
  for (const its of [webs[0]!, webs[3]!, webs[4]!]) {
    expect((await place.row(its.name)).pid).toBe(its.pid);
  }
  for (const project of projects.slice(0, 5)) {
    expect(await said(project)).toBe(`${whose(project)}: ${project}`);
  }
  // Nobody answers for it.
  for (const name of ["", "db.", "x."]) {
    expect(await ask(`${name}four.${shop}`)).toMatchObject({ status: 404 });
  }
  expect(await said(`four.${shop}`)).toContain("localhostess worktree add four");

  // One origin shows any of them.
  for (const label of ["fix-nav", "three"]) {
    await done(main, "use", label);
    expect(await said(shop)).toStartWith(`${label}.${shop} `);
    expect(await said(`two.${shop}`)).toStartWith(`two.${shop} `);
  }

  // Made anew in its place at once, it has nothing of what was there.
  const before = await pidsOf(`two.${shop}`);
  await rm(folders[2]!, { recursive: true });
  await git.git("worktree", "add", "--quiet", "--force", folders[2]!, "two");
  await isFree(`two.${shop}`, before);

  // From anywhere, by name; then all that is left goes with its worktree, also what is shown.
  await done(one, "stop", `fix-nav.${shop}`);
  expect((await place.row(`one.${shop}:web`)).ready).toBe(true);
  const left = (await Promise.all(projects.slice(1).map(pidsOf))).flat();
  for (const branch of branches) {
    const { code } = await at(main)("worktree", "remove", "--force", branch);
    expect([branch, code]).toEqual([branch, 0]);
  }
  for (const project of projects.slice(1)) await isFree(project, left);
  expect(await registered()).toMatchObject([{ name: shop, path: main }]);
  expect(await readdir(join(place.daemon.directory, "logs"))).toEqual([shop]);
  expect(await git.git("worktree", "list")).not.toContain("\n");
  await eventually("the origin is the main checkout's", async () =>
    (await said(shop)).startsWith(`${shop} `),
  );
  expect((await place.row(`${shop}:web`)).pid).toBe(webs[0]!.pid);
}, 120_000);

test("a project keeps its name while it is up, and a worktree that is moved goes on, both over a new daemon", async () => {
  const [keep, moving] = [await worktree("keep"), await worktree("moving")];
  await Promise.all([upAt(keep), upAt(moving)]);
  const moved = await pidsOf(`moving.${shop}`);
  await git.git("-C", keep, "switch", "--quiet", "--create", "later");
  expect(await upAt(keep)).toContain(`it goes on as keep.${shop} until it is stopped`);
  const now = join(main, "../elsewhere/moved");
  await mkdir(join(now, ".."));
  await git.git("worktree", "move", moving, now);
  await place.until(`moving.${shop}:web`, ({ path }) => path === now);
  expect(await pidsOf(`moving.${shop}`)).toEqual(moved);
  expect(await registered()).toContainEqual(expect.objectContaining({ path: now }));
  // One that is deleted while no daemon runs ends with the next one.
  await place.daemon.run("server", "stop");
  await rm(now, { recursive: true });
  await place.daemon.start();
  await isFree(`moving.${shop}`, moved);
  await place.until(`keep.${shop}:web`, (row) => row.ready);
  await done(keep, "stop");
  await upAt(keep);
  await place.until(`later.${shop}:web`, (row) => row.ready);
  expect((await place.rows()).map(({ project }) => project)).not.toContain(`keep.${shop}`);
  // Names for this folder alone.
  const [mine, given, own] = [uniqueName("mine"), uniqueName("given"), freePort()];
  const locally = `[project]\nname = "${mine}"\n[services.web]\nport = ${own}\n`;
  await writeFile(join(keep, "locald.local.toml"), locally);
  expect(await place.until(`${mine}:web`, (row) => row.ready)).toMatchObject({ port: own });
  await upAt(keep, { name: given });
  await upAt(keep);
  expect((await place.row(`${given}:web`)).ready).toBe(true);
  await upAt(keep, { name: null });
  expect((await place.row(`${mine}:web`)).ready).toBe(true);
  await done(keep, "stop");
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
