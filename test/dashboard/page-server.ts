/** The page behind a real HTTP door, with services and requests that a test makes up. Run by itself: to look at it. */
import type { Backend } from "../../src/control/commands/command.ts";
import { type Feed, feed } from "../../src/control/commands/events.ts";
import { report } from "../../src/control/commands/reports.ts";
import type { Layers } from "../../src/control/http/gate.ts";
import { type HttpDoor, startHttp } from "../../src/control/http/http.ts";
import { protocol } from "../../src/control/found/protocol.ts";
import { dashboard } from "../../src/dashboard/dashboard.ts";
import { pageScript } from "../../src/dashboard/page-script.ts";
import { type Sessions, sessions } from "../../src/dashboard/session.ts";
import type { Scan } from "../../src/discovery/observation.ts";
import { Denials } from "../../src/proxy/request/denials.ts";
import { Recorder } from "../../src/proxy/request/recorder.ts";
import type { Service } from "../../src/routes/service.ts";
import type { Denied } from "../../src/routes/denial.ts";
import type { Unusable } from "../../src/routes/unusable.ts";
import { systemClock } from "../../src/system/clock.ts";
import { type PageProjects, pageProjects } from "./page-projects.ts";
import { encode } from "../../src/wire/bytes.ts";
import { RequestHead } from "../../src/wire/head.ts";

export const credential = "0123456789abcdef".repeat(4);
const nowhere = { remoteAddress: "", remotePort: 0, localAddress: "", localPort: 0 };
const launch = "11111111-2222-4333-8444-555555555555";

export interface PageServer extends AsyncDisposable {
  readonly url: string;
  /** Where the page itself is, for whoever has come by a link last. */
  readonly pageUrl: string;
  readonly port: number;
  readonly faults: readonly unknown[];
  /** Commands that ran, whoever sent them. */
  readonly admitted: number;
  /** A URL that signs one browser in. */
  open(): string;
  add(service: Service): void;
  remove(name: string): void;
  request(service: string, made?: Partial<Made>): void;
  /** The only servers from now on that no name leads to. */
  setNameless(all: readonly Unusable[]): void;
  stop(): Promise<void>;
  readonly feed: Feed;
  /** Services of projects, of which there are none at first. */
  readonly supervised: PageProjects;
}

export type Made = {
  line: string;
  status: number;
  milliseconds: number;
  sent: number;
  caller: { pid: number; command: string };
  /** The guard refuses it. */
  denied: Denied;
};

export type PageServerOptions = {
  port?: number;
  allowedOrigins?: readonly string[];
  launch?: string;
  /** For twins: the gate without one of its layers. */
  layers?: Layers;
};

export async function startPageServer(options: PageServerOptions = {}): Promise<PageServer> {
  let services: Service[] = [];
  let nameless: readonly Unusable[] = [];
  const faults: unknown[] = [];
  let admitted = 0;
  /** A request takes as long as its test says, also where the machine stands still in the middle of it. */
  let during: number | undefined;
  let last = 0;
  const recorder = new Recorder({
    clock: systemClock,
    now: () => during ?? Math.max(last, performance.now()),
    denials: new Denials({ clock: systemClock, tell() {} }),
  });
  const id = options.launch ?? launch;
  const news = feed({
    clock: systemClock,
    launch: id,
    counts: (service) => recorder.counts(service),
  });
  const supervised = pageProjects((service) =>
    news.publish("supervised", { change: "changed", service }),
  );
  let door: HttpDoor | undefined;
  const made = sessions({ clock: systemClock, credential: () => credential });
  let latest = made.issue("entry");
  const signs: Sessions = {
    ...made,
    issue(kind) {
      const token = made.issue(kind);
      if (kind === "entry") latest = token;
      return token;
    },
  };
  const open = () => `${door!.url}/open?token=${signs.issue("link")}`;
  const backend: Backend = {
    facts: () => ({
      id,
      version: "0.1.0",
      url: door?.url ?? "",
      pid: process.pid,
      protocol,
      startedAt: Date.now() - 8_040_000,
      socket: "/nowhere/daemon.sock",
      port: 9091,
      stateDirectory: "/home/ada/.local/state/localhostess",
      addresses: ["127.0.0.1", "::1"],
      log: undefined,
      tlds: [],
    }),
    gauges: () => ({ memory: 61_000_000, connections: { proxy: 12, http: 1, ipc: 0 } }),
    services() {
      admitted++;
      return services;
    },
    scan: () => scanOf(services),
    nameless: () => nameless,
    async look() {},
    attend: () => () => {},
    traffic: recorder,
    feed: news,
    projects: supervised.projects,
    shutdown() {
      admitted++;
    },
    dashboard: open,
  };
  door = startHttp({
    clock: systemClock,
    credential: () => credential,
    allowedOrigins: options.allowedOrigins ?? [],
    port: options.port ?? 0,
    ...(options.layers === undefined ? {} : { layers: options.layers }),
    backend,
    page: dashboard({
      sessions: signs,
      script: pageScript,
      fault: (error) => faults.push(error),
    }),
    fault: (error) => faults.push(error),
  });
  const stop = async () => {
    news.publish("stopping", {});
    news.stop();
    // The port is free at once; what browsers hold open ends a little later.
    void door.stop();
    await supervised[Symbol.asyncDispose]();
  };
  return {
    url: door.url,
    get pageUrl() {
      return `http://${signs.hostFor(latest)}:${door!.port}`;
    },
    port: door.port,
    faults,
    get admitted() {
      return admitted;
    },
    feed: news,
    supervised,
    open,
    add(service) {
      services = [...services.filter(({ name }) => name !== service.name), service];
      news.publish("service", { change: "appeared", service: report(service, backend) });
    },
    remove(name) {
      const gone = services.find((service) => service.name === name)!;
      services = services.filter((service) => service !== gone);
      news.publish("service", { change: "gone", service: report(gone, backend) });
    },
    request(service, made = {}) {
      const bytes = encode(`${made.line ?? "GET /"} HTTP/1.1\r\nHost: x\r\n\r\n`);
      const head = new RequestHead();
      head.begin(0);
      head.read(bytes);
      during = Math.max(last, performance.now());
      const entry = recorder.begin(head, bytes, false);
      if (made.denied === undefined) recorder.routed(entry, service);
      else recorder.denied(entry, made.denied);
      during = last = entry.started + (made.milliseconds ?? 3.2);
      entry.status = made.status ?? 200;
      entry.sent = made.sent ?? 1_234;
      if (made.caller !== undefined) {
        entry.asked = { end: nowhere, caller: made.caller };
      }
      recorder.end(entry, false);
      during = undefined;
      news.request(recorder.recent({ limit: 1 })[0]!);
    },
    setNameless(all) {
      nameless = all;
    },
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

export function madeService(name: string, made: Partial<Service> = {}): Service {
  const port = 3_000 + ((name.length * 37) % 900);
  return {
    name,
    routable: true,
    endpoint: { address: "127.0.0.1", port, dial: ["127.0.0.1"] },
    process: { pid: 4_000 + port, startedAt: Date.now() - 754_000 },
    pids: [4_000 + port],
    ports: [port],
    command: `node /home/ada/src/${name}/server.js --watch`,
    cwd: `/home/ada/src/${name}`,
    source: "NAME",
    warnings: [],
    ...made,
  };
}

function scanOf(services: readonly Service[]): Scan {
  return {
    observations: services.map(({ endpoint, pids }) => ({
      address: endpoint.address,
      port: endpoint.port,
      pids: [pids[0]!],
    })),
    processes: new Map(
      services.flatMap((service) =>
        service.pids.map((pid) => [
          pid,
          {
            pid,
            startedAt: service.process?.startedAt ?? 0,
            parent: 1,
            group: pid,
            uid: 1_000,
            name: service.name,
            command: service.command,
            cwd: service.cwd,
          },
        ]),
      ),
    ),
    skipped: [],
  };
}
