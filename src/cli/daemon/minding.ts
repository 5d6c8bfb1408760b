/** A process whose daemon was replaced, and whose end would be taken for the daemon's -> the end of the other one. */
import { findDaemon } from "../../control/found/connect.ts";
import { readRegistration } from "../../control/found/registration.ts";
import { childrenOf } from "../../system/children.ts";
import { type Clock, systemClock } from "../../system/clock.ts";
import { LeftZombies } from "../../system/left-zombies.ts";
import { isThere, processNow } from "../../system/process-now.ts";
import { processCalls } from "../../system/process-calls.ts";
import { exitCode } from "../shared/exit-code.ts";
import type { Settings } from "../shared/settings.ts";
import type { World } from "../shared/world.ts";

/** Milliseconds between two looks at the record. */
const period = 500;
/** Looks: a daemon that is replaced without its help is gone before the next one has its record. */
const patience = 6;

export type MindingOptions = {
  clock?: Clock;
  /** The pid of the daemon that has proved itself. */
  daemonPid?(): Promise<number | undefined> | number;
  signal?(pid: number, name: NodeJS.Signals): void;
};

type Place = Pick<Settings, "stateDirectory" | "socket">;

/** A signal -> the daemon that runs now has it. @returns false where none has proved itself, or it is gone. */
export async function passOn(
  name: NodeJS.Signals,
  { stateDirectory, socket }: Place,
  options: MindingOptions = {},
): Promise<boolean> {
  const { clock = systemClock, signal = (pid, its) => void process.kill(pid, its) } = options;
  const {
    daemonPid = async () => {
      const found = await findDaemon(stateDirectory, { clock, socket });
      return found.kind === "healthy" ? found.handshake.pid : undefined;
    },
  } = options;
  const pid = await daemonPid();
  if (pid === undefined) return false;
  try {
    signal(pid, name);
    return true;
  } catch {
    // The daemon has ended since.
    return false;
  }
}

/**
 * Signals go to the daemon that runs now, and orphans are reaped. @returns 0 once a daemon has ended as it was told to,
 * and 1 where it ended otherwise.
 */
export async function minding(
  settings: Place,
  world: Pick<World, "onSignal" | "exit">,
  options: MindingOptions = {},
): Promise<number> {
  const { stateDirectory } = settings;
  const { clock = systemClock } = options;
  const cancel = world.onSignal((name) => {
    void passOn(name, settings, options).then((isHeard) => {
      if (!isHeard) world.exit(exitCode.failed);
    });
  });
  const zombies = new LeftZombies();
  const calls = processCalls(process.platform);
  let missed = 0;
  let last: number = exitCode.done;
  while (missed < patience) {
    for (const pid of zombies.seen(zombieChildren(), clock.now())) calls.reap(pid);
    const record = await readRegistration(stateDirectory);
    if (record !== undefined && isThere(record.pid)) missed = 0;
    else missed++;
    // A daemon that ends as it should removes its record.
    last = record === undefined ? exitCode.done : exitCode.failed;
    await new Promise<void>((resume) => void clock.after(period, resume));
  }
  cancel();
  return last;
}

function zombieChildren(): number[] {
  return (childrenOf(process.pid) ?? []).filter((pid) => processNow(pid)?.zombie === true);
}
