/** This program -> who has installed it, by its file and what the system knows of it. */
import { accessSync, constants, existsSync, realpathSync } from "node:fs";
import { dirname } from "node:path";
import { runCommand } from "../../system/command.ts";
import { ownFile } from "../../system/own-bun.ts";
import { definedOf } from "../shared/defined.ts";
import type { World } from "../shared/world.ts";
import { type Installed, installedBy } from "./installed-by.ts";

/** Milliseconds; one program of this machine is asked. */
const deadline = 20_000;
const longestAnswer = 64 * 1024;

export async function installation({ env, platform }: World): Promise<Installed> {
  const file = realpathSync(ownFile());
  const isDebian =
    platform === "linux" && file.startsWith("/usr/") && (await isPackaged(file, env));
  return installedBy({ file, exists: existsSync, isDebian });
}

/** dpkg knows each file of each package. */
async function isPackaged(file: string, env: World["env"]): Promise<boolean> {
  const argv = ["dpkg-query", "--search", file] as const;
  const asked = await runCommand(argv, { env: definedOf(env), deadline, limit: longestAnswer });
  return asked.kind === "done" && asked.code === 0 && asked.stdout.startsWith("localhostess");
}

/** Whether this person may write at a path, or make it. */
export function mayWrite(path: string): boolean {
  for (let at = path; ; at = dirname(at)) {
    if (!existsSync(at) && at !== "/") continue;
    try {
      accessSync(at, constants.W_OK);
      return true;
    } catch {
      // Somebody else's.
      return false;
    }
  }
}
