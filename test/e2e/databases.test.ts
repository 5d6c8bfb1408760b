/** Databases of two worktrees, with a real PostgreSQL in a real daemon: what each verb does to whose rows. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import * as v from "valibot";
import { answers } from "../cli/json-shapes.ts";
import { cli } from "../cli/cli.ts";
import { inProcess } from "../cli/in-process.ts";
import { endNow } from "../support/daemon-place.ts";
import { eventually } from "../support/eventually.ts";
import { type ProjectPlace, projectPlace } from "../support/project-place.ts";
import { uniqueName } from "../support/servers.ts";
import { repository } from "../support/repository.ts";

const major = 15;
const isInstalled = existsSync(`/usr/lib/postgresql/${major}/bin/postgres`);
const lacks = isInstalled ? "" : ` (needs PostgreSQL ${major})`;
const withPostgres = test.skipIf(!isInstalled);

const patience = 120_000;
const shop = uniqueName("shop");
let place: ProjectPlace;
let main: string;
let fix: string;

/** The task says how often it was run. */
const toml = `[project]
name = "${shop}"
[services.db]
type = "postgres"
version = ${major}
database = "shop"
init = ["schema.sql"]
[services.migrate]
type = "task"
command = "echo run >>runs.log"
depends_on = ["db"]
[services.hello]
type = "worker"
command = "exec sleep 1000"
depends_on = ["db"]
`;

beforeAll(async () => {
  if (!isInstalled) return;
  place = await projectPlace();
  main = await place.project(shop, toml);
  await writeFile(join(main, "schema.sql"), "create table names (name text);");
  await writeFile(join(main, ".gitignore"), "runs.log\n");
  const git = await repository(main);
  await git.commit("Shop");
  fix = join(main, "..", "fix");
  await git.git("worktree", "add", "--quiet", "-b", "fix", fix);
}, patience);

afterAll(async () => {
  if (isInstalled) await place[Symbol.asyncDispose]();
}, patience);

/** In this process: a command line of its own takes seconds where all processors are in use. */
const run = (cwd: string, ...words: string[]) =>
  inProcess(words, { env: { ...place.daemon.env, PATH: process.env.PATH! }, cwd });

async function done(cwd: string, ...words: string[]): Promise<string> {
  const { code, out, err } = await run(cwd, ...words);
  expect({ words, code, err }).toMatchObject({ words, code: 0 });
  return out.trimEnd();
}

/** Its answer, which has the shape that docs/json.md says. */
async function answer(cwd: string, ...words: string[]): Promise<unknown> {
  const out = await done(cwd, ...words);
  const value = JSON.parse(out.split("\n{")[0]!) as unknown;
  const { issues } = v.safeParse(answers[words.slice(0, 2).join(" ")]!.shape!, value);
  expect(issues).toBeUndefined();
  return value;
}

/** The first value of the first row, as text; empty: there is none. */
async function sql(cwd: string, text: string): Promise<string> {
  if ((await run(cwd, "db", "url", "db")).err !== "") await done(cwd, "up", "db");
  await using client = new Bun.SQL(await done(cwd, "db", "url", "db"));
  const [row] = [...(await client.unsafe(text).simple())].flat() as object[];
  return String(Object.values(row ?? {})[0] ?? "");
}

const rows = (cwd: string) => sql(cwd, "select string_agg(name, ' ' order by name) from names");
const runsIn = async (cwd: string) =>
  (await readFile(join(cwd, "runs.log"), "utf8").catch(() => "")).split("\n").length - 1;

withPostgres(
  `psql starts a database that is not up, and url is where others find it${lacks}`,
  async () => {
    // Its output is psql's own, so that it has a process of its own.
    const psql = ["db", "psql", "db", "--", "-Atc", "select 41 + 1"];
    const env = { ...place.daemon.env, PATH: process.env.PATH! };
    expect(await cli(psql, { env, cwd: main })).toMatchObject({ code: 0, out: "42\n" });
    await sql(main, "insert into names values ('Ann')");
    const url = await done(main, "db", "url");
    expect(url).toMatch(/^postgres:\/\/postgres:[^@]{24}@127\.0\.0\.1:\d+\/shop$/);
    const other = new Bun.SQL(url);
    expect([...(await other`select name from names`)]).toEqual([{ name: "Ann" }]);
    await other.end();
    // Without a service, and with the exit code of psql.
    const wrong = ["db", "psql", "--", "-c", "select nonsense"];
    expect(await cli(wrong, { env, cwd: main })).toMatchObject({
      code: 1,
      err: expect.stringContaining("nonsense"),
    });
    const json = await answer(main, "db", "url", "db", "--json");
    expect(json).toMatchObject({ name: `${shop}:db`, state: "ready", url });
  },
  patience,
);

withPostgres(
  `a fork to a worktree has all rows, and both go on apart${lacks}`,
  async () => {
    await answer(main, "db", "fork", "db", "fix", "--json");
    expect(await rows(fix)).toBe("Ann");
    await sql(fix, "insert into names values ('Bob')");
    await sql(main, "insert into names values ('Cid')");
    expect(await rows(main)).toBe("Ann Cid");
    expect(await rows(fix)).toBe("Ann Bob");
    const [one, other] = [await done(main, "db", "url"), await done(fix, "db", "url")];
    expect(new URL(one).password).not.toBe(new URL(other).password);
    // Data that is there already is somebody's: nobody is here who could be asked.
    const refused = await run(fix, "db", "fork", "db");
    expect(refused).toMatchObject({ code: 2, err: expect.stringContaining("--yes") });
    expect(await rows(fix)).toBe("Ann Bob");
  },
  patience,
);

withPostgres(
  `a reset is refused where nobody can be asked, and leaves the rows of other worktrees${lacks}`,
  async () => {
    await done(main, "up");
    expect(await runsIn(main)).toBe(1);
    const before = await done(main, "db", "url");
    const refused = await run(main, "db", "reset", "db");
    expect(refused).toMatchObject({ code: 2, err: expect.stringContaining(main) });
    expect(await rows(main)).toBe("Ann Cid");
    const hello = await place.row(`${shop}:hello`);
    await done(main, "db", "reset", "db", "--yes");
    // Its init has run anew, dependents go on with the same URL, and the task was run again.
    expect(await rows(main)).toBe("");
    expect(await done(main, "db", "url")).toBe(before);
    expect((await place.row(`${shop}:hello`)).pid).toBe(hello.pid);
    expect(await runsIn(main)).toBe(2);
    expect(await rows(fix)).toBe("Ann Bob");
  },
  patience,
);

for (const file of ["shop.sql", "shop.dump", "shop.tar.gz"]) {
  withPostgres(
    `rows come back from ${file} after a reset${lacks}`,
    async () => {
      const path = join(main, "..", file);
      await sql(main, "truncate names; insert into names values ('Eve'), ('Fay')");
      await answer(main, "db", "dump", "db", "-o", path, "--json");
      expect((await stat(path)).mode & 0o777).toBe(0o600);
      await done(main, "db", "reset", "db", "--yes");
      expect(await rows(main)).toBe("");
      const refused = await run(main, "db", "restore", "db", path);
      expect(refused).toMatchObject({ code: 2, err: expect.stringContaining("--yes") });
      await answer(main, "db", "restore", "db", path, "--yes", "--json");
      expect(await rows(main)).toBe("Eve Fay");
      // In another worktree, whose password is another one.
      await done(fix, "db", "restore", "db", path, "--yes");
      expect(await rows(fix)).toBe("Eve Fay");
      await sql(fix, "truncate names; insert into names values ('Bob')");
    },
    patience,
  );
}

withPostgres(
  `half a dump changes nothing, whatever its form${lacks}`,
  async () => {
    for (const file of ["shop.sql", "shop.dump", "shop.tar.gz"]) {
      const whole = await readFile(join(main, "..", file));
      const half = join(main, "..", `half-${file}`);
      await writeFile(half, whole.subarray(0, Math.floor(whole.length / 2)));
      if (file === "shop.sql") await writeFile(half, `${whole.toString()}\nselect nonsense;\n`);
      const { code } = await run(main, "db", "restore", "db", half, "--yes");
      expect({ file, code }).toEqual({ file, code: 1 });
      expect(await rows(main)).toBe("Eve Fay");
    }
    const { code, err } = await run(main, "db", "restore", "db", join(main, "none"), "--yes");
    expect({ code, err }).toMatchObject({
      code: 1,
      err: expect.stringContaining("cannot be read"),
    });
  },
  patience,
);

/** Folders beside those of data, which are there while it is copied or exchanged. */
async function besides(): Promise<string[]> {
  const all = await readdir(place.daemon.env.LOCALHOSTESS_STORES_DIR!, { recursive: true });
  return all.filter((path) => /~(?:new|old)-/.test(path));
}

withPostgres(
  `a client that goes while data is copied changes nothing, and the source starts again${lacks}`,
  async () => {
    const found = await place.daemon.find();
    if (found.kind !== "healthy") throw new Error(JSON.stringify(found));
    const request = { StoreFork: { name: `${shop}:db`, to_path: fix, replaces: true } };
    const { socket } = found.registration;
    const client = await Bun.connect({ unix: socket, socket: { data() {} } });
    client.write(`${JSON.stringify(request)}\n`);
    await place.until(`${shop}:db`, ({ why }) => why?.includes("is being copied") === true);
    // Nobody else may use the data meanwhile.
    const second = await run(main, "db", "reset", "db", "--yes");
    expect(second).toMatchObject({ code: 1, err: expect.stringContaining("is in use: its data") });
    client.terminate();
    await place.until(`${shop}:db`, ({ ready }) => ready);
    await eventually("all is removed", async () => (await besides()).length === 0);
    expect(await rows(main)).toBe("Eve Fay");
    expect(await rows(fix)).toBe("Bob");
  },
  patience,
);

withPostgres(
  `a daemon that is killed during a reset or a fork leaves the old rows or the new${lacks}`,
  async () => {
    for (const [words, cwd, after] of [
      [["db", "fork", "db", "--yes"], fix, ["Bob", "Eve Fay"]],
      [["db", "reset", "db", "--yes"], main, ["Eve Fay", ""]],
    ] as const) {
      const [pid] = place.daemon.pids();
      const asked = run(cwd, ...words);
      await place.until(`${shop}:db`, ({ why }) => /is being (?:copied|removed)/.test(why ?? ""));
      endNow(pid!);
      await asked;
      await place.daemon.start();
      expect<readonly string[]>(after).toContain(await rows(cwd));
      expect(await rows(cwd === fix ? main : fix)).toMatch(/^(?:Bob|Eve Fay)$/);
      await eventually("all is removed", async () => (await besides()).length === 0);
    }
  },
  patience,
);

withPostgres(
  `a new worktree begins with the rows of the main checkout, and takes its own along when it is removed${lacks}`,
  async () => {
    await sql(main, "truncate names; insert into names values ('Hal')");
    await done(main, "worktree", "add", "leaf", "--fork", "db", "--no-up");
    const leaf = join(main, "..", `${shop}.leaf`);
    expect(await rows(leaf)).toBe("Hal");
    await done(main, "worktree", "remove", "leaf", "--force");
    type Kept = { project: string; directory: string };
    const kept = JSON.parse(await done(main, "db", "list", "--json")) as Kept[];
    expect(kept.map(({ directory }) => directory)).not.toContain(leaf);
    expect(await rows(main)).toBe("Hal");
  },
  patience,
);

withPostgres(
  `a project that was moved has its rows${lacks}`,
  async () => {
    const [there, moved] = [
      await place.project(`${shop}-there`, toml.replace(shop, `${shop}-m`)),
      join(main, "..", "moved"),
    ];
    await writeFile(join(there, "schema.sql"), "create table names (name text);");
    await sql(there, "insert into names values ('Gil')");
    await done(there, "stop");
    await mkdir(join(moved, ".."), { recursive: true });
    await rename(there, moved);
    expect(await rows(moved)).toBe("Gil");
    await done(moved, "stop");
    // It is left over once it is forgotten, and removed only when somebody says so.
    await rm(moved, { recursive: true });
    await done(main, "registry", "clean");
    const left = JSON.parse(await done(main, "db", "list", "--json")) as {
      project: string;
      left: string | null;
    }[];
    expect(left.find((its) => its.project === `${shop}-m`)?.left).toBeString();
    expect(await run(main, "db", "clean")).toMatchObject({ code: 2 });
    await done(main, "db", "clean", "--yes");
    const after = JSON.parse(await done(main, "db", "list", "--json")) as { project: string }[];
    expect(after.map((its) => its.project)).not.toContain(`${shop}-m`);
    expect(await rows(main)).not.toBe("Gil");
  },
  patience,
);
