/** A daemon that is to be started or replaced -> a process that does it, or the command of its manager that does. */
import { commandOfManager, type ManagerCommand } from "../../boot/start-by-manager.ts";
import { unitName } from "../../boot/unit-text.ts";
import type { Spawned } from "../../control/found/connect.ts";
import { spawnDaemon, type SpawnOptions } from "../../control/found/spawn.ts";
import { runCommand } from "../../system/command.ts";
import { unitOf } from "../../system/unit-of.ts";
import { shellCommand } from "../../text/shell-words.ts";
import { type Settings, UsageError } from "./settings.ts";
import type { World } from "./world.ts";

export type ByManager = {
  /** Options of `server start`, as typed. */
  options: readonly string[];
  settings: Pick<Settings, "sandbox" | "ownPlace">;
  world: Pick<World, "env" | "home" | "platform">;
  isReplaced: boolean;
  /** The running daemon that is to be replaced; undefined: it cannot be told which one that is. */
  pid: number | undefined;
};

/** @throws UsageError for options that the manager's daemon would not get. */
export async function commandBy(wanted: ByManager): Promise<ManagerCommand | undefined> {
  const { options, settings, world, isReplaced, pid } = wanted;
  // A sandbox has no service.
  if (settings.sandbox !== undefined || (isReplaced && pid === undefined)) return undefined;
  // The service's daemon would not have them, and has the usual place for its state.
  if (!isReplaced && (options.length > 0 || !settings.ownPlace)) return undefined;
  const uid = process.getuid?.() ?? -1;
  const its = commandOfManager({ ...world, uid, pid });
  // Another daemon may have been started by a service, and is in the unit too.
  if (its === undefined || (pid !== undefined && !(await isMain(pid, world)))) return undefined;
  if (options.length === 0) return its;
  throw new UsageError([
    `${options.join(" ")}: systemd runs the daemon without options; write them to config.toml, then run: localhostess server restart`,
  ]);
}

/** Milliseconds for an answer of the manager's. */
const deadline = 10_000;

/** True as well where the manager does not answer: the command that asks it for more will say why. */
async function isMain(pid: number, { env }: ByManager["world"]): Promise<boolean> {
  const all = Object.entries(env).filter((its): its is [string, string] => its[1] !== undefined);
  const words = ["systemctl", "--user", "show", unitName, "-p", "MainPID", "--value"] as const;
  const options = { env: Object.fromEntries(all), deadline, limit: 1024 };
  const result = await runCommand([...words], options);
  return result.kind !== "done" || result.code !== 0 || Number(result.stdout) === pid;
}

/** The manager's daemon has the port that the configuration says, whoever replaces it. */
export function isManaged(pid: number | undefined): boolean {
  return pid !== undefined && unitOf(pid)?.name === unitName;
}

export function spawnedBy(its: ManagerCommand | undefined, options: SpawnOptions): Spawned {
  if (its === undefined) return spawnDaemon(options);
  return {
    ...spawnDaemon({ ...options, command: its.words }),
    // The command waits for the daemon, and does nothing itself.
    sign: () => undefined,
    lastWords: async () => `${shellCommand(its.words)} has failed; see: ${its.see}`,
  };
}
