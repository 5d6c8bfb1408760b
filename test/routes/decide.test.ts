import { expect, test } from "bun:test";
import { type Asked, type Decision, decide } from "../../src/routes/decide.ts";
import type { Supervised } from "../../src/routes/supervised.ts";
import { type BareNames, routeTable } from "../../src/routes/table.ts";
import { testService, testSupervised } from "../support/test-proxy.ts";

const service = testService("api", { port: 3000 });
const table = routeTable([service]);
const ownPort = 9090;

const modes = ["direct", "forward", "connect"] as const;
const close: Decision = { kind: "close" };
const unknown = (name: string, quiet: boolean): Decision => ({ kind: "unknown", name, quiet });

/** Each host, and what becomes of it when asked directly, by URL and by CONNECT. */
const rows: [host: string, decisions: [Decision, Decision, Decision]][] = [
  [
    "api.localhost",
    [
      { kind: "proxy", service, bare: false },
      { kind: "proxy", service, bare: false },
      { kind: "tunnel", service },
    ],
  ],
  [
    "x.api.localhost",
    [
      { kind: "proxy", service, bare: false },
      { kind: "proxy", service, bare: false },
      { kind: "tunnel", service },
    ],
  ],
  [
    "api",
    [
      { kind: "unproxied", name: "api" },
      { kind: "proxy", service, bare: true },
      { kind: "tunnel", service },
    ],
  ],
  [
    "nosuch.localhost",
    [unknown("nosuch", false), unknown("nosuch", false), unknown("nosuch", false)],
  ],
  [
    "nosuch",
    [{ kind: "unproxied", name: "nosuch" }, unknown("nosuch", true), unknown("nosuch", true)],
  ],
  ["example.com", [{ kind: "misdirected" }, close, close]],
  ["192.168.1.10", [{ kind: "misdirected" }, close, close]],
  ["2130706433", [{ kind: "misdirected" }, close, close]],
];

for (const [host, decisions] of rows) {
  for (const [index, mode] of modes.entries()) {
    test(`${host}, asked ${mode}, is ${decisions[index]!.kind}`, () => {
      for (const port of [undefined, 80, 443, ownPort]) {
        expect(decide({ host, port, mode }, table, [ownPort])).toEqual(decisions[index]!);
      }
    });
  }
}

test("a bare name that is asked for by a path is answered where the table has it, or inside a tunnel", () => {
  const proxied: Decision = { kind: "proxy", service, bare: true };
  const at = (host: string, mode: Asked["mode"], answersBare?: BareNames) =>
    decide({ host, port: undefined, mode }, routeTable([service], { answersBare }), [ownPort]);
  expect(at("api", "direct", "all")).toEqual(proxied);
  expect(at("api", "direct", new Set(["api"]))).toEqual(proxied);
  expect(at("api", "direct", new Set(["web"]))).toEqual({ kind: "unproxied", name: "api" });
  expect(at("nosuch", "direct", "all")).toEqual(unknown("nosuch", false));
  expect(at("api", "tunnelled")).toEqual(proxied);
  expect(at("nosuch", "tunnelled")).toEqual(unknown("nosuch", false));
  expect(at("example.com", "tunnelled")).toEqual({ kind: "misdirected" });
  expect(at("localhost", "tunnelled")).toEqual({ kind: "own" });
});

const withTest = routeTable([service], { tlds: ["test"] });

test.each<[host: string, decisions: [Decision, Decision, Decision]]>([
  [
    "api.test",
    [
      { kind: "proxy", service, bare: true },
      { kind: "proxy", service, bare: true },
      { kind: "tunnel", service },
    ],
  ],
  ["nosuch.test", [unknown("nosuch", false), unknown("nosuch", true), unknown("nosuch", true)]],
  ["api.dev", [{ kind: "misdirected" }, close, close]],
])("where test is configured, %s is decided by how it is asked for", (host, decisions) => {
  for (const [index, mode] of modes.entries()) {
    expect(decide({ host, port: undefined, mode }, withTest, [ownPort])).toEqual(decisions[index]!);
  }
});

const own: Decision = { kind: "own" };

/** How we ourselves are asked for. */
const ours: [Asked["mode"], port: number | undefined, Decision][] = [
  ["direct", ownPort, own],
  // Whoever came by another port, through a tunnel or a container, came to us all the same.
  ["direct", undefined, own],
  ["direct", 1, own],
  ["forward", ownPort, own],
  ["forward", undefined, close],
  ["forward", 3000, close],
  ["connect", ownPort, close],
  ["connect", 22, close],
];

for (const host of ["localhost", "127.0.0.1", "[::1]"]) {
  test.each(ours)(`${host}, asked %p at port %p`, (mode, port, decision) => {
    expect(decide({ host, port, mode }, table, [ownPort])).toEqual(decision);
  });
}

test("every port of ours is us in a URL", () => {
  for (const [port, decision] of [
    [ownPort, own],
    [443, own],
    [undefined, close],
    [444, close],
  ] as const) {
    const asked: Asked = { host: "localhost", port, mode: "forward" };
    expect(decide(asked, table, [ownPort, 443])).toEqual(decision);
  }
});

test("a URL without a port is port 80's", () => {
  expect(
    decide({ host: "localhost", port: undefined, mode: "forward" }, table, [ownPort, 80]),
  ).toEqual(own);
});

const states: [Supervised["state"], seen: Decision["kind"], unseen: Decision["kind"]][] = [
  ["stopped", "proxy", "absent"],
  ["starting", "absent", "absent"],
  ["running", "absent", "absent"],
  ["ready", "proxy", "proxy"],
  ["unready", "proxy", "proxy"],
  ["stopping", "absent", "absent"],
  ["exited", "proxy", "absent"],
  ["backoff", "absent", "absent"],
  ["failed", "proxy", "absent"],
];

for (const [state, seen, unseen] of states) {
  test(`a supervised service that is ${state} is ${seen} where a server with its name is seen, else ${unseen}`, () => {
    const supervised = [testSupervised({ state, port: 4000 })];
    const web = testService("shop", { port: 3001 });
    const asked: Asked = { host: "api.shop.localhost", port: undefined, mode: "direct" };
    const api = testService("api.shop", { port: 3000 });
    const withApi = routeTable([api, web], { supervised });
    expect(decide(asked, withApi, []).kind).toBe(seen);
    expect(decide(asked, routeTable([web], { supervised }), []).kind).toBe(unseen);
    const tunnel = decide({ ...asked, mode: "connect" }, withApi, []);
    expect(tunnel.kind).toBe(seen === "proxy" ? "tunnel" : seen);
  });
}

test("what becomes of a request to an absent service follows from its state", () => {
  const turn = (overrides: Partial<Supervised>) => {
    const table = routeTable([], { supervised: [testSupervised(overrides)] });
    const asked: Asked = { host: "api.shop.localhost", port: undefined, mode: "direct" };
    const decision = decide(asked, table, []);
    return decision.kind === "absent" ? decision.turn : decision.kind;
  };
  expect(turn({ state: "backoff" })).toBe("wait");
  expect(turn({ state: "stopped" })).toBe("down");
  expect(turn({ state: "stopped", lazy: true })).toBe("wake");
  const ended = (code: number | null, signal: string | null) =>
    turn({ state: "exited", lazy: true, lastExit: { code, signal, time: 1, lastLines: [] } });
  expect(turn({ state: "exited", lazy: true })).toBe("wake");
  expect(ended(0, null)).toBe("wake");
  expect(ended(3, null)).toBe("down");
  expect(ended(null, "SIGKILL")).toBe("down");
  expect(turn({ state: "failed", lazy: true })).toBe("down");
  expect(turn({ state: "ready", port: undefined })).toBe("wait");
});

test("a service that listens elsewhere than it was told to is where it listens", () => {
  const supervised = [testSupervised({ port: 4000, listens: [5173] })];
  const asked: Asked = { host: "api.shop.localhost", port: undefined, mode: "direct" };
  expect(decide(asked, routeTable([], { supervised }), [])).toMatchObject({
    kind: "proxy",
    service: { endpoint: { port: 5173 } },
  });
});

test("where a service was only given its port, the kernel is asked who listens there", () => {
  const asked: Asked = { host: "api.shop.localhost", port: undefined, mode: "direct" };
  const supervised = [testSupervised({ port: 4000, listensAs: [70] })];
  const given = decide(asked, routeTable([], { supervised }), []);
  expect(given).toMatchObject({ service: { endpoint: { port: 4000, owners: [70] } } });
  const seen = decide(
    asked,
    routeTable([testService("api.shop", { port: 4000 })], { supervised }),
    [],
  );
  expect(seen.kind === "proxy" ? seen.service.endpoint.owners : "none").toBeUndefined();
});

test("whoever has the longer ending of a name has the name", () => {
  const shop = testService("shop", { port: 1 });
  const byHand = testService("v2.api.shop", { port: 2 });
  const table = routeTable([shop, byHand], { supervised: [testSupervised({ state: "stopped" })] });
  const at = (host: string) => decide({ host, port: undefined, mode: "direct" }, table, []);
  expect(at("v2.api.shop.localhost")).toMatchObject({ kind: "proxy", service: byHand });
  expect(at("v1.api.shop.localhost").kind).toBe("absent");
  expect(at("other.shop.localhost")).toMatchObject({ kind: "proxy", service: shop });
});

test("a site that this daemon answers for itself is dialled at its socket", () => {
  const socket = "/run/me/notify/a.s0";
  const docs = testSupervised({ type: "site", routeName: "docs", pid: undefined, socket });
  const sites = routeTable([], { supervised: [docs] });
  const asked = { host: "docs.localhost", port: undefined, mode: "direct" } as const;
  expect(decide(asked, sites, [])).toMatchObject({
    kind: "proxy",
    service: { endpoint: { address: socket, port: 0, dial: [socket] }, ports: [], pids: [] },
  });
});
