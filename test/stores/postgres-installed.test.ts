import { expect, test } from "bun:test";
import { chmod, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { installedBinaries } from "../../src/stores/postgres/installed.ts";

/** A major version that no machine has. */
const major = 87;

async function scene() {
  const root = await mkdtemp(join(tmpdir(), "installed-"));
  return {
    /** A folder with programs that say that version. */
    async folder(name: string, says: string, programs = ["postgres", "initdb"]): Promise<string> {
      const path = join(root, name);
      await mkdir(path);
      for (const program of programs) {
        await writeFile(join(path, program), `#!/bin/sh\necho 'postgres (PostgreSQL) ${says}'\n`);
        await chmod(join(path, program), 0o755);
      }
      return path;
    },
    [Symbol.asyncDispose]: () => rm(root, { recursive: true, force: true }),
  };
}

test("a PostgreSQL of PATH is taken by the version that it says, with all programs and where it can be reached", async () => {
  await using its = await scene();
  const folders = [
    await its.folder("clients", `${major}.1`, ["postgres"]),
    await its.folder("other", "86.4"),
    await its.folder("hidden", `${major}.2`),
    await its.folder("right", `${major}.3 (Homebrew)`),
  ];
  const env = { PATH: folders.join(":") };
  const isReachable = (folder: string): boolean => !folder.endsWith("/hidden");
  expect(await installedBinaries(major, { env, isReachable })).toBe(folders[3]!);
  expect(await installedBinaries(86, { env, isReachable })).toBe(folders[1]!);
  expect(await installedBinaries(88, { env, isReachable })).toBeUndefined();
});
