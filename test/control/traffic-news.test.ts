/** The recorder's requests as events: each told once, in order, and counted where there are too many. */
import { expect, test } from "bun:test";
import { feed } from "../../src/control/commands/events.ts";
import { trafficNews } from "../../src/control/commands/traffic-news.ts";
import type { RecordedRequest } from "../../src/routes/traffic.ts";
import { FakeClock } from "../support/fake-clock.ts";
import { counts, launch, requestTo } from "../support/fake-backend.ts";

function following() {
  const clock = new FakeClock();
  const served: RecordedRequest[] = [];
  const events = feed({ clock, launch, counts: () => counts });
  const told: string[] = [];
  events.follow(({ event, data }) => {
    told.push(
      `${event} ${event === "request" ? (data as RecordedRequest).id : (data as { service: string }).service}`,
    );
  });
  const cancel = trafficNews({
    clock,
    traffic: {
      recent: ({ limit }) => served.slice(-limit).reverse(),
      counts: () => counts,
    },
    feed: events,
  });
  let id = 0;
  return {
    clock,
    told,
    serve(count: number, service = "api") {
      for (let n = 0; n < count; n++) served.push(requestTo(service, ++id));
    },
    stop() {
      cancel();
      events.stop();
      expect(clock.waiting).toBe(0);
    },
  };
}

test("a request is told within a fifth of a second, once, in the order of the record", () => {
  const { clock, told, serve, stop } = following();
  clock.advance(1000);
  expect(told).toEqual([]);
  serve(3);
  clock.advance(200);
  expect(told).toEqual(["request 1", "request 2", "request 3"]);
  clock.advance(1000);
  serve(1);
  clock.advance(200);
  expect(told.slice(3)).toEqual(["request 4"]);
  stop();
});

test("of thousands fifty are told a second, and for the rest how many there were", () => {
  const { clock, told, serve, stop } = following();
  for (let n = 0; n < 10; n++) {
    serve(1000, n % 2 === 0 ? "api" : "web");
    clock.advance(200);
  }
  clock.advance(2000);
  expect(told.filter((text) => text.startsWith("request ")).length).toBeLessThanOrEqual(150);
  expect(told).toContain("requests api");
  expect(told).toContain("requests web");
  expect(told.length).toBeLessThan(170);
  stop();
});
