/** What keeps a small file of ours from being believed: its kind, its owner, its mode, its size. */
import { afterEach, beforeEach, expect, test } from "bun:test";
import { chmod, chown, mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readPrivateFile } from "../../src/system/private-file.ts";

let directory: string;
let path: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "localhostess-private-"));
  path = join(directory, "file");
});

afterEach(() => rm(directory, { recursive: true, force: true }));

const read = (forbidden = 0o077, limit = 10) => readPrivateFile(path, { limit, forbidden });

test("a file of ours alone is its text", async () => {
  await writeFile(path, "secret", { mode: 0o600 });
  expect(read()).toEqual({ kind: "text", text: "secret" });
  await writeFile(path, "");
  expect(read()).toEqual({ kind: "text", text: "" });
});

test("none is absent, also where a file stands in the place of its folder", async () => {
  expect(read()).toEqual({ kind: "absent" });
  await writeFile(path, "");
  expect(readPrivateFile(join(path, "x"), { limit: 10, forbidden: 0 })).toEqual({ kind: "absent" });
});

test("one that others may read or write is exposed, by what is forbidden of it", async () => {
  await writeFile(path, "secret");
  for (const mode of [0o640, 0o604, 0o620, 0o602, 0o777]) {
    await chmod(path, mode);
    expect([mode, read().kind]).toEqual([mode, "exposed"]);
  }
  await chmod(path, 0o644);
  expect(read(0o022).kind).toBe("text");
  await chmod(path, 0o664);
  expect(read(0o022).kind).toBe("exposed");
});

test.skipIf(process.getuid?.() !== 0)(
  "one of another user is exposed, whatever its mode (as root)",
  async () => {
    await writeFile(path, "secret", { mode: 0o600 });
    await chown(path, 65_534, 65_534);
    expect(read().kind).toBe("exposed");
  },
);

test("one of more than the limit is broken", async () => {
  await writeFile(path, "1234567890", { mode: 0o600 });
  expect(read().kind).toBe("text");
  await writeFile(path, "12345678901");
  expect(read().kind).toBe("broken");
});

test("a folder, a link and a pipe are broken, and none is waited for", async () => {
  await mkdir(path, { mode: 0o700 });
  expect(read().kind).toBe("broken");
  await rm(path, { recursive: true });
  const other = join(directory, "other");
  await writeFile(other, "secret", { mode: 0o600 });
  await symlink(other, path);
  expect(read().kind).toBe("broken");
  await rm(path);
  Bun.spawnSync(["mkfifo", "-m", "600", path]);
  expect(read().kind).toBe("broken");
});
