/** A folder of PostgreSQL's data -> the server that runs on it, as its lock file has it. */
import { readlinkSync, realpathSync, rmSync } from "node:fs";
import { join } from "node:path";
import { runCommand } from "../../system/command.ts";
import { readTextSync } from "../../system/read-text.ts";
import { Unstartable } from "./unstartable.ts";

/** Bytes of postmaster.pid, which has eight short lines. */
const longest = 4096;

/** Milliseconds between two looks, and for one. */
const period = 100;
const deadline = 5000;

const lockFile = "postmaster.pid";

/** The process that the lock file names; undefined: there is no lock. */
function lockedBy(data: string): number | undefined {
  const read = readTextSync(join(data, lockFile), { longest });
  const pid = Number(read.kind === "text" ? read.text.split("\n", 1)[0]!.trim() : Number.NaN);
  return Number.isInteger(pid) && pid > 0 ? pid : undefined;
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

/** A server of PostgreSQL has its data as its current folder; another program may have got the number of a dead one. */
async function runsOn(pid: number, data: string): Promise<boolean> {
  if (process.platform === "linux") {
    try {
      return readlinkSync(`/proc/${pid}/cwd`) === realpathSync(data);
    } catch (error) {
      // Another user's process: none of ours.
      const { code } = error as NodeJS.ErrnoException;
      if (code === "ENOENT" || code === "EACCES" || code === "ESRCH") return false;
      throw error;
    }
  }
  const said = await runCommand(["ps", "-o", "comm=", "-p", String(pid)], {
    env: { PATH: "/usr/bin:/bin" },
    deadline,
    limit: 4096,
  });
  return said.kind === "done" && /\bpostgres\b/.test(said.stdout);
}

/** The living server on that data. */
export async function holderOf(data: string): Promise<number | undefined> {
  const pid = lockedBy(data);
  return pid !== undefined && isAlive(pid) && (await runsOn(pid, data)) ? pid : undefined;
}

/**
 * Resolves when no server runs on that data. A lock whose number another program has got since is taken away:
 * PostgreSQL itself would refuse. @throws Unstartable after `patience` milliseconds.
 */
export async function whenFree(data: string, patience: number): Promise<void> {
  const end = performance.now() + patience;
  for (;;) {
    const pid = await holderOf(data);
    if (pid === undefined) break;
    if (performance.now() >= end) {
      throw new Unstartable(
        `another PostgreSQL (pid ${pid}) runs on ${data}; to end it: kill -INT ${pid}`,
        { passing: true },
      );
    }
    await Bun.sleep(period);
  }
  const stale = lockedBy(data);
  if (stale !== undefined && isAlive(stale)) rmSync(join(data, lockFile), { force: true });
}
