/** Services with an `idle_timeout`, and what they were asked -> those that have been quiet for that long. */
import type { Cancel, Clock } from "../../system/clock.ts";
import type { Unit } from "./unit.ts";

export type Watched = {
  id: string;
  /** Its own name, or those of all instances: they doze as one. */
  routeNames: readonly string[];
  /** Milliseconds. */
  idleTimeout: number;
  /** When it became ready, to tell one time from another; undefined: it is not. */
  readyAt: number | undefined;
};

/** Undefined: no request starts it, or it has no time after which it ends. */
export function watchedOf(
  { id, spec, service }: Unit,
  { together }: { together: readonly Unit[] },
): Watched | undefined {
  const { idleTimeout, routeName } = spec;
  if (idleTimeout === undefined || routeName === undefined) return undefined;
  const routeNames = together.flatMap((its) => its.spec.routeName ?? []);
  const its = service?.snapshot();
  const well = its?.state === "ready" || its?.state === "unready";
  return { id, routeNames, idleTimeout, readyAt: well ? its.readyAt : undefined };
}

export type IdleOptions = {
  clock: Clock;
  /** Services that have an `idle_timeout`. */
  services(): readonly Watched[];
  /** Requests so far, and those under way: tunnels and WebSockets are, until they end. */
  traffic(routeName: string): { requests: number; active: number };
  /** Called when a service has been idle for its `idle_timeout`. */
  onIdle(id: string): void;
};

/** Milliseconds between two looks: a timeout is late by at most that. */
const period = 500;

export function idleWatch({ clock, services, traffic, onIdle }: IdleOptions): Cancel {
  const seen = new Map<string, { requests: number; readyAt: number; at: number }>();
  return clock.every(period, () => {
    const now = clock.now();
    const present = new Set<string>();
    for (const { id, routeNames, idleTimeout, readyAt } of services()) {
      if (readyAt === undefined) continue;
      present.add(id);
      let requests = 0;
      let active = 0;
      for (const name of routeNames) {
        const counts = traffic(name);
        requests += counts.requests;
        active += counts.active;
      }
      const before = seen.get(id);
      const same = before?.requests === requests && before.readyAt === readyAt;
      const at = same && active === 0 ? before.at : now;
      seen.set(id, { requests, readyAt, at });
      if (now - at < idleTimeout) continue;
      seen.delete(id);
      onIdle(id);
    }
    for (const id of seen.keys()) if (!present.has(id)) seen.delete(id);
  });
}
