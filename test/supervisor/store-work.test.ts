import { expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { StorePlaces } from "../../src/stores/store-places.ts";
import type { BootEvent } from "../../src/routes/project-report.ts";
import type { Folder } from "../../src/supervisor/project/folder.ts";
import type { Store } from "../../src/supervisor/store-sight.ts";
import { describedName } from "../../src/supervisor/staged-data.ts";
import { passwordMark, StoreWork } from "../../src/supervisor/store-work.ts";
import { eventually } from "../support/eventually.ts";
import { settled } from "./fake-lifecycle.ts";
import { type Declared, PlayedProject } from "./fake-project.ts";

const shop: Declared[] = [
  { name: "db" },
  { name: "migrate", type: "task", dependsOn: ["db"] },
  { name: "api", dependsOn: ["db"] },
];

/** Two checkouts, each up, with a row that says whose it is. */
async function scene() {
  const root = await mkdtemp(join(tmpdir(), "work-"));
  const places = new StorePlaces(join(root, "stores"));
  const notes: string[] = [];
  const alive = new Set<number>();
  const played = [new PlayedProject(shop), new PlayedProject(shop)];
  const work = new StoreWork({
    ...{ clock: played[0]!.clock, places },
    isAlive: (pid) => alive.has(pid),
    note: (text) => void notes.push(text),
  });
  const storeOf = async (at: number, name: string): Promise<Store> => {
    const directory = join(root, name);
    await mkdir(directory);
    const { project } = played[at]!;
    const place = places.of({
      ...{ project: "shop", directory, service: "db", type: "postgres", version: "17" },
    });
    await mkdir(place.data);
    await writeFile(join(place.data, "PG_VERSION"), "17\n");
    await writeFile(join(place.data, "rows"), name);
    return {
      ...{ id: `${name}:db`, type: "postgres", version: "17", store: "postgres 17", place },
      at: { folder: { shell: {} } as Folder, project, unit: project.unit("db")! },
      gift: { fields: {}, variables: {} },
    };
  };
  const [main, fix] = [await storeOf(0, "main"), await storeOf(1, "fix")];
  for (const its of played) {
    const up = its.up();
    await settled();
    its.service("db").be("ready");
    await settled();
    its.service("api").be("ready");
    its.service("migrate").be("completed", {
      lastExit: { code: 0, signal: null, time: 1, lastLines: [] },
    });
    await up;
    its.takeSaid();
  }
  const heard: BootEvent[] = [];
  return {
    ...{ root, places, notes, alive, played, work, main, fix, heard },
    asked: { hear: (event: BootEvent) => void heard.push(event), isOver: () => false },
    rowsOf: async ({ place }: Store) =>
      await readFile(join(place.data, "rows"), "utf8").catch(() => ""),
    /** Names in the folder of the service, in which its places are. */
    besides: async ({ place }: Store) => await readdir(join(place.folder, "..")),
    async [Symbol.asyncDispose]() {
      for (const its of played) its[Symbol.dispose]();
      await rm(root, { recursive: true, force: true });
    },
  };
}

/** Plays the services as long as the work goes on: those that are started become ready. */
async function finished<T>(played: readonly PlayedProject[], work: Promise<T>): Promise<T> {
  let isOver = false;
  const over = (): void => {
    isOver = true;
  };
  work.then(over, over);
  while (!isOver) {
    for (const its of played) await its.allReady();
    await Bun.sleep(1);
  }
  return await work;
}

test("a reset removes the data of this checkout alone, keeps the password, and runs its tasks again", async () => {
  await using its = await scene();
  const before = its.places.passwordOf(its.main.place);
  expect(await finished(its.played, its.work.reset(its.main, its.asked))).toEqual({
    kind: "ready",
  });
  expect(existsSync(its.main.place.data)).toBe(false);
  expect(its.places.passwordOf(its.main.place)).toBe(before);
  expect(await its.rowsOf(its.fix)).toBe("fix");
  // Dependents go on.
  expect(its.played[0]!.takeSaid()).toEqual(["stop db", "start db", "start migrate"]);
  expect(its.played[1]!.takeSaid()).toEqual([]);
  await eventually("the former data is removed", async () => {
    return (await its.besides(its.main)).length === 1;
  });
});

test("a fork stops each of both for its part, and the copy has its own password", async () => {
  await using its = await scene();
  const password = its.places.passwordOf(its.fix.place);
  const forked = its.work.fork(its.main, { ...its.asked, to: its.fix, replaces: true });
  await finished(its.played, forked);
  expect([await its.rowsOf(its.main), await its.rowsOf(its.fix)]).toEqual(["main", "main"]);
  expect(its.places.passwordOf(its.fix.place)).toBe(password);
  expect(existsSync(join(its.fix.place.folder, passwordMark))).toBe(true);
  expect(its.played[0]!.takeSaid()).toEqual(["stop db", "start db"]);
  expect(its.played[1]!.takeSaid()).toEqual(["stop db", "start db", "start migrate"]);
});

test("data that is there is replaced only where somebody has said so", async () => {
  await using its = await scene();
  const forked = its.work.fork(its.main, { ...its.asked, to: its.fix, replaces: false });
  await expect(forked).rejects.toThrow("fix:db has data, which would be replaced");
  expect(its.played.flatMap((one) => one.takeSaid())).toEqual([]);
});

test("a store of another version, the same store and one without data are no ends of a fork", async () => {
  await using its = await scene();
  const to = { ...its.fix, store: "postgres 16" };
  const fork = (from: Store, target: Store) =>
    its.work.fork(from, { ...its.asked, to: target, replaces: true });
  await expect(fork(its.main, to)).rejects.toThrow(
    "main:db is postgres 17 and fix:db is postgres 16",
  );
  await expect(fork(its.main, its.main)).rejects.toThrow("main:db is both");
  await rm(its.main.place.data, { recursive: true });
  await expect(fork(its.main, its.fix)).rejects.toThrow("main:db has no data yet");
  expect(await its.rowsOf(its.fix)).toBe("fix");
});

test("while the data is in use, another command on it is refused, and one on other data is not", async () => {
  await using its = await scene();
  its.played[0]!.service("db").obedient = false;
  const first = its.work.reset(its.main, its.asked);
  await expect(its.work.reset(its.main, its.asked)).rejects.toThrow(
    "main:db is in use: its data is being removed",
  );
  const other = its.work.fork(its.fix, { ...its.asked, to: its.main, replaces: true });
  await expect(other).rejects.toThrow("main:db is in use");
  await finished([its.played[1]!], its.work.reset(its.fix, its.asked));
  its.played[0]!.service("db").end();
  await finished(its.played, first);
});

test("an asker who is gone, or a daemon that ends, leaves everything as it was, and the source starts again", async () => {
  await using its = await scene();
  const gone = { ...its.asked, isOver: () => true };
  const forked = its.work.fork(its.main, { ...gone, to: its.fix, replaces: true });
  await expect(finished(its.played, forked)).rejects.toThrow("nothing was replaced");
  expect(await its.rowsOf(its.fix)).toBe("fix");
  expect(await its.besides(its.fix)).toEqual(["postgres-17"]);
  expect(its.played[0]!.takeSaid()).toEqual(["stop db", "start db"]);
  expect(its.played[1]!.takeSaid()).toEqual([]);
  its.played[0]!.service("db").obedient = false;
  const snapshot = its.work.snapshot(its.main, its.asked);
  const closed = its.work.close();
  await eventually("it is being ended", () => its.played[0]!.service("db").isEnding);
  its.played[0]!.service("db").end();
  await expect(snapshot).rejects.toThrow("nothing was replaced");
  await closed;
  await expect(its.work.reset(its.main, its.asked)).rejects.toThrow("about to end");
  its.work.open();
  its.played[0]!.service("db").obedient = true;
  await finished(its.played, its.work.reset(its.main, its.asked));
});

test("a server that nobody here has started keeps its data", async () => {
  await using its = await scene();
  await writeFile(join(its.main.place.data, "postmaster.pid"), "4711\n/data\n");
  its.alive.add(4711);
  await expect(finished(its.played, its.work.reset(its.main, its.asked))).rejects.toThrow(
    "process 4711 uses the data of main:db",
  );
  expect(await its.rowsOf(its.main)).toBe("main");
  // One that was killed has left its file.
  its.alive.clear();
  await finished(its.played, its.work.reset(its.main, its.asked));
});

test("what a snapshot holds is put in the place of other data of the same kind", async () => {
  await using its = await scene();
  const snapshot = await finished(its.played, its.work.snapshot(its.main, its.asked));
  expect((await readdir(snapshot.folder)).sort()).toEqual(["data", describedName]);
  // As a dump that was unpacked.
  const folder = its.work.stage(its.fix);
  for (const name of ["PG_VERSION", "rows"]) {
    await mkdir(join(folder, "data"), { recursive: true });
    await writeFile(
      join(folder, "data", name),
      await readFile(join(snapshot.folder, "data", name)),
    );
  }
  await writeFile(
    join(folder, describedName),
    await readFile(join(snapshot.folder, describedName)),
  );
  await snapshot.remove();
  const replaced = its.work.replace(its.fix, { ...its.asked, folder, replaces: true });
  await finished(its.played, replaced);
  expect(await its.rowsOf(its.fix)).toBe("main");
  expect(existsSync(join(its.fix.place.folder, passwordMark))).toBe(true);
  expect(await its.besides(its.main)).toEqual(["postgres-17"]);
});

test("a folder that was not made for it, half a dump, another version and a link that leads out are refused", async () => {
  await using its = await scene();
  const refused = async (fill: (folder: string) => Promise<unknown>, why: string) => {
    const folder = its.work.stage(its.fix);
    await mkdir(join(folder, "data"));
    await writeFile(join(folder, "data/PG_VERSION"), "17\n");
    const described = { type: "postgres", version: "17" };
    await writeFile(join(folder, describedName), JSON.stringify(described));
    await fill(folder);
    const replaced = its.work.replace(its.fix, { ...its.asked, folder, replaces: true });
    await expect(replaced).rejects.toThrow(why);
    expect(existsSync(folder)).toBe(false);
    expect(await its.rowsOf(its.fix)).toBe("fix");
  };
  const note = (folder: string, text: string) => writeFile(join(folder, describedName), text);
  await refused((folder) => note(folder, '{"type": "postgres", "ver'), "only a part of one");
  await refused(
    (folder) => note(folder, '{"type": "redis"}'),
    "the data of redis, and fix:db is postgres 17",
  );
  await refused(
    (folder) => writeFile(join(folder, "data/PG_VERSION"), "16"),
    "no data of PostgreSQL 17",
  );
  await refused((folder) => symlink("/etc", join(folder, "data/pg_wal")), "leads out of it");
  const elsewhere = { ...its.asked, folder: its.main.place.folder, replaces: true };
  await expect(its.work.replace(its.fix, elsewhere)).rejects.toThrow("is no folder that was made");
  expect(await its.rowsOf(its.main)).toBe("main");
});
