import { afterEach, expect, test } from "bun:test";
import { mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { lockFile } from "../../src/system/file-lock.ts";
import { eventually } from "../support/eventually.ts";

const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
});

function path(): string {
  const folder = mkdtempSync(join(tmpdir(), "lock-"));
  folders.push(folder);
  return join(folder, "lock");
}

test("one has it at a time, and again when it was given back", () => {
  const place = path();
  const first = lockFile(place);
  expect(first.kind).toBe("locked");
  expect(lockFile(place)).toEqual({ kind: "taken" });
  if (first.kind === "locked") {
    first.release();
    first.release();
  }
  const second = lockFile(place);
  expect(second.kind).toBe("locked");
  if (second.kind === "locked") second.release();
});

test("a process that is killed lets it go, though a child of it runs on", async () => {
  const place = path();
  const lock = join(import.meta.dir, "../../src/system/file-lock.ts");
  const script = `
    const { lockFile } = await import(${JSON.stringify(lock)});
    lockFile(${JSON.stringify(place)});
    const child = Bun.spawn(["sleep", "100"], { detached: true });
    const terminal = Bun.spawn(["sleep", "100"], { detached: true, terminal: { cols: 80, rows: 24, data() {} } });
    console.log(child.pid, terminal.pid);
    setInterval(() => {}, 1000);
  `;
  const holder = Bun.spawn([process.execPath, "-e", script], { stdout: "pipe", detached: true });
  const { value } = await holder.stdout.getReader().read();
  const children = new TextDecoder().decode(value).trim().split(" ").map(Number);
  expect(lockFile(place)).toEqual({ kind: "taken" });
  process.kill(holder.pid, "SIGKILL");
  await holder.exited;
  await eventually("the lock is free", () => {
    const got = lockFile(place);
    if (got.kind === "locked") got.release();
    return got.kind === "locked";
  });
  process.kill(children[0]!, 0);
  for (const child of children) {
    try {
      process.kill(child, "SIGKILL");
    } catch (error) {
      // The one with the terminal ends with it.
      if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
    }
  }
});

test("a link in its place is not followed", () => {
  const place = path();
  symlinkSync("/tmp/somewhere-else", place);
  expect(() => lockFile(place)).toThrow("ELOOP");
});
