/** This machine -> everything outside that services need, one of each for all of them. */
import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { type Clock, systemClock } from "../../system/clock.ts";
import { portHolders } from "../../discovery/port-holder.ts";
import { chooseSource } from "../../discovery/source.ts";
import { datagrams } from "../../system/datagrams.ts";
import { loopback } from "../../system/loopback.ts";
import { pipes } from "../../system/pipes.ts";
import { processCalls } from "../../system/process-calls.ts";
import { proportionalMemory } from "../../system/proportional-memory.ts";
import { isReserved } from "../../system/reserved-port.ts";
import { terminalFlow } from "../../system/terminal-flow.ts";
import { portRightCommand } from "../../text/port-right.ts";
import { unwritable } from "../../text/unwritable.ts";
import { procfsCensus, psCensus } from "../family/census.ts";
import { checks } from "./checks.ts";
import { spawnChild } from "./child.ts";
import { type Families, families } from "../family/family.ts";
import { namedTraits, procfsTraits } from "../family/traits.ts";
import { lsofListening, procfsListening } from "./listening.ts";
import { mayNotify } from "./may-notify.ts";
import type { LifecycleEffects } from "./lifecycle.ts";

export type MachineOptions = {
  platform: NodeJS.Platform;
  /** Folder of the sockets that services notify, made and removed here. Short, as a socket's path has 103 bytes. */
  folder: string;
  clock?: Clock;
  /** Reports a problem that stops nothing. */
  report(problem: string): void;
};

export interface Machine {
  readonly effects: LifecycleEffects;
  readonly families: Families;
  /** Adopts orphans from now on. */
  start(): void;
  /** When no service runs any more. Twice is harmless. */
  stop(): void;
}

export function machine({
  platform,
  folder,
  clock = systemClock,
  report,
}: MachineOptions): Machine {
  const calls = processCalls(platform);
  const flow = terminalFlow(platform);
  const { isFree } = loopback(platform);
  const own = new Set<number>();
  const linux = platform === "linux";
  const census = linux ? procfsCensus() : psCensus();
  const traits = linux ? procfsTraits() : namedTraits();
  const all = families({ census, traits, calls, clock, own, self: { pid: process.pid }, report });
  const childEffects = { clock, flow, pipes: pipes(platform), calls, own };
  let sockets = 0;
  let turns: Promise<void> = Promise.resolve();

  /** Resolves once in each turn of the event loop, for one waiter: a fork blocks for a millisecond or two. */
  function turn(): Promise<void> {
    turns = turns.then(() => new Promise((resume) => setImmediate(resume)));
    return turns;
  }

  /** Made anew for each look, which is rare: what the last one knew would be kept for nothing. */
  const everybody = () => chooseSource("auto", { uid: process.getuid?.() ?? 0, allUsers: true });

  function clear(): void {
    try {
      rmSync(folder, { recursive: true, force: true });
    } catch {
      // On a file system that is read-only, what is left there stays; whoever starts a service is told.
    }
  }

  const onChild = (): void => all.reapSoon();

  return {
    families: all,
    effects: {
      clock,
      families: all,
      spawn: (options) => spawnChild(options, childEffects),
      ask: checks(childEffects),
      listening: linux ? procfsListening() : lsofListening(),
      proportional: linux ? proportionalMemory : async () => undefined,
      isFree,
      holdersOf: (port) => portHolders(port, { source: everybody() }),
      ownerOf: async () => undefined,
      rightTo: (port) => (isReserved(port) ? portRightCommand([port]) : undefined),
      mayNotify,
      async notifySocket(hear) {
        const path = join(folder, (sockets++).toString(36));
        const { close } = await datagrams(path, { platform, hear });
        await turn();
        return { path, close };
      },
      runId: () => Buffer.from(crypto.getRandomValues(new Uint8Array(16))).toString("hex"),
      random: Math.random,
    },
    start() {
      // A killed daemon leaves its folder.
      clear();
      try {
        mkdirSync(folder, { recursive: true, mode: 0o700 });
      } catch (error) {
        // Every start that needs it says so again.
        report(unwritable(folder, error as NodeJS.ErrnoException));
      }
      if (calls.adoptOrphans()) process.on("SIGCHLD", onChild);
    },
    stop() {
      process.off("SIGCHLD", onChild);
      all.stop();
      clear();
    },
  };
}
