import { expect, test } from "bun:test";
import { existsSync } from "node:fs";
import {
  chmod,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rename,
  rm,
  stat,
  writeFile,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { exchange, newBeside } from "../../src/stores/exchange.ts";
import { storesFolder } from "../../src/stores/folders.ts";
import { type Stored, StorePlaces } from "../../src/stores/store-places.ts";

async function scene() {
  const root = await mkdtemp(join(tmpdir(), "places-"));
  const folder = async (name: string): Promise<string> => {
    await mkdir(join(root, name), { recursive: true });
    return join(root, name);
  };
  return {
    root,
    folder,
    places: () => new StorePlaces(join(root, "stores")),
    [Symbol.asyncDispose]: () => rm(root, { recursive: true, force: true }),
  };
}

const db = (directory: string, more: Partial<Stored> = {}): Stored => ({
  ...{ project: "shop", directory, service: "db", type: "postgres", version: "17" },
  ...more,
});

test("a store has a private folder and password of its own per checkout, service, type and version", async () => {
  await using its = await scene();
  const [main, other] = [await its.folder("shop"), await its.folder("shop.fix")];
  const places = its.places();
  const all = [
    db(main),
    db(other),
    db(main, { service: "cache" }),
    db(main, { version: "16" }),
    db(main, { type: "redis", version: undefined }),
  ].map((stored) => places.of(stored));
  expect(new Set(all.map(({ folder }) => folder)).size).toBe(5);
  expect(new Set(all.map((place) => places.passwordOf(place))).size).toBe(5);
  for (const { folder, password } of all) {
    // As root, its server runs as nobody, who has to get to its data.
    expect((await stat(folder)).mode & 0o777).toBe(process.getuid!() === 0 ? 0o711 : 0o700);
    expect((await stat(password)).mode & 0o777).toBe(0o600);
  }
  // The next daemon finds the same.
  const next = its.places();
  expect(next.of(db(main))).toEqual(all[0]!);
  expect(next.passwordOf(all[0]!)).toBe(places.passwordOf(all[0]!));
});

test("two daemons that ask at once for a password have the same one", async () => {
  await using its = await scene();
  const main = await its.folder("shop");
  const all = Array.from({ length: 5 }, () => its.places());
  all[0]!.of(db(main));
  const passwords = all.map((places) => places.passwordOf(places.of(db(main))));
  expect(new Set(passwords).size).toBe(1);
  const { folder } = all[0]!.of(db(main));
  expect((await readdir(folder)).sort()).toEqual(["password"]);
});

test("a project that was moved has its data, whatever it is called by now", async () => {
  await using its = await scene();
  const main = await its.folder("shop");
  const before = its.places().of(db(main));
  await rename(main, join(its.root, "store"));
  const after = its.places().of(db(join(its.root, "store"), { project: "store" }));
  expect(after).toEqual(before);
  // And a folder that is made at the former path has none of it.
  const other = its.places().of(db(await its.folder("shop")));
  expect(other.folder).not.toBe(before.folder);
});

test("a renamed project has its data, and another service's is not given to a renamed service", async () => {
  await using its = await scene();
  const main = await its.folder("shop");
  const places = its.places();
  const before = places.of(db(main));
  expect(places.of(db(main, { project: "store" }))).toEqual(before);
  expect(places.of(db(main, { project: "store", service: "base" })).folder).not.toBe(before.folder);
});

test("another project's folder at the same path has nothing of the former, a new clone of the same one has all", async () => {
  await using its = await scene();
  const main = await its.folder("shop");
  const before = its.places().of(db(main));
  const anew = async (): Promise<void> => {
    await rm(main, { recursive: true });
    await its.folder("shop");
  };
  await mkdir(before.data);
  await anew();
  expect(its.places().of(db(main, { project: "blog" })).folder).not.toBe(before.folder);
  expect(its.places().kept()[0]?.left).toBeNumber();
  await anew();
  expect(its.places().of(db(main)).folder).toBe(before.folder);
});

test("a copy of a project on another disk takes its data along once the daemon says that it is the same", async () => {
  await using its = await scene();
  const [main, other] = [await its.folder("shop"), await its.folder("disk/shop")];
  const places = its.places();
  const before = places.of(db(main));
  await rm(main, { recursive: true });
  places.moved(main, other);
  expect(places.of(db(other))).toEqual(before);
});

test("a book that was cut in half is reported, and no data begins anew beside the old", async () => {
  await using its = await scene();
  const main = await its.folder("shop");
  const { folder } = its.places().of(db(main));
  const book = join(folder, "../../book.json");
  await writeFile(book, '{"directory": "/');
  expect(() => its.places().of(db(main))).toThrow(/book\.json is no book of ours.*mend that file/);
});

test("a password that is empty, or that others may read, is not used", async () => {
  await using its = await scene();
  const main = await its.folder("shop");
  const place = its.places().of(db(main));
  its.places().passwordOf(place);
  await chmod(place.password, 0o644);
  expect(() => its.places().passwordOf(place)).toThrow(/is no password file of ours \(exposed\)/);
  await chmod(place.password, 0o600);
  await writeFile(place.password, "");
  expect(() => its.places().passwordOf(place)).toThrow(/is no password file of ours \(empty\)/);
});

test("the data of stores is in the state directory, on the disk that somebody chose, or where root's servers get to it", async () => {
  await using its = await scene();
  const state = await its.folder("state");
  const options = { env: {}, platform: "linux", uid: 1000 } as const;
  expect(storesFolder(state, options)).toBe(join(state, "stores"));
  const asRoot = storesFolder(state, { ...options, uid: 0 });
  expect(asRoot).toMatch(/^\/var\/lib\/localhostess\/[0-9a-f]{16}$/);
  expect(storesFolder(join(its.root, "other"), { ...options, uid: 0 })).not.toBe(asRoot);
  const env = { LOCALHOSTESS_STORES_DIR: "/disk" };
  expect(storesFolder(state, { ...options, env })).toBe(
    asRoot.replace("/var/lib/localhostess", "/disk"),
  );
  // A folder that others can go through is as good for root's.
  expect(storesFolder("/usr/share", { ...options, uid: 0 })).toBe("/usr/share/stores");
});

test("other data takes a place in one step, and the former is removed", async () => {
  await using its = await scene();
  const places = its.places();
  const place = places.of(db(await its.folder("shop")));
  await mkdir(place.data);
  await writeFile(join(place.data, "rows"), "old");
  const made = newBeside(place.folder, process.pid);
  await mkdir(join(made, "data"));
  await writeFile(join(made, "data/rows"), "new");
  await places.put(place, made).removed;
  expect(await readFile(join(place.data, "rows"), "utf8")).toBe("new");
  expect(await readdir(join(place.folder, ".."))).toEqual(["postgres-17"]);
});

test("an exchange that was killed between its steps leaves the former data, and what is left over is swept", async () => {
  await using its = await scene();
  const main = await its.folder("shop");
  const place = its.places().of(db(main));
  await mkdir(place.data);
  await writeFile(join(place.data, "rows"), "old");
  // As it is after the first of the two renames, of a process that is gone.
  const made = newBeside(place.folder, 4_000_001);
  await rename(place.folder, `${place.folder}~old-4000001-01234567`);
  const notes: string[] = [];
  const sweep = (places: StorePlaces) =>
    places.sweep({ before: 0, isAlive: () => false, note: (text) => notes.push(text) });
  const [kept] = its.places().kept();
  expect(kept?.place.folder).toBe(place.folder);
  await sweep(its.places());
  expect(await readFile(join(place.data, "rows"), "utf8")).toBe("old");
  expect(existsSync(made)).toBe(false);
  expect(notes).toEqual([]);
});

test("what another process is about to put there is not swept while it runs", async () => {
  await using its = await scene();
  const place = its.places().of(db(await its.folder("shop")));
  const made = newBeside(place.folder, process.pid);
  await its.places().sweep({ before: 0, isAlive: (pid) => pid === process.pid, note() {} });
  expect(existsSync(made)).toBe(true);
});

test("an exchange with a place that has no data leaves nothing to be removed", async () => {
  await using its = await scene();
  const folder = join(its.root, "db/redis");
  const made = newBeside(folder, process.pid);
  expect(exchange(folder, made)).toBeUndefined();
  expect(existsSync(folder)).toBe(true);
});

test("the data of a deleted worktree is kept for a while, that of a main checkout until it is asked for", async () => {
  await using its = await scene();
  const [main, fix] = [await its.folder("shop"), await its.folder("shop.fix")];
  const places = its.places();
  for (const directory of [main, fix]) await mkdir(places.of(db(directory)).data);
  places.leave(main, { time: 1000, worktree: false });
  places.leave(fix, { time: 1000, worktree: true });
  const left = () => places.kept().map(({ directory }) => directory);
  const sweep = (before: number) => places.sweep({ before, isAlive: () => false, note() {} });
  await sweep(900);
  expect(left().sort()).toEqual([main, fix].sort());
  // A worktree that was only forgotten is there, and so is its data.
  await sweep(1100);
  expect(left().sort()).toEqual([main, fix].sort());
  for (const directory of [main, fix]) await rm(directory, { recursive: true });
  await sweep(1100);
  expect(left()).toEqual([main]);
  await places.remove(main);
  expect(left()).toEqual([]);
});

test("a place that somebody has removed by hand is made again, with another password", async () => {
  await using its = await scene();
  const main = await its.folder("shop");
  const places = its.places();
  const place = places.of(db(main));
  const before = places.passwordOf(place);
  await rm(place.folder, { recursive: true });
  expect(places.of(db(main))).toEqual(place);
  const after = places.passwordOf(place);
  expect(after).not.toBe(before);
  expect((await readFile(place.password, "utf8")).trim()).toBe(after);
});

test("a removal that is killed half-way leaves nothing in the way of new data, and the next daemon ends it", async () => {
  await using its = await scene();
  const main = await its.folder("shop");
  const places = its.places();
  await mkdir(places.of(db(main)).data);
  places.leave(main, { time: 1000, worktree: false });
  const removing = places.remove(main);
  // The rest is removed file by file.
  const next = its.places();
  const again = next.of(db(main));
  expect(existsSync(again.data)).toBe(false);
  await removing;
  expect(existsSync(again.password)).toBe(true);
  const left = ["shop-12345678.removed-0f0f0f0f.4711.tmp", "shop-12345678.4711.tmp"];
  for (const name of left) await mkdir(join(its.root, "stores", name, "db"), { recursive: true });
  await next.sweep({ before: 0, isAlive: (pid) => pid === 4711, note() {} });
  expect(await readdir(join(its.root, "stores"))).toEqual(expect.arrayContaining(left));
  await next.sweep({ before: 0, isAlive: () => false, note() {} });
  expect(await readdir(join(its.root, "stores"))).toHaveLength(1);
});

test("a project that comes back is not left over any more", async () => {
  await using its = await scene();
  const main = await its.folder("shop");
  const places = its.places();
  await mkdir(places.of(db(main)).data);
  places.leave(main, { time: 1000, worktree: true });
  expect(its.places().kept()[0]).toMatchObject({ left: 1000, worktree: true });
  places.of(db(main));
  expect(its.places().kept()[0]?.left).toBeUndefined();
});
