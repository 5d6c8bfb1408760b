/** A daemon's facts into doors that a test can knock at: a backend of values, the HTTP API, requests as bytes. */
import { afterAll } from "bun:test";
import type { Backend } from "../../src/control/commands.ts";
import { type Feed, feed } from "../../src/control/events.ts";
import { type HttpDoor, type HttpDoorOptions, startHttp } from "../../src/control/http.ts";
import { protocol } from "../../src/control/protocol.ts";
import type { Scan } from "../../src/discovery/observation.ts";
import type { Service } from "../../src/routes/service.ts";
import type { RecordedRequest, TrafficCounts } from "../../src/routes/traffic.ts";
import { systemClock } from "../../src/system/clock.ts";
import { rawClient } from "../support/raw-client.ts";

export const credential = `${"c0ffee".repeat(10)}1234`;
export const launch = "11111111-2222-4333-8444-555555555555";

export const counts: TrafficCounts = {
  requests: 3,
  errors: 1,
  active: 0,
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
    },
    feed: feed({ clock: systemClock, launch, counts: () => counts }),
    shutdown() {
      backend.ended += 1;
    },
  };
  return backend;
}

export type TestDoor = HttpDoor & { backend: FakeBackend; faults: unknown[] };

/** Ends with the test file. */
export function httpDoor(
  options: Partial<HttpDoorOptions> & { backend?: FakeBackend } = {},
): TestDoor {
  const backend = options.backend ?? fakeBackend();
  const faults: unknown[] = [];
  const door = startHttp({
    clock: systemClock,
    credential: () => credential,
    allowedOrigins: [],
    fault: (error) => void faults.push(error),
    ...options,
    backend,
  });
  opened.push(door);
  return Object.assign(Object.create(door) as HttpDoor, { backend, faults });
}

const opened: HttpDoor[] = [];

afterAll(async () => {
  await Promise.all(opened.map((door) => door.stop()));
});

export type Got = { status: number; headers: Headers; text: string; error: string | undefined };

export type AskOptions = {
  method?: string;
  headers?: Record<string, string>;
  /** Null: none at all. */
  host?: string | null;
  /** Null: none is shown. */
  bearer?: string | null;
  body?: string | Uint8Array;
};

/** One request, byte by byte as it is said here; the whole answer. */
export async function ask(door: HttpDoor, target: string, options: AskOptions = {}): Promise<Got> {
  const { method = "GET", host = `127.0.0.1:${door.port}`, bearer = credential, body } = options;
  const bytes = body === undefined ? undefined : Buffer.from(body);
  const lines = [
    `${method} ${target} HTTP/1.1`,
    ...(host === null ? [] : [`Host: ${host}`]),
    ...(bearer === null ? [] : [`Authorization: Bearer ${bearer}`]),
    ...(bytes === undefined ? [] : [`Content-Length: ${bytes.length}`]),
    ...Object.entries(options.headers ?? {}).map(([name, value]) => `${name}: ${value}`),
    "Connection: close",
  ];
  const head = Buffer.from(`${lines.join("\r\n")}\r\n\r\n`, "latin1");
  const client = await rawClient(door.port, {
    send: bytes === undefined ? head : Buffer.concat([head, bytes]),
  });
  const text = await client.all();
  client.close();
  return readAnswer(text);
}

export function readAnswer(text: string): Got {
  const end = text.indexOf("\r\n\r\n");
  const [first = "", ...fields] = text.slice(0, end).split("\r\n");
  const headers = new Headers(
    fields.map((field): [string, string] => {
      const colon = field.indexOf(":");
      return [field.slice(0, colon), field.slice(colon + 1).trim()];
    }),
  );
  const body = Buffer.from(text.slice(end + 4), "latin1").toString("utf8");
  let error: string | undefined;
  if (body.startsWith('{"error"'))
    error = (JSON.parse(body) as { error: { code: string } }).error.code;
  return { status: Number(first.split(" ")[1]), headers, text: body, error };
}

/** POST with a JSON body. */
export function post(door: HttpDoor, target: string, value: unknown): Promise<Got> {
  return ask(door, target, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: typeof value === "string" ? value : JSON.stringify(value),
  });
}
