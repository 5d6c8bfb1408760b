/** Claims and a scan -> the services that they become, and the ones that wait. */
import { describe, expect, test } from "bun:test";
import { naming } from "../../src/discovery/services.ts";
import type { Unowned } from "../../src/discovery/observation.ts";
import type { Claim, Place } from "../../src/routes/claim.ts";
import type { Service } from "../../src/routes/service.ts";
import { type Listener, scanOf } from "./scan-of.ts";

const host = { hostName: "desk", wsl: false, ownPid: 999, uid: 0 };

function given(name: string, place: Place, more: Partial<Claim> = {}): Claim {
  return { name, source: "given", because: "given by localhostess name", place, ...more };
}

const port = (number: number, address?: string): Place => ({ kind: "port", port: number, address });

type World = {
  claims: readonly Claim[];
  listeners?: readonly Listener[];
  unowned?: readonly Unowned[];
};

function look({ claims, listeners = [], unowned = [] }: World) {
  return naming(scanOf(listeners, unowned), { ...host, claims });
}

/** `api :3000`, `(api) :3000` where it has no address. */
function rows(services: readonly Service[]): string[] {
  return services.map(
    ({ name, routable, endpoint }) =>
      `${routable ? name : `(${name})`} ${endpoint.dial.join()}:${endpoint.port}`,
  );
}

function outcome(world: World) {
  const { services, waiting } = look(world);
  return {
    rows: rows(services),
    waiting: waiting.map(({ name, why }) => `${name}: ${why}`),
  };
}

test("a server without a NAME has the name that its port was given", () => {
  const { services } = look({
    claims: [given("api", port(3000))],
    listeners: [{ pid: 42, command: "bun\x1b dev", listens: ["127.0.0.1 3000", "127.0.0.1 3001"] }],
  });
  expect(services).toEqual([
    {
      name: "api",
      routable: true,
      endpoint: { address: "127.0.0.1", port: 3000, dial: ["127.0.0.1"] },
      process: { pid: 42, startedAt: 1000 },
      root: 42,
      pids: [42],
      ports: [3000, 3001],
      command: "bun\\x1b dev",
      cwd: "/srv",
      source: "given",
      because: "given by localhostess name",
      warnings: [],
    },
  ]);
});

const pg: Listener = { pid: 7, name: "pg", listens: ["127.0.0.1 5432", "127.0.0.1 5433"] };
const plain: Listener = { pid: 8, listens: ["127.0.0.1 8000"] };

describe.each<[string, World, { rows: string[]; waiting?: string[] }]>([
  [
    "nobody listens",
    { claims: [given("api", port(3000))] },
    { rows: [], waiting: ["api: nothing listens on port 3000"] },
  ],
  [
    "a NAME has that server already",
    { claims: [given("db", port(5432))], listeners: [pg] },
    {
      rows: ["pg 127.0.0.1:5432"],
      waiting: ["db: the server there, pid 7, has NAME=pg, which wins"],
    },
  ],
  [
    "it is a second port of a server with a NAME",
    { claims: [given("admin", port(5433))], listeners: [pg] },
    { rows: ["admin 127.0.0.1:5433", "pg 127.0.0.1:5432"] },
  ],
  [
    "its NAME cannot be used",
    { claims: [given("app", port(8000))], listeners: [{ ...plain, name: "my_app" }] },
    { rows: ["app 127.0.0.1:8000"] },
  ],
  [
    "a NAME has the name",
    { claims: [given("pg", port(8000))], listeners: [pg, plain] },
    { rows: ["pg 127.0.0.1:5432", "(pg) 127.0.0.1:8000"] },
  ],
  [
    "a NAME has the name, and nobody listens",
    { claims: [given("pg", port(8000))], listeners: [pg] },
    {
      rows: ["pg 127.0.0.1:5432"],
      waiting: [
        "pg: pid 7 has NAME=pg, which wins; to name this one: localhostess name <name> 8000",
      ],
    },
  ],
  [
    "it is our own port",
    { claims: [given("self", port(9090))], listeners: [{ pid: 999, listens: ["127.0.0.1 9090"] }] },
    { rows: [], waiting: ["self: localhostess itself listens on port 9090"] },
  ],
  [
    "one address is meant, and another server has the port at another",
    {
      claims: [given("six", port(3000, "::1"))],
      listeners: [
        { pid: 1, listens: ["127.0.0.1 3000"] },
        { pid: 2, listens: ["::1 3000"] },
      ],
    },
    { rows: ["six ::1:3000"] },
  ],
  [
    "one address is meant, and a server listens on all of them",
    {
      claims: [given("all", port(3000, "127.0.0.1"))],
      listeners: [{ pid: 1, listens: ["0.0.0.0 3000"] }],
    },
    { rows: ["all 127.0.0.1:3000"] },
  ],
  [
    "one server at the port has a NAME, and the other has none",
    {
      claims: [given("other", port(3000))],
      listeners: [
        { pid: 1, name: "one", listens: ["127.0.0.1 3000"] },
        { pid: 2, listens: ["::1 3000"] },
      ],
    },
    { rows: ["one 127.0.0.1:3000", "other ::1:3000"] },
  ],
  [
    "a process is meant, by its port that serves the application",
    {
      claims: [given("app", { kind: "process", process: { pid: 5, startedAt: 1000 } })],
      listeners: [{ pid: 5, listens: ["127.0.0.1 9229", "127.0.0.1 4000"] }],
    },
    { rows: ["app 127.0.0.1:4000"] },
  ],
  [
    "a process is meant whose child listens",
    {
      claims: [given("app", { kind: "process", process: { pid: 5, startedAt: 1000 } })],
      listeners: [{ pid: 5 }, { pid: 6, parent: 5, listens: ["127.0.0.1 4000"] }],
    },
    { rows: ["app 127.0.0.1:4000"] },
  ],
  [
    "another process has the pid by now",
    {
      claims: [given("app", { kind: "process", process: { pid: 5, startedAt: 9000 } })],
      listeners: [{ pid: 5, listens: ["127.0.0.1 4000"] }],
    },
    { rows: [], waiting: ["app: pid 5 has ended"] },
  ],
  [
    "it is a unix socket, or another host: nobody need be seen there",
    {
      claims: [
        given("sock", { kind: "socket", path: "/run/api.sock" }),
        given("far", { kind: "host", host: "box.lan", port: 80 }),
      ],
    },
    { rows: ["far box.lan:80", "sock /run/api.sock:0"] },
  ],
  [
    "two claims have one name: the stronger has it, whichever comes first",
    {
      claims: [
        given("db", port(2), { source: "remote" }),
        given("db", port(1), { source: "container" }),
      ],
      listeners: [
        { pid: 1, listens: ["127.0.0.1 1"] },
        { pid: 2, listens: ["127.0.0.1 2"] },
      ],
    },
    { rows: ["db 127.0.0.1:1", "(db) 127.0.0.1:2"] },
  ],
  [
    "two claims have one name, and nobody is at the stronger's place",
    {
      claims: [given("db", port(1)), given("db", port(2), { source: "container" })],
      listeners: [{ pid: 2, listens: ["127.0.0.1 2"] }],
    },
    { rows: ["(db) 127.0.0.1:2"], waiting: ["db: nothing listens on port 1"] },
  ],
  [
    "a process that has ended keeps its name from nobody",
    {
      claims: [
        given("db", { kind: "process", process: { pid: 77, startedAt: 0 } }),
        given("db", port(2), { source: "container" }),
      ],
      listeners: [{ pid: 2, listens: ["127.0.0.1 2"] }],
    },
    {
      rows: ["db 127.0.0.1:2"],
      waiting: ["db: pid 77 does not listen on a port, or has ended"],
    },
  ],
  [
    "two claims mean one server: the stronger names it",
    {
      claims: [given("b", port(1), { source: "container" }), given("a", port(1))],
      listeners: [{ pid: 1, listens: ["127.0.0.1 1"] }],
    },
    { rows: ["a 127.0.0.1:1"], waiting: ["b: the server there is named a already"] },
  ],
])("where %s", (_, world, { rows: expected, waiting = [] }) => {
  test("the outcome is", () => {
    expect(outcome(world)).toEqual({ rows: expected, waiting });
  });
});

test("the loser of a name says who has it, and what helps", () => {
  const { services } = look({ claims: [given("pg", port(8000))], listeners: [pg, plain] });
  expect(services[1]!.warnings).toEqual([
    "pid 7 has NAME=pg, which wins; to name this one: localhostess name <name> 8000",
  ]);
});

test("a server of another user is dialled as long as that user has the port", () => {
  const { services } = look({
    claims: [given("db", port(5432))],
    unowned: [
      { address: "127.0.0.1", port: 5432, uid: 105 },
      { address: "::1", port: 5432, uid: 105 },
    ],
  });
  expect(services).toMatchObject([
    {
      endpoint: { dial: ["127.0.0.1", "::1"], owners: [105] },
      user: 105,
      pids: [],
      ports: [5432],
      command: "127.0.0.1:5432",
    },
  ]);
  expect(services[0]!.process).toBeUndefined();
});

test("where the system does not show the sockets of others, a port is dialled all the same", () => {
  const scan = { ...scanOf([]), unowned: undefined };
  const { services } = naming(scan, { ...host, claims: [given("db", port(5432))] });
  expect(rows(services)).toEqual(["db 127.0.0.1,::1:5432"]);
});

test("a container's listener is no process that a person means, and no server of its own", () => {
  const { services } = look({
    claims: [
      given("db", port(5432), { source: "container", command: "postgres:16", startedAt: 5000 }),
      given("web", port(8080), { source: "container", command: "nginx" }),
    ],
    listeners: [{ pid: 3, command: "rootlesskit", listens: ["127.0.0.1 5432", "127.0.0.1 8080"] }],
  });
  expect(services).toMatchObject([
    {
      name: "db",
      command: "postgres:16",
      startedAt: 5000,
      pids: [3],
      ports: [5432],
      cwd: undefined,
    },
    { name: "web", command: "nginx", pids: [3], ports: [8080] },
  ]);
  expect(services.map(({ process }) => process)).toEqual([undefined, undefined]);
});

test("a port that an engine vouches for is dialled before a scan has seen it, and its owner is asked for", () => {
  const claim = given("db", port(5432), { source: "container", owners: [0] });
  expect(look({ claims: [claim] }).services).toMatchObject([
    { endpoint: { dial: ["127.0.0.1", "::1"], owners: [0] }, pids: [] },
  ]);
});

test("without claims the services are those of the processes", () => {
  expect(outcome({ claims: [], listeners: [pg] })).toEqual({
    rows: ["pg 127.0.0.1:5432"],
    waiting: [],
  });
});

test("a container's port that is published everywhere is not that of a server with another address to itself", () => {
  const listeners = [
    { pid: 1, command: "docker-proxy", listens: ["0.0.0.0 5173"] },
    { pid: 2, command: "vite", listens: ["::1 5173"] },
  ];
  const claim = given("web", port(5173), { source: "container", owners: [0] });
  const { services } = look({ claims: [claim], listeners });
  expect(services).toMatchObject([{ name: "web", endpoint: { dial: ["127.0.0.1"] }, pids: [1] }]);
});

test("the git checkout of a claim is that of its service", () => {
  const checkout = { repository: "/w/shop/.git", root: "/w/nav", label: "nav", branch: "nav" };
  const claim = given("nav.api.shop", port(80), { source: "container", owners: [0], checkout });
  expect(look({ claims: [claim] }).services).toMatchObject([{ name: "nav.api.shop", checkout }]);
});

describe("while a container's engine does not answer", () => {
  const claim = given("web", port(5173), { source: "container", owners: [0], isDoubtful: true });
  const at = (command: string) =>
    outcome({
      claims: [claim],
      listeners: [{ pid: 1, command, listens: ["0.0.0.0 5173"] }],
    });

  test("its name leads to a process that listens for containers", () => {
    expect(at("rootlesskit --net=slirp4netns").rows).toEqual(["web 127.0.0.1:5173"]);
    const unowned = [{ address: "0.0.0.0", port: 5173, uid: 0 }];
    expect(outcome({ claims: [claim], unowned }).rows).toEqual(["web 127.0.0.1:5173"]);
  });

  test("its name does not lead to a server that has taken its port, and not to where nobody listens", () => {
    expect(at("node vite")).toEqual({
      rows: [],
      waiting: [
        "web: its engine does not answer, and pid 1 has the port, which listens for no container",
      ],
    });
    expect(outcome({ claims: [claim] }).rows).toEqual([]);
  });
});
