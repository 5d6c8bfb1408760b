/** A service -> whether another process has its port by now, asked of the kernel ten times a second at most. */
import type { Service } from "../routes/service.ts";
import type { Clock } from "../system/clock.ts";
import type { ListenersAt } from "../system/listener-at.ts";

/** Milliseconds for which an answer holds: a busy service costs ten questions of some microseconds in a second. */
const holds = 100;

type Asked = { at: number; isLost: boolean };

/**
 * Before each connection the kernel is asked anyway. This is for requests that find one open: a process that has given
 * its port up may keep its connections, but the name is not its own any more once another process listens there.
 */
export function heldPorts(
  listenersAt: ListenersAt | undefined,
  clock: Pick<Clock, "now">,
): (service: Service) => boolean {
  if (listenersAt === undefined) return () => true;
  const known = new WeakMap<Service, Asked>();

  function isLost({ endpoint: { dial, port, sockets } }: Service): boolean {
    const found = dial.flatMap((address) => listenersAt!({ address, port }) ?? []);
    return found.length > 0 && !found.some((inode) => sockets!.includes(inode));
  }

  return (service) => {
    if (service.endpoint.sockets === undefined) return true;
    const now = clock.now();
    const before = known.get(service);
    if (before !== undefined && Math.abs(now - before.at) < holds) return !before.isLost;
    const asked = { at: now, isLost: isLost(service) };
    known.set(service, asked);
    return !asked.isLost;
  };
}
