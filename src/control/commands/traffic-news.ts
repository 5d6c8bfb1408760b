/** The recorder's last requests -> events: looked at five times a second, so that the proxy does nothing for them. */
import type { Traffic } from "../../routes/traffic.ts";
import type { Cancel, Clock } from "../../system/clock.ts";
import type { Feed } from "./events.ts";

export type TrafficNewsOptions = {
  clock: Clock;
  traffic: Traffic;
  feed: Pick<Feed, "request" | "busy">;
};

/** Milliseconds: by then it is mostly known who called. */
const period = 200;
/** Looked at each time; more than are told in a second. */
const most = 60;

export function trafficNews({ clock, traffic, feed }: TrafficNewsOptions): Cancel {
  let last = 0;
  return clock.every(period, () => {
    const [newest] = traffic.recent({ limit: 1 });
    if (newest === undefined || newest.id === last) return;
    const missed = newest.id - last;
    const recent = traffic.recent({ limit: Math.min(missed, most) });
    for (const served of recent.toReversed()) feed.request(served);
    // Whose they were is not looked up for those that were not looked at: who is busy is busy again.
    if (missed > most) feed.busy([...new Set(recent.map((its) => its.service))]);
    last = newest.id;
  });
}
