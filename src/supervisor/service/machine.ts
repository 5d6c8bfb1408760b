/** This machine -> everything outside that services need, one of each for all of them. */
import { mkdirSync, rmdirSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { type Clock, systemClock } from "../../system/clock.ts";
import { portHolders } from "../../discovery/port-holder.ts";
import { chooseSource } from "../../discovery/source.ts";
import { childrenOf } from "../../system/children.ts";
import { type Datagrams, datagrams } from "../../system/datagrams.ts";
import { becomeKeeper } from "../../system/keeper.ts";
import { loopback } from "../../system/loopback.ts";
import { type OwnDescriptors, ownDescriptors } from "../../system/own-descriptors.ts";
import { pipes } from "../../system/pipes.ts";
import { processCalls } from "../../system/process-calls.ts";
import { proportionalMemory } from "../../system/proportional-memory.ts";
import { isReserved } from "../../system/reserved-port.ts";
import { terminalFlow } from "../../system/terminal-flow.ts";
import { everybodysPortCommand } from "../../text/port-right.ts";
import { unwritable } from "../../text/unwritable.ts";
import { type Adopted, adopted } from "../family/adopted.ts";
import { procfsCensus, psCensus } from "../family/census.ts";
import { adoptChild } from "./adopted-child.ts";
import { checks } from "./checks.ts";
import { spawnChild } from "./child.ts";
import { type Families, families } from "../family/family.ts";
import { namedTraits, procfsTraits } from "../family/traits.ts";
import { lsofListening, procfsListening } from "./listening.ts";
import { mayNotify } from "./may-notify.ts";
import type { NotifySocket } from "./life.ts";
import type { LifecycleEffects } from "./lifecycle.ts";

export type MachineOptions = {
  platform: NodeJS.Platform;
  /** Folder of the sockets that services notify, made and removed here. Short, as a socket's path has 103 bytes. */
  folder: string;
  clock?: Clock;
  /** Pids of children in sessions of their own that are no service's: they are neither reaped nor ended here. */
  besides?: ReadonlySet<number>;
  /** Reports a problem that stops nothing. */
  report(problem: string): void;
};

/** The parts of this machine that services need in order to go on under another daemon. */
export type HandingMachine = {
  /** Services that other daemons have started. */
  adopted: Adopted;
  /** The pids of those daemons, which are the parents of their services still. */
  keepers: Set<number>;
  /** Pids that this process waits for. */
  own: ReadonlySet<number>;
  descriptors(): OwnDescriptors;
  /** The children of a process, ended ones left out; undefined where that cannot be told. */
  childrenOf(pid: number): readonly number[] | undefined;
  /** This process becomes one that only keeps its children. Returns where that cannot be. */
  keep(descriptor: number): void;
};

export interface Machine {
  readonly effects: LifecycleEffects;
  readonly families: Families;
  readonly handing: HandingMachine;
  /** A path for a unix socket of our own, used once; it is gone when this machine stops. */
  socketPath(): string;
  /** Adopts orphans from now on. `takesOver`: services of the daemon before go on. */
  start(options: { takesOver: boolean }): void;
  /** When no service of ours runs any more. `handsOver`: services go on. Twice is harmless. */
  stop(options: { handsOver: boolean }): void;
}

export function machine({
  platform,
  folder,
  clock = systemClock,
  besides = new Set(),
  report,
}: MachineOptions): Machine {
  const calls = processCalls(platform);
  const flow = terminalFlow(platform);
  const { isFree } = loopback(platform);
  const own = new Set<number>();
  const linux = platform === "linux";
  const census = linux ? procfsCensus() : psCensus();
  const traits = linux ? procfsTraits() : namedTraits();
  const keepers = new Set<number>();
  const self = { pid: process.pid };
  const all = families({ census, traits, calls, clock, own, besides, self, keepers, report });
  const theirs = adopted({ clock, glimpse: (pid) => census.glimpse(pid) });
  const childEffects = { clock, flow, pipes: pipes(platform), calls, own };
  /** No daemon's sockets have the names of another's: they may have to share the folder. */
  const launch = Math.floor(Math.random() * 36 ** 5).toString(36);
  let sockets = 0;
  const ownSockets: string[] = [];
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

  const notifySocketOf = (path: string, its: Datagrams): NotifySocket => ({
    ...its,
    path,
    close() {
      its.close();
      if (dirname(path) === folder) return;
      try {
        rmdirSync(dirname(path));
      } catch {
        // Another daemon's folder is removed with the last of its sockets.
      }
    },
  });

  const onChild = (): void => all.reapSoon();

  return {
    families: all,
    socketPath() {
      const path = join(folder, `${launch}.s${(sockets++).toString(36)}`);
      ownSockets.push(path);
      return path;
    },
    handing: {
      adopted: theirs,
      keepers,
      own,
      descriptors: ownDescriptors,
      childrenOf: (pid) =>
        childrenOf(pid)?.filter((child) => census.glimpse(child)?.zombie === false),
      keep: becomeKeeper,
    },
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
      rightTo: (port) => (isReserved(port) ? everybodysPortCommand([port]) : undefined),
      mayNotify,
      async notifySocket(hear) {
        const path = join(folder, `${launch}.${(sockets++).toString(36)}`);
        const its = await datagrams(path, { platform, hear });
        await turn();
        return notifySocketOf(path, its);
      },
      async adoptSocket({ path, descriptor: from }, hear) {
        return notifySocketOf(path, await datagrams(path, { platform, hear, from }));
      },
      adoptChild: (options) =>
        adoptChild(options, { clock, flow, adopted: theirs, same: (its) => census.same(its) }),
      runId: () => Buffer.from(crypto.getRandomValues(new Uint8Array(16))).toString("hex"),
      random: Math.random,
    },
    start({ takesOver }) {
      // A killed daemon leaves its folder.
      if (!takesOver) clear();
      try {
        mkdirSync(folder, { recursive: true, mode: 0o700 });
      } catch (error) {
        // Every start that needs it says so again.
        report(unwritable(folder, error as NodeJS.ErrnoException));
      }
      if (calls.adoptOrphans()) process.on("SIGCHLD", onChild);
    },
    stop({ handsOver }) {
      process.off("SIGCHLD", onChild);
      all.stop();
      if (!handsOver) clear();
      for (const path of ownSockets.splice(0)) rmSync(path, { force: true });
    },
  };
}
