import { afterAll, expect, test } from "bun:test";
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readlinkSync,
  renameSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { FolderDoor } from "../../src/system/folder-door.ts";

const place = mkdtempSync(join(tmpdir(), "folder-door-"));
afterAll(() => rmSync(place, { recursive: true, force: true }));

let count = 0;

/** A site in a folder of its own, beside a secret. */
function siteOf(make: (site: string, beside: string) => void) {
  const beside = join(place, String(count++));
  const site = join(beside, "site");
  mkdirSync(site, { recursive: true });
  writeFileSync(join(beside, "secret"), "secret");
  make(site, beside);
  const isHidden = (name: string): boolean => name.startsWith(".");
  return { site, beside, door: new FolderDoor({ folder: site, isHidden }) };
}

async function textAt(door: FolderDoor, ...names: string[]): Promise<string> {
  const its = await door.open(names);
  if (its.kind === "folder") its.folder.close();
  if (its.kind !== "file") return "why" in its ? `${its.kind}: ${its.why}` : its.kind;
  const buffer = new Uint8Array(100);
  const read = await its.file.read(buffer, { at: 0, count: 100 });
  its.file.close();
  return Buffer.from(buffer.subarray(0, read)).toString();
}

test("links inside the folder are followed, and those that lead out of it are not", async () => {
  const { door } = siteOf((site, beside) => {
    writeFileSync(join(site, "a.txt"), "a");
    mkdirSync(join(site, "sub"));
    mkdirSync(join(beside, "site-2"));
    writeFileSync(join(beside, "site-2/b"), "b");
    symlinkSync("a.txt", join(site, "near"));
    symlinkSync("../a.txt", join(site, "sub/up"));
    symlinkSync("../secret", join(site, "out"));
    symlinkSync(join(beside, "secret"), join(site, "absolute"));
    symlinkSync("..", join(site, "parent"));
    symlinkSync("../site-2", join(site, "sibling"));
    symlinkSync("loop", join(site, "loop"));
    symlinkSync("nowhere", join(site, "broken"));
  });
  expect(await textAt(door, "a.txt")).toBe("a");
  expect(await textAt(door, "near")).toBe("a");
  expect(await textAt(door, "sub", "up")).toBe("a");
  const out = "refused: is a link that leads out of the site's folder";
  expect(await textAt(door, "out")).toBe(out);
  expect(await textAt(door, "absolute")).toBe(out);
  expect(await textAt(door, "parent")).toBe(out);
  expect(await textAt(door, "parent", "secret")).toBe(out);
  expect(await textAt(door, "sibling", "b")).toBe(out);
  expect(await textAt(door, "loop")).toBe("refused: is a link that leads to itself");
  expect(await textAt(door, "broken")).toBe("absent");
  expect(await textAt(door, "a.txt", "x")).toBe("absent");
  expect(await textAt(door, "x".repeat(300))).toBe("absent");
});

test("a hidden file is not read by way of a link, and a package manager's folder is", async () => {
  const { door } = siteOf((site) => {
    writeFileSync(join(site, ".env"), "secret");
    symlinkSync(".env", join(site, "env.txt"));
    mkdirSync(join(site, "node_modules/.pnpm/vue"), { recursive: true });
    writeFileSync(join(site, "node_modules/.pnpm/vue/vue.js"), "vue");
    symlinkSync(".pnpm/vue", join(site, "node_modules/vue"));
  });
  expect(await textAt(door, "env.txt")).toBe("refused: is a link to a hidden file");
  expect(await textAt(door, "node_modules", "vue", "vue.js")).toBe("vue");
});

test("pipes and devices are not opened", async () => {
  const { door } = siteOf((site) => {
    Bun.spawnSync(["mkfifo", join(site, "pipe")]);
    symlinkSync("/dev/zero", join(site, "zero"));
  });
  expect(await textAt(door, "pipe")).toBe("refused: is neither a file nor a folder");
  expect(await textAt(door, "zero")).toBe("refused: is neither a file nor a folder");
});

test("a folder that is gone says so, and one that comes back is read again, also by a link", async () => {
  const { door, site, beside } = siteOf((site) => writeFileSync(join(site, "a"), "first"));
  expect(await textAt(door, "a")).toBe("first");
  renameSync(site, join(beside, "release-1"));
  expect(await textAt(door, "a")).toBe("absent");
  expect(await textAt(door)).toBe("no folder");
  symlinkSync("release-1", site);
  expect(await textAt(door, "a")).toBe("first");
  mkdirSync(join(beside, "release-2"));
  writeFileSync(join(beside, "release-2/a"), "second");
  unlinkSync(site);
  symlinkSync("release-2", site);
  expect(await textAt(door, "a")).toBe("second");
});

test("while a folder becomes a link to the outside and back, no byte of the outside is read", async () => {
  const { door, site, beside } = siteOf((site, beside) => {
    for (const folder of [join(site, "a"), join(beside, "b")]) mkdirSync(folder);
    writeFileSync(join(site, "a/secret"), "public");
    writeFileSync(join(beside, "b/secret"), "secret");
  });
  let isOver = false;
  const swaps = (async () => {
    for (let turn = 0; !isOver; turn++) {
      renameSync(join(site, "a"), join(site, "kept"));
      symlinkSync("../b", join(site, "a"));
      if (turn % 2 === 0) await Bun.sleep(0);
      unlinkSync(join(site, "a"));
      renameSync(join(site, "kept"), join(site, "a"));
      await Bun.sleep(0);
    }
  })();
  const seen = new Set<string>();
  for (let round = 0; round < 400; round++) seen.add(await textAt(door, "a", "secret"));
  isOver = true;
  await swaps;
  expect(seen.has("secret")).toBe(false);
  expect(seen.has("public")).toBe(true);
  expect(existing(beside)).toEqual([]);
});

/** Open files below a folder. */
function existing(folder: string): string[] {
  if (process.platform !== "linux") return [];
  return readdirSync("/proc/self/fd").flatMap((name) => {
    try {
      const path = readlinkSync(`/proc/self/fd/${name}`);
      return path.startsWith(`${folder}/`) ? [path] : [];
    } catch {
      // The descriptor of this very listing is closed by now.
      return [];
    }
  });
}

test("a listing has files, folders and links to them, and no more than it may", async () => {
  const { door } = siteOf((site) => {
    for (const name of ["b", "a", ".hidden"]) writeFileSync(join(site, name), name);
    mkdirSync(join(site, "sub"));
    symlinkSync("sub", join(site, "to-sub"));
    symlinkSync("nowhere", join(site, "broken"));
    Bun.spawnSync(["mkfifo", join(site, "pipe")]);
  });
  const its = await door.open([]);
  if (its.kind !== "folder") throw new Error(its.kind);
  const { entries, more } = await its.folder.list(100);
  expect(more).toBe(0);
  expect(entries.map(({ name, kind }) => `${kind} ${name}`).sort()).toEqual([
    ...["file .hidden", "file a", "file b", "folder sub", "folder to-sub"],
  ]);
  expect((await its.folder.list(2)).more).toBe(5);
  expect(await its.folder.factsOf("b")).toMatchObject({ size: 1 });
  its.folder.close();
});
