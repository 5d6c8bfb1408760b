/** The parts of the daemon -> what its commands can ask and tell. */
import { type Backend, CommandError } from "../control/commands/command.ts";
import type { OneOffs } from "../containers/runs/one-offs.ts";
import type { Feed } from "../control/commands/events.ts";
import type { Facts } from "../control/found/protocol.ts";
import { listOfNames } from "../manifest/name-settings.ts";
import type { Scanner } from "../discovery/scanner.ts";
import type { Proxy as RunningProxy } from "../proxy/listener/listener.ts";
import type { Remotes } from "../remote/remotes.ts";
import type { Unusable } from "../routes/unusable.ts";
import type { Traffic } from "../routes/traffic.ts";
import type { Projects } from "../supervisor/projects.ts";
import type { CurrentRoutes } from "./current-routes.ts";
import type { Doors } from "./doors.ts";
import type { Late } from "./late.ts";
import type { DaemonOptions } from "./options.ts";

export type BackendParts = {
  facts: Facts;
  routes: CurrentRoutes;
  discovery: Scanner;
  projects: Projects;
  remotes: Remotes;
  oneOffs: OneOffs;
  nameless(): readonly Unusable[];
  traffic: Traffic;
  feed: Feed;
  trust: DaemonOptions["trust"];
  /** The proxy and the doors are opened once there are commands; until then they have no connections. */
  proxy: Late<RunningProxy>;
  doors: Late<Doors>;
  /** Ends the daemon, after the answer has gone out. */
  shutdown(): void;
};

export function backendOf(parts: BackendParts): Backend {
  const { facts, routes, discovery, proxy, doors } = parts;
  return {
    facts: () => facts,
    projects: parts.projects,
    remotes: parts.remotes,
    oneOffs: parts.oneOffs,
    gauges: () => ({
      memory: process.memoryUsage.rss(),
      connections: {
        proxy: proxy.part?.connections ?? 0,
        ...(doors.part?.connections() ?? { http: 0, ipc: 0 }),
      },
    }),
    services: () => routes.table.services,
    configured: () => routes.configured && listOfNames(routes.configured),
    scan: () => discovery.scan(),
    nameless: parts.nameless,
    waiting: () => discovery.waiting(),
    async look({ local = false, name } = {}) {
      if (!local) parts.remotes.touch();
      const away = local || name === undefined ? undefined : parts.remotes.look(name);
      await Promise.all([discovery.refresh({ atOnce: true }), away]);
      const failure = discovery.failure();
      if (failure !== undefined) throw new CommandError("internal", failure.message);
    },
    attend() {
      const cancels = [discovery.watch(), parts.remotes.attend()];
      return () => {
        for (const cancel of cancels) cancel();
      };
    },
    traffic: parts.traffic,
    feed: parts.feed,
    trust: parts.trust,
    shutdown: parts.shutdown,
    get connectPage() {
      return doors.part?.connectPage;
    },
    get dashboard() {
      return doors.part?.dashboard;
    },
  };
}
