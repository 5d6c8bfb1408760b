/** The parts of a running daemon -> what another daemon takes over from it, and the end of what stays behind. */
import { closeSync } from "node:fs";
import type { OneOffs } from "../containers/runs/one-offs.ts";
import type { HandedSocket, TcpPlace } from "../control/found/handed-sockets.ts";
import { type Failed, HandingOver } from "../control/found/handing-over.ts";
import type { Proxy as RunningProxy } from "../proxy/listener/listener.ts";
import type { HandedPart } from "../supervisor/handed.ts";
import type { Projects } from "../supervisor/projects.ts";
import type { Clock } from "../system/clock.ts";
import { duplicate } from "../system/own-descriptors.ts";
import { peerPid } from "../system/peer-pid.ts";
import { shownDuration } from "../text/duration.ts";
import type { Watch } from "./claim.ts";
import type { Doors } from "./doors.ts";
import type { Late } from "./late.ts";

export type HandingOverOptions = {
  clock: Clock;
  /** The proxy that accepts, or did last. */
  proxy: Late<RunningProxy>;
  /** Another proxy, on sockets of the first one. */
  again(sockets: HandedSocket[]): RunningProxy;
  /** Milliseconds for which a daemon that takes over is on trial. */
  trial: number;
  /** Undefined: nobody can ask us to hand over. */
  doors: Doors | undefined;
  projects: Projects;
  oneOffs: OneOffs;
  watch: Watch;
  note(text: string): void;
  /** Ends this daemon: what is under way first. */
  dismissed(why: string): void;
  /** As in `DaemonOptions`. */
  onHandedOver?: ((pid: number | undefined) => void) | undefined;
  /** We are the daemon again, after another one has failed. */
  cameBack?(): void;
};

/**
 * Milliseconds that answers and tunnels have which are under way when another daemon has taken over: nobody waits for
 * them, and a download or a WebSocket had better end by itself.
 */
const leavingMilliseconds = 60_000;

export type HandingOverPart = {
  conversations: HandingOver;
  /** Undefined: nobody has taken over. Resolves when nothing is left that was begun before. */
  left(): Promise<void> | undefined;
  /** As `keeps` and `left` of a `HandedPart`. */
  keeps(): number;
  kept(how: Parameters<HandedPart["left"]>[0]): Promise<void>;
};

export function handingOver(options: HandingOverOptions): HandingOverPart {
  const { clock, proxy, doors, projects, oneOffs, watch, note, dismissed } = options;
  let left: Promise<void> | undefined;
  let part: HandedPart | undefined;
  /** The process of the daemon that has taken over. */
  let nextPid: number | undefined;
  /** Answers and streams that end here, while another daemon accepts. */
  let ending: Promise<unknown>[] = [];
  /** Our sockets, while another daemon is on trial: they listen, and we accept nothing. */
  let kept: HandedSocket[] = [];
  const sockets = (): HandedSocket[] => [
    ...proxy.part!.sockets.map(({ as, address, port, descriptor }) => ({
      place: { as, address: address as TcpPlace["address"], port },
      descriptor,
    })),
    ...(doors?.sockets() ?? []),
  ];
  const drop = (): void => {
    for (const { descriptor } of kept.splice(0)) closeSync(descriptor);
  };
  const conversations = new HandingOver({
    clock,
    trial: options.trial,
    sockets,
    services() {
      part = projects.handing();
      return part;
    },
    begin: () => watch.pause(),
    takeBack: (successor) => watch.resume(successor),
    lend({ descriptor }) {
      nextPid = peerPid(descriptor);
      kept = copies(sockets());
      // Before the doors: clients of containers are not gone when we close their conversations.
      oneOffs.leave();
      ending = [proxy.part!.leave(leavingMilliseconds), doors?.leave() ?? Promise.resolve()];
      return kept.length > 0;
    },
    leave() {
      // First of all: this process may end within the same turn.
      options.onHandedOver?.(nextPid);
      drop();
      left = Promise.all([...ending, projects.stopAll()]).then(() => {});
      dismissed("as another daemon has taken over; what is under way ends here");
    },
    comeBack(successor, failed) {
      note(failedText(failed));
      try {
        proxy.becomes(options.again(kept));
        doors?.adopt(kept);
        doors?.settle();
      } catch (error) {
        // Whoever looks for a daemon finds none, and starts the next one.
        dismissed(`as it cannot go on: ${(error as Error).message}`);
      }
      drop();
      oneOffs.comeBack();
      watch.resume(successor);
      options.cameBack?.();
    },
    endProcess,
  });
  return {
    conversations,
    left: () => left,
    keeps: () => part?.keeps ?? 0,
    kept: (how) => part?.left(how) ?? Promise.resolve(),
  };
}

/** Empty where there is no room for them. */
function copies(sockets: readonly HandedSocket[]): HandedSocket[] {
  const made: HandedSocket[] = [];
  try {
    for (const { place, descriptor } of sockets) {
      made.push({ place, descriptor: duplicate(descriptor) });
    }
    return made;
  } catch {
    for (const { descriptor } of made) closeSync(descriptor);
    return [];
  }
}

function failedText({ pid, version, after, why }: Failed): string {
  const who = `the next daemon (pid ${pid}, version ${version})`;
  const reason = why === undefined ? "" : `: ${why}`;
  return `${who} failed ${shownDuration(after)} after it had taken over${reason}; this one goes on (pid ${process.pid})`;
}

/** Its line is open, so that the process with this pid is that daemon still. */
function endProcess(pid: number): boolean {
  if (pid === process.pid) return false;
  try {
    process.kill(pid, "SIGKILL");
    return true;
  } catch {
    // Gone, or not ours: the line says which.
    return false;
  }
}
