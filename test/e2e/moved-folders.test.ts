/** Projects whose folders are moved, deleted, copied or replaced, and a real daemon: what goes on, and who says so. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { cp, mkdir, readlink, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { isAlive, type ProjectPlace, projectPlace } from "../support/project-place.ts";
import { repository } from "../support/repository.ts";
import { cli } from "../cli/cli.ts";

const toml = (name: string, command = "echo here; exec sleep 1000"): string =>
  `[project]\nname = "${name}"\n[services.w]\ntype = "worker"\ncommand = "${command}"\n`;

/** One daemon for all: each test has projects of its own. */
let place: ProjectPlace;
beforeAll(async () => {
  place = await projectPlace();
}, 60_000);
afterAll(() => place[Symbol.asyncDispose]());

/** A command of a person who stands in that folder. */
const at =
  (directory: string) =>
  (...words: string[]) =>
    cli(words, { env: place.daemon.env, cwd: directory });

type Registered = { name: string; path: string; folder: string };

const registered = async (name: string) => {
  const known = await place.send<{ RegistryList: Registered[] }>("RegistryList");
  return known.RegistryList.filter((its) => its.name === name);
};

const names = async (project: string) =>
  (await place.rows()).filter((row) => row.project === project).map((row) => row.name);

async function upAt(directory: string): Promise<void> {
  expect((await place.up(directory)).at(-1)).toBe("Ok");
}

describe("a folder that was moved", () => {
  test("while its services run: every verb works in the new place, and up starts them again there", async () => {
    const old = await place.project("shop", toml("shop"));
    await upAt(old);
    const { pid } = await place.row("shop:w");
    const now = `${old}-moved`;
    await rename(old, now);
    const gone = await place.until("shop:w", ({ warnings }) => warnings.length > 0);
    expect(gone).toMatchObject({ pid, state: "ready" });
    expect(gone.warnings[0]).toContain(`its folder is gone: ${old}`);
    const run = at(now);
    const logs = await run("logs");
    expect({ code: logs.code, out: logs.out }).toMatchObject({ code: 0 });
    expect(logs.out).toContain("here");
    const status = await run("status", "w");
    expect(status.out).toContain("shop:w");
    expect(await place.row("shop:w")).toMatchObject({ pid, path: now, warnings: [] });
    expect(await registered("shop")).toMatchObject([{ name: "shop", path: now, folder: "here" }]);
    // An edit in the new place counts there.
    await upAt(now);
    const again = await place.until("shop:w", (row) => row.ready && row.pid !== pid);
    expect(await readlink(`/proc/${again.pid}/cwd`)).toBe(now);
    await writeFile(join(now, "locald.toml"), toml("shop", "exec sleep 1001"));
    const edited = await place.until("shop:w", (row) => row.ready && row.pid !== again.pid);
    expect(await run("restart")).toMatchObject({ code: 0 });
    expect((await run("stop")).out).toContain("has stopped");
    expect(await isAlive(edited.pid!)).toBe(false);
    expect(JSON.stringify(await place.state())).not.toContain(`${old}"`);
  }, 120_000);

  test("with its name in the folder's name, and into a name of another: up takes it on", async () => {
    const text = toml("x").replace('name = "x"', "");
    const old = await place.project("first", text);
    await upAt(old);
    const { pid } = await place.row("first:w");
    const now = join(old, "..", "second");
    await rename(old, now);
    expect((await at(now)("up")).code).toBe(0);
    await place.gone("first:w");
    expect(await isAlive(pid!)).toBe(false);
    expect((await place.row("second:w")).ready).toBe(true);
    expect(await registered("second")).toMatchObject([{ name: "second", path: now }]);
  }, 120_000);

  test("while no daemon ran, and something else put in its place: both are as a person would have it", async () => {
    const old = await place.project("late", toml("late"));
    await upAt(old);
    await place.send({ RegistryPin: { project_path: old } });
    await place.daemon.run("server", "stop");
    const now = `${old}-moved`;
    await rename(old, now);
    await mkdir(old);
    await writeFile(join(old, "locald.toml"), toml("intruder"));
    await place.daemon.start();
    expect(await names("late")).toEqual([]);
    expect((await at(now)("registry", "list")).out).toContain("another folder is there now");
    expect((await at(now)("status")).code).toBe(0);
    // It should run, so it does where it is.
    const row = await place.until("late:w", ({ ready }) => ready);
    expect(row).toMatchObject({ path: now, pending: null });
    expect((await at(old)("up")).code).toBe(0);
    expect((await place.row("intruder:w")).ready).toBe(true);
    expect((await place.row("late:w")).pid).toBe(row.pid);
    expect(await registered("late")).toMatchObject([{ path: now }]);
    expect(await registered("intruder")).toMatchObject([{ path: old }]);
  }, 120_000);

  test("while its services run, and something else put in its place: neither is taken for the other", async () => {
    const old = await place.project("swap", toml("swap"));
    await upAt(old);
    const { pid } = await place.row("swap:w");
    const now = `${old}-moved`;
    const next = await place.project("next", toml("guest"));
    await rename(old, now);
    await rename(next, old);
    const waits = await place.until("swap:w", ({ warnings }) => warnings.length > 0);
    expect(waits.pid).toBe(pid);
    expect(waits.warnings[0]).toContain("another folder now, with the project guest");
    expect(await names("guest")).toEqual([]);
    expect((await at(now)("status")).code).toBe(0);
    await upAt(old);
    expect(await place.row("swap:w")).toMatchObject({ pid, path: now, warnings: [] });
    expect((await place.row("guest:w")).ready).toBe(true);
  }, 120_000);

  test("as a worktree of git, with what a person has approved in it", async () => {
    const main = await place.project("wood", toml("wood"));
    const git = await repository(main);
    await git.commit("Wood");
    const old = join(main, "../tree");
    await git.git("worktree", "add", "--quiet", "-b", "tree", old);
    await upAt(old);
    const { pid } = await place.row("tree.wood:w");
    const now = join(main, "../tree-moved");
    await git.git("worktree", "move", old, now);
    expect((await at(now)("logs", "w")).code).toBe(0);
    // Only its folder is another: nothing waits for `up`.
    await writeFile(join(now, ".env"), "A=1\n");
    const row = await place.until("tree.wood:w", (its) => its.ready && its.pid !== pid);
    expect(row).toMatchObject({ path: now, pending: null });
  }, 120_000);

  test("to another file system, or cloned anew, is known by its name; a copy beside it is not it", async () => {
    const old = await place.project("twin", toml("twin"));
    await upAt(old);
    const { pid } = await place.row("twin:w");
    const copy = `${old}-copy`;
    await cp(old, copy, { recursive: true });
    const beside = `${old}-beside`;
    await cp(old, beside, { recursive: true });
    const said = JSON.stringify(await place.up(beside));
    expect(said).toContain(`${old} has the name already, so this project is twin-beside`);
    expect(await place.row("twin-beside:w")).toMatchObject({ ready: true, path: beside });
    expect((await place.row("twin:w")).pid).toBe(pid);
    await rm(old, { recursive: true });
    await upAt(copy);
    expect(await place.row("twin:w")).toMatchObject({ ready: true, path: copy });
    expect(await isAlive(pid!)).toBe(false);
    expect(await registered("twin")).toMatchObject([{ path: copy, folder: "here" }]);
  }, 120_000);
});

describe("a folder that was deleted", () => {
  test("is shown as gone; its services are stopped by name, and all of it is forgotten", async () => {
    const dead = await place.project("dead", toml("dead"));
    const blog = await place.project("blog", toml("blog"));
    const run = at(blog);
    for (const its of [dead, blog]) await upAt(its);
    const logs = join(place.daemon.directory, "logs/dead");
    await rm(dead, { recursive: true });
    const gone = await place.until("dead:w", ({ warnings }) => warnings.length > 0);
    expect((await run("status", "--all")).out).toContain(`its folder is gone: ${dead}`);
    expect((await run("registry", "list")).out).toContain(`${dead}  (gone)`);
    const clean = await run("registry", "clean");
    expect(clean.out).toStartWith("forgot ");
    expect(clean.err).toContain(`dead (${dead}) stays, as it is up: localhostess stop dead`);
    expect((await run("stop", "dead")).code).toBe(0);
    expect(await isAlive(gone.pid!)).toBe(false);
    expect(existsSync(logs)).toBe(true);
    expect((await run("registry", "clean")).out).toStartWith("forgot ");
    expect(await names("dead")).toEqual([]);
    expect(existsSync(logs)).toBe(false);
    const state = await Bun.file(join(place.daemon.directory, "state.json")).text();
    expect(state).not.toContain("dead");
    expect(await registered("dead")).toEqual([]);
    expect(await registered("blog")).toHaveLength(1);
  }, 120_000);

  test("is forgotten by name or folder, also while it runs; one that is there and up is not", async () => {
    const lost = await place.project("lost", toml("lost"));
    const news = await place.project("news", toml("news"));
    const run = at(news);
    for (const its of [lost, news]) await upAt(its);
    await place.send({ RegistryPin: { project_path: lost } });
    const { pid } = await place.row("lost:w");
    const up = await run("registry", "forget", "news");
    expect({ code: up.code, err: up.err }).toMatchObject({ code: 1 });
    expect(up.err).toContain("news is up; stop it first: localhostess stop news");
    expect((await run("registry", "forget", "newt")).err).toContain("did you mean");
    await rm(lost, { recursive: true });
    expect((await run("registry", "forget", "../lost")).out).toBe(`forgot lost (${lost})\n`);
    expect(await isAlive(pid!)).toBe(false);
    expect((await run("stop", "news")).code).toBe(0);
    expect((await run("registry", "forget", "news")).code).toBe(0);
    for (const name of ["lost", "news"]) {
      expect(await names(name)).toEqual([]);
      expect(await registered(name)).toEqual([]);
    }
  }, 120_000);
});
