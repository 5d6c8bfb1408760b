import { expect, test } from "bun:test";
import { BuildWrites } from "../../src/supervisor/service/build-writes.ts";
import { FakeClock } from "../support/fake-clock.ts";

/** Files that a test writes, in a folder that a service watches. */
function folder({ most }: { most?: number } = {}) {
  const clock = new FakeClock();
  const files = new Map<string, { content: string; changed: number; born: number }>();
  const said: string[] = [];
  const writes = new BuildWrites({
    wall: () => clock.wall(),
    say: (text) => void said.push(text),
    hashOf: async (path) => files.get(path)?.content,
    timesOf: (path) => files.get(path),
    ...(most === undefined ? {} : { most }),
  });
  const write = (path: string, content: string): boolean => {
    const changed = clock.wall();
    files.set(path, { content, changed, born: files.get(path)?.born ?? changed });
    return writes.heard([path]);
  };
  /** A build that writes these: the news after it. */
  const build = async (written: Record<string, string>): Promise<readonly string[]> => {
    clock.advance(1000);
    writes.begin();
    for (const [path, content] of Object.entries(written)) expect(write(path, content)).toBe(false);
    clock.advance(1000);
    writes.end();
    const news = await writes.judged();
    clock.advance(1000);
    return news;
  };
  return { clock, files, said, writes, write, build };
}

test("what a build writes again with the same content is its own, and begins no further build", async () => {
  const { build, writes } = folder();
  expect(await build({ "/p/dist/a.js": "1" })).toEqual(["/p/dist/a.js"]);
  expect(await build({ "/p/dist/a.js": "1" })).toEqual([]);
  expect(writes.isOwn("/p/dist/a.js")).toBe(true);
  expect(await build({ "/p/dist/a.js": "2" })).toEqual([]);
});

test("only the files that were met last are remembered: each build may make new names", async () => {
  const { build, writes } = folder({ most: 3 });
  const names = (of: string) => ({ [`/p/${of}/1.js`]: "1", [`/p/${of}/2.js`]: "2" });
  for (const of of ["a", "a", "b", "b"]) await build(names(of));
  const own = ["a/1", "a/2", "b/1", "b/2"].filter((its) => writes.isOwn(`/p/${its}.js`));
  expect(own).toEqual(["a/2", "b/1", "b/2"]);
  // One that is met again is the last of them.
  await build({ "/p/a/2.js": "3" });
  await build({ "/p/c/1.js": "1" });
  await build({ "/p/c/1.js": "1" });
  expect([writes.isOwn("/p/a/2.js"), writes.isOwn("/p/b/1.js")]).toEqual([true, false]);
  // A folder of which none is left is as any other.
  expect(await build({ "/p/a/2.js": "4", "/p/a/new.js": "1" })).toEqual([]);
  await build({ "/p/d/1.js": "1", "/p/d/2.js": "1", "/p/d/3.js": "1" });
  await build({ "/p/d/1.js": "1", "/p/d/2.js": "1", "/p/d/3.js": "1" });
  expect(await build({ "/p/a/newer.js": "1" })).toEqual(["/p/a/newer.js"]);
});

test("a file that somebody edits during two builds is news each time", async () => {
  const { build, writes } = folder();
  expect(await build({ "/p/a.ts": "1" })).toEqual(["/p/a.ts"]);
  expect(await build({ "/p/a.ts": "2" })).toEqual(["/p/a.ts"]);
  expect(writes.isOwn("/p/a.ts")).toBe(false);
});

test("a file that every build writes otherwise begins no fourth one, and the log says so", async () => {
  const { build, said } = folder();
  expect(await build({ "/p/time": "1" })).toEqual(["/p/time"]);
  expect(await build({ "/p/time": "2" })).toEqual(["/p/time"]);
  expect(await build({ "/p/time": "3" })).toEqual([]);
  expect(await build({ "/p/time": "4" })).toEqual([]);
  expect(said).toEqual([
    "/p/time changes with every build, so that it begins none; watch can leave it out",
  ]);
});

test("a file that changes while nothing is built is somebody else's, whatever a build did to it before", async () => {
  const { build, write, writes, clock } = folder();
  await build({ "/p/dist/a.js": "1" });
  await build({ "/p/dist/a.js": "1" });
  clock.advance(1000);
  expect(write("/p/dist/a.js", "by hand")).toBe(true);
  expect(writes.isOwn("/p/dist/a.js")).toBe(false);
});

test("a change that is told of after the build is judged by the time of the file", async () => {
  const { build, writes, files, clock } = folder();
  await build({ "/p/a": "1" });
  const during = clock.wall() - 2000;
  files.set("/p/late", { content: "1", changed: during, born: 0 });
  expect(writes.heard(["/p/late"])).toBe(false);
  expect(await writes.judged()).toEqual(["/p/late"]);
  // Told of twice.
  expect(writes.heard(["/p/late"])).toBe(false);
  expect(await writes.judged()).toEqual([]);
  expect(writes.isOwn("/p/late")).toBe(false);
  // The build has read it.
  files.set("/p/before", { content: "1", changed: during - 2000, born: 0 });
  expect(writes.heard(["/p/before"])).toBe(false);
  expect(await writes.judged()).toEqual([]);
  files.set("/p/moved", { content: "1", changed: during - 50_000, born: 0 });
  expect(writes.heard(["/p/moved"])).toBe(true);
});

test("a file that went is the build's for a few seconds, and then somebody else's", async () => {
  const { build, writes, clock } = folder();
  await build({ "/p/a": "1" });
  expect(writes.heard(["/p/gone"])).toBe(false);
  clock.advance(5000);
  expect(writes.heard(["/p/gone"])).toBe(true);
});

test("names that change with each build are the build's own where it writes beside them", async () => {
  const { build } = folder();
  await build({ "/p/dist/index.html": "1" });
  await build({ "/p/dist/index.html": "1" });
  expect(await build({ "/p/dist/index.html": "2", "/p/dist/app-2.js": "2" })).toEqual([]);
  // A new file of a person's, elsewhere.
  expect(await build({ "/p/dist/index.html": "3", "/p/src/new.ts": "" })).toEqual([
    "/p/src/new.ts",
  ]);
});

test("an edit that is told of twice, the second time while it is built, is built once", async () => {
  const { clock, write, writes } = folder();
  expect(write("/p/a.ts", "1")).toBe(true);
  clock.advance(100);
  writes.begin();
  expect(writes.heard(["/p/a.ts"])).toBe(false);
  writes.end();
  expect(await writes.judged()).toEqual([]);
});
