import { expect, test } from "bun:test";
import { existsSync } from "node:fs";
import {
  chmod,
  mkdir,
  mkdtemp,
  readFile,
  readlink,
  rm,
  stat,
  symlink,
  utimes,
  writeFile,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { copyFolder, sizeOfFolder, syncFolder } from "../../src/system/copy-folder.ts";

const goesOn = { isOver: () => false };

async function scene() {
  const root = await mkdtemp(join(tmpdir(), "copied-"));
  const source = join(root, "data");
  await mkdir(join(source, "base/1"), { recursive: true });
  await writeFile(join(source, "PG_VERSION"), "17\n");
  await writeFile(join(source, "postmaster.pid"), "1\n");
  await writeFile(join(source, "base/1/112"), "x".repeat(1000));
  await chmod(join(source, "base/1/112"), 0o600);
  await chmod(source, 0o700);
  return {
    ...{ root, source, target: join(root, "copy") },
    [Symbol.asyncDispose]: () => rm(root, { recursive: true, force: true }),
  };
}

test("a folder is copied with its modes and links, without what is left out and what is no file", async () => {
  await using its = await scene();
  await symlink("base/1", join(its.source, "link"));
  await using server = Bun.listen({ unix: join(its.source, "s.sock"), socket: { data() {} } });
  expect(server).toBeDefined();
  const sizes: number[] = [];
  const onBytes = (bytes: number) => void sizes.push(bytes);
  const without = ["postmaster.pid"];
  expect(await copyFolder(its.source, its.target, { ...goesOn, onBytes, without })).toBe(true);
  expect(await readFile(join(its.target, "base/1/112"), "utf8")).toBe("x".repeat(1000));
  expect((await stat(join(its.target, "base/1/112"))).mode & 0o777).toBe(0o600);
  expect((await stat(its.target)).mode & 0o777).toBe(0o700);
  expect(await readlink(join(its.target, "link"))).toBe("base/1");
  for (const name of ["postmaster.pid", "s.sock"])
    expect(existsSync(join(its.target, name))).toBe(false);
  expect(sizes.at(-1)).toBe(1003);
  expect(await syncFolder(its.target, goesOn)).toBe(true);
  expect(await sizeOfFolder(its.target)).toBe(1003);
});

test("a link that leads out of the folder is not copied: its target would belong to both", async () => {
  await using its = await scene();
  for (const leads of ["/elsewhere", "../elsewhere"]) {
    await rm(join(its.source, "pg_wal"), { force: true });
    await rm(its.target, { recursive: true, force: true });
    await symlink(leads, join(its.source, "pg_wal"));
    await expect(copyFolder(its.source, its.target, goesOn)).rejects.toThrow(
      `leads out of its folder, to ${leads}`,
    );
  }
});

test("a copy that is given up ends between two files", async () => {
  await using its = await scene();
  let left = 2;
  expect(await copyFolder(its.source, its.target, { isOver: () => left-- <= 0 })).toBe(false);
});

test("a folder that is gone has no size", async () => {
  expect(await sizeOfFolder("/nowhere/at/all")).toBe(0);
});

test("links that lead out are copied as they are where that is asked for, with dates", async () => {
  await using its = await scene();
  await symlink("/nowhere", join(its.source, "base/out"));
  const dated = ["PG_VERSION", "base/1", "."];
  for (const path of dated) await utimes(join(its.source, path), 1000, 1000);
  const options = { ...goesOn, links: "as they are", times: true } as const;
  expect(await copyFolder(its.source, its.target, options)).toBe(true);
  expect(await readlink(join(its.target, "base/out"))).toBe("/nowhere");
  for (const path of dated) expect((await stat(join(its.target, path))).mtimeMs).toBe(1_000_000);
});
