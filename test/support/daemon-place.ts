/** A state directory of its own -> commands that share it, and an end for every daemon that they started. */
import { readdirSync, readFileSync, statfsSync } from "node:fs";
import { chmod, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Found, findDaemon } from "../../src/control/found/connect.ts";
import type { Registration } from "../../src/control/found/protocol.ts";
import { systemClock } from "../../src/system/clock.ts";
import { cli, type Ended, type Env, spawned } from "../cli/cli.ts";
import { eventually } from "./eventually.ts";

export interface DaemonPlace extends AsyncDisposable {
  directory: string;
  env: Env;
  run(...args: string[]): Promise<Ended>;
  /** As any client of ours finds it. */
  find(): Promise<Found>;
  /** The daemon that runs, however long a busy machine takes until it answers. */
  running(): Promise<Registration>;
  /** In the background, on a port that the system chooses. */
  start(...args: string[]): Promise<Registration>;
  /** The daemons that were started here and have not ended. */
  pids(): number[];
}

/**
 * No other program has the directory in its environment, so that whoever has is ours to end. `apart`: each command is a
 * process of its own, where processes that meet, or end, are what is tested.
 */
export async function daemonPlace({ apart = false } = {}): Promise<DaemonPlace> {
  const directory = await mkdtemp(join(tmpdir(), "localhostess-daemon-"));
  // As root, servers of databases run as nobody, who gets to nothing below a folder that is root's alone.
  // Short, so that their sockets have room in it: those of longer paths are in folders of /tmp that stay.
  const stores = await mkdtemp(join(quickest(), "lh-"));
  await chmod(stores, 0o711);
  const env: Env = {
    LOCALHOSTESS_STATE_DIR: directory,
    LOCALHOSTESS_STORES_DIR: stores,
    LOCALHOSTESS_HTTP_PORT: "off",
    LOCALHOSTESS_HTTPS_PORT: "off",
  };
  const pids = (): number[] =>
    readdirSync("/proc")
      .filter((name) => /^\d+$/.test(name))
      .map(Number)
      .filter((pid) => {
        try {
          const words = readFileSync(`/proc/${pid}/cmdline`, "latin1").split("\0");
          const variables = readFileSync(`/proc/${pid}/environ`, "latin1");
          return variables.includes(directory) && words.includes("start");
        } catch {
          // It has ended, or is another user's.
          return false;
        }
      });
  const run = (...args: string[]) => (apart ? spawned : cli)(args, { env });
  const find = () => findDaemon(directory, { clock: systemClock });
  const running = async (): Promise<Registration> => {
    let found = await find();
    await eventually("a daemon answers", async () => {
      if (found.kind !== "healthy") found = await find();
      return found.kind === "healthy";
    });
    if (found.kind !== "healthy") throw new Error(found.kind);
    return found.registration;
  };
  return {
    directory,
    env,
    run,
    find,
    running,
    pids,
    async start(...args) {
      const ended = await run("server", "start", "--detach", "--port", "0", ...args);
      if (ended.code !== 0) throw new Error(ended.err);
      return await running();
    },
    async [Symbol.asyncDispose]() {
      for (const pid of pids()) endNow(pid);
      await eventually("daemons end", () => pids().length === 0);
      for (const folder of [directory, stores]) await rm(folder, { recursive: true, force: true });
    },
  };
}

/** Databases write much, and wait for the disk: memory is ten times as quick, where there is enough of it. */
function quickest(): string {
  try {
    const { bavail, bsize } = statfsSync("/dev/shm");
    return bavail * bsize > 2 ** 30 ? "/dev/shm" : tmpdir();
  } catch {
    // Not Linux.
    return tmpdir();
  }
}

/** SIGKILL; no matter where it has ended already. */
export function endNow(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}
