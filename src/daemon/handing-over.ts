/** The parts of a running daemon -> what another daemon takes over from it, and the end of what stays behind. */
import type { OneOffs } from "../containers/runs/one-offs.ts";
import type { TcpPlace } from "../control/found/handed-sockets.ts";
import { HandingOver } from "../control/found/handing-over.ts";
import type { Proxy as RunningProxy } from "../proxy/listener/listener.ts";
import type { HandedPart } from "../supervisor/handed.ts";
import type { Projects } from "../supervisor/projects.ts";
import type { Clock } from "../system/clock.ts";
import { peerPid } from "../system/peer-pid.ts";
import type { Watch } from "./claim.ts";
import type { Doors } from "./doors.ts";

export type HandingOverOptions = {
  clock: Clock;
  proxy: RunningProxy;
  /** Undefined: nobody can ask us to hand over. */
  doors: Doors | undefined;
  projects: Projects;
  oneOffs: OneOffs;
  watch: Watch;
  /** Ends this daemon: what is under way first. */
  dismissed(why: string): void;
  /** As in `DaemonOptions`. */
  onHandedOver?: ((pid: number | undefined) => void) | undefined;
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
  const { clock, proxy, doors, projects, oneOffs, watch, dismissed } = options;
  let left: Promise<void> | undefined;
  let part: HandedPart | undefined;
  const conversations = new HandingOver({
    clock,
    sockets: () => [
      ...proxy.sockets.map(({ as, address, port, descriptor }) => ({
        place: { as, address: address as TcpPlace["address"], port },
        descriptor,
      })),
      ...(doors?.sockets() ?? []),
    ],
    services() {
      part = projects.handing();
      return part;
    },
    begin: () => watch.pause(),
    takeBack: (successor) => watch.resume(successor),
    leave({ descriptor }) {
      // First of all: this process may end within the same turn.
      options.onHandedOver?.(peerPid(descriptor));
      // Before the doors: clients of containers are not gone when we close their conversations.
      oneOffs.leave();
      left = Promise.all([
        proxy.leave(leavingMilliseconds),
        doors?.leave(),
        projects.stopAll(),
      ]).then(() => {});
      dismissed("as another daemon has taken over; what is under way ends here");
    },
  });
  return {
    conversations,
    left: () => left,
    keeps: () => part?.keeps ?? 0,
    kept: (how) => part?.left(how) ?? Promise.resolve(),
  };
}
