/** The state directory's projects -> supervised services that the routes, the events and the proxy hear of. */
import type { Feed } from "../control/commands/events.ts";
import type { Facts } from "../control/found/protocol.ts";
import type { Scanner } from "../discovery/scanner.ts";
import type { Proxy as RunningProxy } from "../proxy/listener/listener.ts";
import { originOf } from "../routes/service-row.ts";
import type { Traffic } from "../routes/traffic.ts";
import { idleWatch } from "../supervisor/project/idle.ts";
import type { LineStart } from "../supervisor/line.ts";
import type { Projects } from "../supervisor/projects.ts";
import { supervision } from "../supervisor/supervision.ts";
import type { Cancel, Clock } from "../system/clock.ts";
import type { CurrentRoutes } from "./current-routes.ts";
import type { Late } from "./late.ts";
import type { DaemonOptions } from "./options.ts";
import type { Stopping } from "./stops.ts";

export type SupervisedOptions = Pick<
  DaemonOptions,
  "stateDirectory" | "env" | "configFile" | "tlds" | "serviceTrust" | "containers"
> & {
  clock: Clock;
  routes: CurrentRoutes;
  facts: Facts;
  feed: Feed;
  discovery: Scanner;
  /** Wakes our services, and is made when they can be woken. */
  proxy: Late<RunningProxy>;
  /** Pids of this daemon's children that are no service's. */
  besides: ReadonlySet<number>;
  note(text: string): void;
  stops: Stopping;
};

/** Nothing is started before `beginProjects`. */
export function supervisedProjects(options: SupervisedOptions): Projects {
  const { clock, routes, facts, feed, discovery, proxy, tlds } = options;
  let renewing: Cancel | undefined;
  const renewSoon = (): void => {
    // Once for many changes: a table is made each time.
    renewing ??= clock.after(0, () => {
      renewing = undefined;
      routes.renew();
      proxy.part?.supervisedChanged();
    });
  };
  options.stops.push("the supervisor's news", () => renewing?.());
  const projects = supervision({
    stateDirectory: options.stateDirectory,
    clock,
    env: options.env,
    engines: Array.isArray(options.containers) ? options.containers : undefined,
    configFile: options.configFile,
    tlds,
    addressOf(routeName, projectDomain) {
      const tld = tlds.find((its) => projectDomain.endsWith(`.${its}`)) ?? "localhost";
      const domain = `${routeName}.${tld}`;
      const port = facts.httpPort ?? facts.port;
      return { url: originOf(domain, { scheme: "http", port }), domain };
    },
    trust: options.serviceTrust,
    besides: options.besides,
    ownPorts: () => proxy.part?.ports ?? [],
    onChange(change, service) {
      feed.publish("supervised", { change, service });
      renewSoon();
      if (service.state === "ready") void discovery.refresh();
    },
    note: options.note,
  });
  routes.include(() => projects.snapshots());
  return projects;
}

export type BeginOptions = {
  clock: Clock;
  traffic: Traffic;
  resting: Stopping;
  stops: Stopping;
  /** To the daemon that has handed over its services. */
  line: LineStart | undefined;
};

/**
 * Brings up what was up, and puts to sleep what nobody asks for. `resting`: where services end, beside the answers that
 * are under way.
 */
export function beginProjects(projects: Projects, options: BeginOptions): void {
  projects.begin(options.line);
  options.resting.push("services", () => projects.stopAll());
  const stopIdle = idleWatch({
    clock: options.clock,
    services: () => projects.mayDoze(),
    traffic: (name) => options.traffic.counts(name),
    onIdle: (service) => projects.doze(service),
  });
  options.stops.push("the watch for idle services", stopIdle);
}
