/** Processes that are known by their working directory. */
import { expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { workingIn } from "../../src/system/working-in.ts";

test.skipIf(process.platform !== "linux")(
  "processes in a folder or below it, and none beside it",
  async () => {
    const root = realpathSync(mkdtempSync(join(tmpdir(), "localhostess-working-")));
    for (const folder of ["its", "its/below", "its-other"]) mkdirSync(join(root, folder));
    const started = (folder: string) =>
      Bun.spawn(["sh", "-c", "echo; read line"], {
        cwd: join(root, folder),
        stdin: "pipe",
        stdout: "pipe",
      });
    await using one = started("its");
    await using below = started("its/below");
    await using beside = started("its-other");
    for (const child of [one, below, beside]) await child.stdout.getReader().read();
    const pids = [one.pid, below.pid].sort((a, b) => a - b);
    expect(workingIn(join(root, "its")).sort((a, b) => a - b)).toEqual(pids);
    expect(workingIn(join(root, "its"), { platform: "darwin" })).toEqual([]);
    rmSync(root, { recursive: true });
  },
);
