/** Five worktrees of one project, up at once: what each has is its own, one origin shows any, and nothing is left. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { existsSync, readdirSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { cli } from "../cli/cli.ts";
import { eventually } from "../support/eventually.ts";
import { isAlive, type ProjectPlace, projectPlace } from "../support/project-place.ts";
import { type Repository, repository } from "../support/repository.ts";
import { uniqueName } from "../support/servers.ts";

/** A database that a client reads and writes, and that keeps its only row in the project's folder. */
const database = `const file = "data/row";
Bun.serve({ port: Number(process.env.PORT), hostname: "127.0.0.1", async fetch(request) {
  if (request.method === "POST") await Bun.write(file, await request.text());
  return new Response(await Bun.file(file).exists() ? Bun.file(file) : "empty");
} });`;

/** Passes everything on to its database, and says whose it is. */
const web = `const { PORT, DATABASE_URL, TAG } = process.env;
console.log("serving " + TAG);
Bun.serve({ port: Number(PORT), hostname: "127.0.0.1", async fetch(request) {
  const row = await fetch(DATABASE_URL, { method: request.method, body: request.body });
  return new Response(TAG + ": " + await row.text());
} });`;

/** Another server of this machine may be called shop. */
const shop = uniqueName("shop");

const toml = `[project]
name = "${shop}"
[services.web]
command = "exec bun web.mjs"
depends_on = ["db"]
env = { DATABASE_URL = "http://127.0.0.1:\${services.db.port}/", TAG = "\${project.name}" }
[services.db]
command = "exec bun db.mjs"
`;

const branches = ["fix/one", "two", "three", "four", "five"];
const labels = branches.map((branch) => branch.replace("/", "-"));
const projects = labels.map((label) => `${label}.${shop}`);

let place: ProjectPlace;
let main: string;
let git: Repository;
const folderOf = (label: string) => join(main, "..", label);

beforeAll(async () => {
  place = await projectPlace();
  main = await place.project(shop, toml);
  await writeFile(join(main, "web.mjs"), web);
  await writeFile(join(main, "db.mjs"), database);
  await writeFile(join(main, ".gitignore"), "data\n.env\n");
  git = await repository(main);
  await git.commit("Shop");
  for (const [at, branch] of branches.entries()) {
    await git.git("worktree", "add", "--quiet", "-b", branch, folderOf(labels[at]!));
    await mkdir(join(folderOf(labels[at]!), "data"));
  }
}, 60_000);
afterAll(() => place[Symbol.asyncDispose]());

async function ask(name: string, request: RequestInit = {}) {
  const { port } = new URL((await place.row(`two.${shop}:web`)).url!);
  const answer = await fetch(`http://127.0.0.1:${port}/`, {
    ...request,
    headers: { ...(request.headers as Record<string, string>), Host: `${name}.localhost` },
  });
  return { status: answer.status, body: await answer.text() };
}

const said = async (name: string, request?: RequestInit) => (await ask(name, request)).body;

const use = async (...words: string[]) => {
  const { code, err } = await cli(["use", ...words], { env: place.daemon.env, cwd: main });
  if (code !== 0) throw new Error(err);
};

test("five worktrees of one project are up at once, and each is on its own until its end", async () => {
  await Promise.all(
    labels.map(async (label) => {
      expect((await place.up(folderOf(label))).at(-1)).toBe("Ok");
    }),
  );
  const rows = await place.rows();
  expect(rows.map(({ name }) => name).sort()).toEqual(
    projects.flatMap((project) => [`${project}:db`, `${project}:web`]).sort(),
  );
  expect(new Set(rows.map(({ port }) => port)).size).toBe(10);

  // Names and databases: each reads what was written there.
  for (const project of projects) {
    await ask(project, { method: "POST", body: `row of ${project}` });
  }
  for (const project of projects) {
    expect(await said(project)).toBe(`${project}: row of ${project}`);
    expect(await said(`x.db.${project}`)).toBe(`row of ${project}`);
    // Logs.
    expect((await place.logs(`${project}:web`)).join()).toBe(`serving ${project}`);
  }
  // The main checkout is not up, and no worktree answers for it.
  expect(await ask(shop)).toMatchObject({ status: 404 });

  // Edits in two of them change nothing of the others.
  const pids = new Map(rows.map(({ name, pid }) => [name, pid]));
  for (const label of labels.slice(0, 2)) {
    await writeFile(join(folderOf(label), ".env"), "EDITED=1\n");
  }
  for (const project of projects.slice(0, 2)) {
    const name = `${project}:web`;
    await place.until(name, ({ ready, pid }) => ready && pid !== pids.get(name));
    expect(await said(project)).toBe(`${project}: row of ${project}`);
  }
  for (const { name, pid } of await place.rows()) {
    if (/^(?:three|four|five)\./.test(name)) expect([name, pid]).toEqual([name, pids.get(name)!]);
  }

  // One origin shows any of them.
  expect((await place.up(main)).at(-1)).toBe("Ok");
  expect(await said(shop)).toBe(`${shop}: empty`);
  await use("fix-one");
  expect(await said(shop)).toBe(`fix-one.${shop}: row of fix-one.${shop}`);
  await use("three");
  expect(await said(shop)).toBe(`three.${shop}: row of three.${shop}`);
  expect(await said(`four.${shop}`)).toBe(`four.${shop}: row of four.${shop}`);
  await use("--");
  expect(await said(shop)).toBe(`${shop}: empty`);

  // A worktree that is deleted ends, and nobody answers for it.
  const five = (await place.rows()).filter(({ project }) => project === `five.${shop}`);
  await git.git("worktree", "remove", "--force", folderOf("five"));
  await place.gone(`five.${shop}:web`);
  for (const { pid } of five) expect(await isAlive(pid!)).toBe(false);
  for (const name of [`five.${shop}`, `db.five.${shop}`, `x.five.${shop}`]) {
    expect(await ask(name)).toMatchObject({ status: 404 });
  }
  expect(await said(`five.${shop}`)).toContain("localhostess worktree add five");
  expect(await said(`four.${shop}`)).toBe(`four.${shop}: row of four.${shop}`);
  await eventually("its logs are gone", () => !existsSync(logs(`five.${shop}`)));

  // Nothing is left of what is stopped.
  const all = (await place.rows()).flatMap(({ pid }) => pid ?? []);
  await place.send("StopAll");
  for (const pid of all) await eventually(`${pid} ends`, async () => !(await isAlive(pid)));
  expect(readdirSync(folderOf("four")).sort()).toEqual(
    [".git", ".gitignore", "data", "db.mjs", "locald.toml", "web.mjs"].sort(),
  );
}, 120_000);

const logs = (project: string) => join(place.daemon.directory, "logs", project);
