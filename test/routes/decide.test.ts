import { expect, test } from "bun:test";
import { type Asked, type Decision, decide } from "../../src/routes/decide.ts";
import { routeTable } from "../../src/routes/table.ts";
import { testService } from "../support/test-proxy.ts";

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
      { kind: "proxy", service, bare: true },
      { kind: "proxy", service, bare: true },
      { kind: "tunnel", service },
    ],
  ],
  [
    "nosuch.localhost",
    [unknown("nosuch", false), unknown("nosuch", false), unknown("nosuch", false)],
  ],
  ["nosuch", [unknown("nosuch", false), unknown("nosuch", true), unknown("nosuch", true)]],
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
