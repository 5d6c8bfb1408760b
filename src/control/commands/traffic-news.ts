/** The recorder's latest requests -> events, five times a second, so that the proxy does no work for them. */
import type { Traffic } from "../../routes/traffic.ts";
import type { Cancel, Clock } from "../../system/clock.ts";
import type { Feed } from "./events.ts";

export type TrafficNewsOptions = {
  clock: Clock;
  traffic: Pick<Traffic, "recent" | "counts">;
  feed: Pick<Feed, "request" | "busy">;
};

/** Milliseconds. By then the caller is mostly known. */
const period = 200;
/** Requests that are read each time; more than there are events for in a second. */
const most = 60;

export function trafficNews({ clock, traffic, feed }: TrafficNewsOptions): Cancel {
  let last = 0;
  return clock.every(period, () => {
    const [newest] = traffic.recent({ limit: 1 });
    if (newest === undefined || newest.id === last) return;
    const missed = newest.id - last;
    const recent = traffic.recent({ limit: Math.min(missed, most) });
    for (const served of recent.toReversed()) feed.request(served);
    // Requests beyond the limit are not read for their service: a service that is busy is in the others as well.
    if (missed > most) feed.busy([...new Set(recent.map((its) => its.service))]);
    last = newest.id;
  });
}
