/** Values into what a daemon's doors can be asked, without a daemon. */
import type { Backend } from "../../src/control/commands/command.ts";
import { type Feed, feed } from "../../src/control/commands/events.ts";
import { protocol } from "../../src/control/found/protocol.ts";
import type { Scan } from "../../src/discovery/observation.ts";
import type { Service } from "../../src/routes/service.ts";
import type { RecordedRequest, TrafficCounts } from "../../src/routes/traffic.ts";
import { systemClock } from "../../src/system/clock.ts";

export const launch = "11111111-2222-4333-8444-555555555555";

export const counts: TrafficCounts = {
  requests: 3,
  errors: 1,
  active: 0,
  denied: 0,
  medianMilliseconds: 4,
  perSecond: new Array(60).fill(0),
};

export const api: Service = {
  name: "api",
  routable: true,
  endpoint: { address: "127.0.0.1", port: 3000, dial: ["127.0.0.1"] },
  process: { pid: 4242, startedAt: 1_766_000_000_000 },
  pids: [4242],
  ports: [3000],
  command: "node server.js",
  cwd: "/home/me/api",
  source: "NAME",
  warnings: [],
};

export function requestTo(service: string, id = 1): RecordedRequest {
  return {
    id,
    time: 1_766_000_000_000,
    service,
    method: "GET",
    target: "/users?id=1",
    scheme: "http",
    status: 200,
    milliseconds: 4,
    received: 0,
    sent: 12,
    stream: false,
    denied: null,
    caller: { pid: 77, command: "curl" },
  };
}

export type FakeBackend = Backend & { feed: Feed; ended: number; looks: number; attending: number };

export function fakeBackend(options: { services?: readonly Service[] } = {}): FakeBackend {
  const services = options.services ?? [api];
  const scan: Scan = {
    observations: [{ address: "127.0.0.1", port: 3000, pids: [4242] }],
    processes: new Map([
      [
        4242,
        {
          pid: 4242,
          startedAt: 1_766_000_000_000,
          parent: 1,
          group: 4242,
          uid: 1000,
          name: "api",
          command: "node server.js",
          cwd: "/home/me/api",
        },
      ],
    ]),
    skipped: [],
  };
  const backend: FakeBackend = {
    ended: 0,
    looks: 0,
    attending: 0,
    attend() {
      backend.attending += 1;
      return () => {
        backend.attending -= 1;
      };
    },
    facts: () => ({
      id: launch,
      version: "0.1.0",
      url: "http://127.0.0.1:1",
      pid: process.pid,
      protocol,
      startedAt: 1_766_000_000_000,
      socket: "/nowhere/daemon.sock",
      port: 9090,
      tlds: [],
      stateDirectory: "/nowhere",
      addresses: ["127.0.0.1"],
      log: undefined,
    }),
    gauges: () => ({ memory: 1, connections: { proxy: 0, http: 0, ipc: 0 } }),
    services: () => services,
    scan: () => scan,
    async look() {
      backend.looks += 1;
    },
    traffic: {
      recent: ({ service, limit }) =>
        [requestTo("api")]
          .filter((its) => service === undefined || its.service === service)
          .slice(0, limit),
      counts: () => counts,
      denials: () => [],
    },
    feed: feed({ clock: systemClock, launch, counts: () => counts }),
    shutdown() {
      backend.ended += 1;
    },
  };
  return backend;
}
