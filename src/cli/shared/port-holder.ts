/** A port that we could not have -> who has it. */
import { readRegistration } from "../../control/found/registration.ts";
import { printable } from "../../text/printable.ts";
import { ownersOf } from "../../discovery/port-holder.ts";
import { sourceOf } from "./look.ts";
import type { Settings } from "./settings.ts";

export type Holder = {
  /** "pid 17: nginx". */
  who: string;
  /** Undefined where it cannot be seen. */
  pid: number | undefined;
  /** The process is the proxy of the state directory. */
  ours: boolean;
};

/** In the order of `ports`; the machine is looked at once. */
export async function holdersOf(ports: readonly number[], settings: Settings): Promise<Holder[]> {
  const record = await readRegistration(settings.stateDirectory);
  const scan = await sourceOf({ ...settings, allUsers: true })
    .scan()
    .catch(() => {
      // The port is taken in any case; the owner is a detail.
      return undefined;
    });
  return ports.map((port) => {
    const owners = scan === undefined ? [] : ownersOf(scan, port);
    // The record may be of another port, or its pid may belong to another process by now.
    const own = owners.find((its) => its.pid === record?.pid);
    if (own !== undefined) {
      return { who: `localhostess, pid ${own.pid}`, pid: own.pid, ours: true };
    }
    const [holder] = owners;
    if (holder === undefined) {
      const who = "a process that is not visible, perhaps another user's";
      return { who, pid: undefined, ours: false };
    }
    const others = owners.length > 1 ? ` and ${owners.length - 1} more` : "";
    const who = `pid ${holder.pid}${others}: ${printable(holder.command, 200)}`;
    return { who, pid: holder.pid, ours: false };
  });
}
