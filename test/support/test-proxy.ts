/**
 * Names and ports into a running proxy with a table that stands still; a fault of its own fails the test that stops it.
 */
import {
  type ProxyOptions,
  type Proxy as RunningProxy,
  startProxy,
} from "../../src/proxy/listener/listener.ts";
import type { KnownCheckouts } from "../../src/routes/checkout.ts";
import type { Choice } from "../../src/routes/origins.ts";
import type { FoundService } from "../../src/routes/service.ts";
import type { Supervised } from "../../src/routes/supervised.ts";
import {
  type BareNames,
  type RouteTable,
  type TableOptions,
  routeTable,
} from "../../src/routes/table.ts";
import type { ConfiguredNames } from "../../src/manifest/name-settings.ts";
import { FakeClock } from "./fake-clock.ts";
import { steadyClock } from "./steady-clock.ts";

/** Where a service listens: at 127.0.0.1, and in this process, unless said otherwise. */
export type Place = {
  port: number;
  address?: string;
  pid?: number;
  /** The listening sockets that it was seen with. */
  sockets?: readonly number[] | undefined;
  /** Its checkout's, of the repository of `/srv/shop`; "": the main checkout's. */
  label?: string;
};

/** The repository of every service with a `label`. */
export const testRepository = "/srv/shop/.git";

/** Without a clock of its own, the proxy's is one that no busy machine moves. */
export type TestProxyOptions = Partial<ProxyOptions> & {
  services?: Record<string, Place>;
  /** Configured domains. */
  tlds?: readonly string[];
  /** Names without a dot that are answered to who asks for them as if they were resolved. */
  answersBare?: BareNames;
  /** What config.toml says of names. */
  configured?: ConfiguredNames;
  /** What the supervisor says. */
  supervised?: readonly Supervised[];
  /** Facts of git's files; undefined: there are no checkouts. */
  checkouts?: KnownCheckouts;
  /** What all browsers see. */
  choices?: readonly Choice[];
};

export interface TestProxy extends AsyncDisposable {
  readonly port: number;
  readonly proxy: RunningProxy;
  /** Connections that clients hold open. */
  readonly connections: number;
  /** Sentences that the proxy had for a person. */
  readonly notes: readonly string[];
  /** The only services from now on. */
  setServices(services: Record<string, Place>): void;
  /** What all browsers see from now on. */
  setChoices(choices: readonly Choice[]): void;
  /** All that the supervisor says from now on; the proxy is told. */
  setSupervised(supervised: readonly Supervised[], services?: Record<string, Place>): void;
  /** Breaks off what is under way after `milliseconds`, none unless said otherwise. @throws the proxy's own faults. */
  stop(milliseconds?: number): Promise<void>;
}

/** A row of the table as discovery would make it. */
export function testService(
  name: string,
  { port, address = "127.0.0.1", pid = process.pid, label, sockets }: Place,
): FoundService {
  const root = label ? `/srv/shop-${label}` : "/srv/shop";
  const checkout = { repository: testRepository, root, label: label || undefined };
  return {
    name,
    routable: true,
    endpoint: { address, port, dial: [address], ...(sockets && { sockets }) },
    process: { pid, startedAt: 1_700_000_000_000 },
    pids: [pid],
    ports: [port],
    command: `serve ${name}`,
    cwd: "/srv/shop",
    source: "NAME",
    ...(label === undefined ? {} : { checkout }),
    warnings: [],
  };
}

/** Of a repository with the worktrees fix-nav and old, and a branch besides. */
export const testCheckouts: KnownCheckouts = {
  of: () => undefined,
  worktrees: () => [
    { label: "fix-nav", root: "/srv/shop-fix-nav" },
    { label: "old", root: "/srv/shop-old" },
  ],
  labels: () =>
    new Map([
      ["fix-nav", { branch: "fix-nav", root: "/srv/shop-fix-nav" }],
      ["old", { branch: "old", root: "/srv/shop-old" }],
      ["later", { branch: "later", root: undefined }],
    ]),
};

/** `shop:api` at `api.shop`, ready, unless said otherwise. */
export function testSupervised(overrides: Partial<Supervised> = {}): Supervised {
  return {
    id: "shop:api",
    project: "shop",
    domain: "shop.localhost",
    service: "api",
    type: "exec",
    state: "ready",
    why: undefined,
    status: undefined,
    routeName: "api.shop",
    pid: process.pid,
    port: undefined,
    listens: [],
    listensAs: [],
    startedAt: 1_700_000_000_000,
    readyAt: 1_700_000_001_000,
    restarts: 0,
    lastExit: undefined,
    lazy: false,
    directory: "/srv/shop",
    warnings: [],
    ...overrides,
  };
}

function tableOf(
  services: Record<string, Place>,
  options: { supervised: readonly Supervised[] } & TableOptions,
): RouteTable {
  const all = Object.entries(services).map(([name, place]) => testService(name, place));
  return routeTable(all, options);
}

export function startTestProxy({
  services = {},
  tlds = [],
  answersBare = new Set(),
  supervised = [],
  configured,
  checkouts,
  choices = [],
  clock,
  ...overrides
}: TestProxyOptions = {}): Promise<TestProxy> {
  let known = { services, supervised, choices };
  const made = (): RouteTable =>
    tableOf(known.services, { ...known, tlds, answersBare, configured, checkouts });
  let table = made();
  const faults: unknown[] = [];
  const notes: string[] = [];
  const proxy = startProxy({
    clock: clock ?? steadyClock(),
    port: 0,
    version: "0.0.0",
    instance: "0123abcd",
    routes: () => table,
    refresh: async () => {},
    stillThere: () => true,
    touch() {},
    departed: undefined,
    fault: (fault) => faults.push(fault),
    note: (text) => notes.push(text),
    ...overrides,
  });
  const stop = async (milliseconds = 0): Promise<void> => {
    const stopped = proxy.stop(milliseconds);
    if (clock instanceof FakeClock) clock.advance(milliseconds);
    await stopped;
    if (faults.length > 0) throw new AggregateError(faults, `the proxy had a fault: ${faults[0]}`);
  };
  return Promise.resolve({
    port: proxy.port,
    proxy,
    notes,
    get connections() {
      return proxy.connections;
    },
    setServices(next) {
      known = { ...known, services: next };
      table = made();
    },
    setChoices(next) {
      known = { ...known, choices: next };
      table = made();
    },
    setSupervised(next, nextServices = known.services) {
      known = { ...known, services: nextServices, supervised: next };
      table = made();
      proxy.supervisedChanged();
    },
    stop,
    [Symbol.asyncDispose]: stop,
  });
}
