/** A port that we could not have -> who has it. */
import { readRegistration } from "../../control/found/registration.ts";
import { holderWords, ownersOf } from "../../discovery/port-holder.ts";
import { listenersOn } from "../../system/listeners.ts";
import { ownFile, runsFile } from "../../system/own-bun.ts";
import { pastedWord } from "../../text/shell-words.ts";
import { looker } from "./look.ts";
import { sourceOf } from "./own-look.ts";
import type { Settings } from "./settings.ts";

export type Holder = {
  /** `shop:web, pid 17: bun dev, in /srv/shop`. */
  who: string;
  /** Undefined where it cannot be seen. */
  pid: number | undefined;
  /** The command that ends it. */
  stop: string | undefined;
  /** The process is the proxy of the state directory. */
  ours: boolean;
};

const nothing = { supervised: [] };

/** A socket whose process is hidden from us: the kernel still says whose it is. */
function hiddenWords(port: number): string {
  const uid = listenersOn(port)[0]?.uid;
  if (uid === undefined) return "a process that is not visible, perhaps another user's";
  const who = uid === 0 ? "root" : `the user ${uid}`;
  return `a process of ${who}, which only that user and root can see (sudo ss -ltnp)`;
}

/** In the order of `ports`; the machine is looked at once. */
export async function holdersOf(ports: readonly number[], settings: Settings): Promise<Holder[]> {
  const record = await readRegistration(settings.stateDirectory);
  const scan = await sourceOf({ ...settings, allUsers: true })
    .scan()
    .catch(() => {
      // The port is taken in any case; the owner is a detail.
      return undefined;
    });
  // Services of the running daemon, if any: a port may be one of theirs.
  const { supervised } = await looker(settings)().catch(() => nothing);
  return ports.map((port) => {
    const owners = scan === undefined ? [] : ownersOf(scan, port);
    // The record may be of another port, or its pid may belong to another process by now.
    const own = owners.find((its) => its.pid === record?.pid);
    if (own !== undefined) {
      const stop = "localhostess server stop";
      return { who: `localhostess, pid ${own.pid}`, pid: own.pid, stop, ours: true };
    }
    const [holder] = owners;
    if (holder === undefined) {
      return { who: hiddenWords(port), pid: undefined, stop: undefined, ours: false };
    }
    const { id: owner } =
      supervised.find(
        ({ pid, listens }) => pid === holder.pid || (pid !== undefined && listens.includes(port)),
      ) ?? {};
    const isDaemon = runsFile(holder.command, ownFile());
    const words = holderWords(holder, { owner, others: owners.length - 1 });
    const who = isDaemon ? `${words} (localhostess with another state directory)` : words;
    const stop =
      owner === undefined ? `kill ${holder.pid}` : `localhostess stop ${pastedWord(owner)}`;
    return { who, pid: holder.pid, stop, ours: false };
  });
}
