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
  daemonPid?(): Promise<number | undefined>;
  signal?(pid: number, name: NodeJS.Signals): void;
};

/**
 * Signals go to the daemon that runs now, and orphans are reaped. @returns 0 once a daemon has ended as it was told to,
 * and 1 where it ended otherwise.
 */
export async function minding(
  settings: Pick<Settings, "stateDirectory" | "socket">,
  world: Pick<World, "onSignal" | "exit">,
  options: MindingOptions = {},
): Promise<number> {
  const { stateDirectory, socket } = settings;
  const { clock = systemClock, signal = (pid, name) => void process.kill(pid, name) } = options;
  const {
    daemonPid = async () => {
      const found = await findDaemon(stateDirectory, { clock, socket });
      return found.kind === "healthy" ? found.handshake.pid : undefined;
    },
  } = options;
  const cancel = world.onSignal((name) => {
    void daemonPid().then((pid) => {
      if (pid === undefined) world.exit(exitCode.failed);
      else signal(pid, name);
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
