/** The engines that may have containers of ours -> those removed whose client has ended without doing so. */
import type { Clock } from "../../system/clock.ts";
import { engineSocket } from "../engine-socket.ts";
import { removeBuilt } from "./build-leftovers.ts";
import { type Listed, removeLabelled } from "./container-calls.ts";
import { labelNames } from "./container-plan.ts";
import { notedEngines } from "./engine-notes.ts";
import { isPersonsBuild } from "./one-off-clients.ts";
import { leaveNetwork } from "./project-network.ts";

export type LeftOptions = {
  /** The folder of the notes. */
  notes: string;
  owner: string;
  clock: Clock;
  uid?: number;
};

export interface LeftContainers {
  /** Resolves with a warning where some cannot be removed. Never rejects. */
  removeContainers(of: { directory: string; service: string }): Promise<string | undefined>;
  /** `goesOn`: ids of runs, asked for when it is known what is there: a run is known before its container. */
  removeOthers(goesOn: () => ReadonlySet<string>): Promise<string | undefined>;
  /** Images and caches of what was built for a project's folder. Whatever is used stays. */
  removeBuilt(of: { directory: string }): Promise<void>;
}

/** Milliseconds that a container is given to end. */
const timeout = 10_000;

/** Milliseconds after which a daemon no longer waits for engines that do not answer. */
const patience = 30_000;

export function leftContainers({
  notes,
  owner,
  clock,
  uid = process.getuid?.() ?? 0,
}: LeftOptions): LeftContainers {
  async function removeAt(
    socket: string,
    { labels, isWanted }: { labels: Record<string, string>; isWanted(its: Listed): boolean },
  ): Promise<string | undefined> {
    if (engineSocket(socket, { uid }).kind !== "socket") return undefined;
    const abort = new AbortController();
    const cancel = clock.after(patience, () => abort.abort());
    const at = { socket, clock, signal: abort.signal };
    const directories = new Set<string>();
    const removed = await removeLabelled(at, {
      labels: { ...labels, [labelNames.owner]: owner },
      timeout,
      isWanted(its) {
        const directory = its.labels[labelNames.directory];
        const wanted = directory !== undefined && isWanted(its);
        if (wanted) directories.add(directory);
        return wanted;
      },
    });
    for (const directory of directories) await leaveNetwork(at, { owner, directory });
    cancel();
    if (removed.trouble === undefined) return undefined;
    return `containers may be left in the engine at ${socket}: ${removed.trouble}`;
  }

  async function everywhere(
    labels: Record<string, string>,
    isWanted: (its: Listed) => boolean,
  ): Promise<string | undefined> {
    const all = await Promise.all(
      notedEngines(notes).map((socket) => removeAt(socket, { labels, isWanted })),
    );
    return all.find((its) => its !== undefined);
  }

  return {
    removeContainers: ({ directory, service }) =>
      everywhere(
        { [labelNames.directory]: directory, [labelNames.service]: service },
        ({ labels }) => !isPersonsBuild(labels),
      ),
    removeOthers: (goesOn) =>
      everywhere({}, ({ labels }) => {
        const run = labels[labelNames.run];
        return run !== undefined && !goesOn().has(run) && !isPersonsBuild(labels);
      }),
    async removeBuilt({ directory }) {
      await Promise.all(
        notedEngines(notes)
          .filter((socket) => engineSocket(socket, { uid }).kind === "socket")
          .map((socket) => removeBuilt({ socket, clock }, { owner, directory })),
      );
    },
  };
}
