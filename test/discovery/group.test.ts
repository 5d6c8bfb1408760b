import { describe, expect, test } from "bun:test";
import { servicesIn } from "../../src/discovery/services.ts";
import type { Scan } from "../../src/discovery/observation.ts";
import type { FoundService } from "../../src/routes/service.ts";
import { type Listener, scanOf as scanOfAll } from "./scan-of.ts";

const scanOf = (...listeners: Listener[]): Scan => scanOfAll(listeners);

const host = { hostName: "desk", wsl: false, ownPid: 999_999, uid: 0 };

function services(...listeners: Listener[]): FoundService[] {
  return servicesIn(scanOf(...listeners), host) as FoundService[];
}

function names(...listeners: Listener[]): string[] {
  return services(...listeners).map(({ name, routable }) => (routable ? name : `(${name})`));
}

test("a named server is a service", () => {
  expect(
    services({ pid: 42, name: "API", command: "bun\x1b dev", listens: ["127.0.0.1 3000"] }),
  ).toEqual([
    {
      name: "api",
      routable: true,
      endpoint: { address: "127.0.0.1", port: 3000, dial: ["127.0.0.1"] },
      process: { pid: 42, startedAt: 1000 },
      root: 42,
      pids: [42],
      ports: [3000],
      command: "bun\\x1b dev",
      cwd: "/srv",
      source: "NAME",
      because: "NAME in its environment",
      warnings: [],
    },
  ]);
});

test("a server without a name, and a name without a server, are nothing", () => {
  expect(services({ pid: 1, listens: ["127.0.0.1 80"] }, { pid: 2, name: "api" })).toEqual([]);
});

test("services stand by name", () => {
  expect(
    names(
      { pid: 1, name: "web", listens: ["127.0.0.1 1"] },
      { pid: 2, name: "api", listens: ["127.0.0.1 2"] },
      { pid: 3, name: "api.shop", listens: ["127.0.0.1 3"] },
    ),
  ).toEqual(["api", "api.shop", "web"]);
});

test("our own process is none, also with NAME set, and does not join its children", () => {
  const own = { pid: host.ownPid, name: "api", group: 50 };
  expect(services({ ...own, listens: ["127.0.0.1 9090"] })).toEqual([]);
  expect(
    names(
      { ...own, listens: ["127.0.0.1 9090"] },
      { pid: 2, name: "api", parent: own.pid, listens: ["127.0.0.1 2"] },
      { pid: 3, name: "api", parent: own.pid, listens: ["127.0.0.1 3"] },
    ),
  ).toEqual(["api", "(api)"]);
});

test("NAME=- is no name, also for a process that has overwritten its environment", () => {
  const shell = { pid: 1, name: "-" };
  expect(services({ ...shell, listens: ["127.0.0.1 80"] })).toEqual([]);
  expect(
    services(shell, { pid: 2, parent: 1, overwritten: true, listens: ["127.0.0.1 80"] }),
  ).toEqual([]);
});

test("on WSL the computer's name is none", () => {
  const scan = scanOf({ pid: 1, name: "DESK", listens: ["127.0.0.1 80"] });
  expect(servicesIn(scan, { ...host, wsl: true })).toEqual([]);
});

describe("an unusable name", () => {
  test("is listed, printable, with the reason, and not routed", () => {
    const [service] = services({ pid: 1, name: "my_\x1bapp", listens: ["127.0.0.1 80"] });
    expect(service).toMatchObject({ name: "my_\\x1bapp", routable: false });
    expect(service!.warnings[0]).toContain("try NAME=my-app");
  });

  test("is listed for each tree of processes that has it", () => {
    expect(
      names(
        { pid: 1, name: "a_b", listens: ["127.0.0.1 80"] },
        { pid: 2, name: "a_b", listens: ["127.0.0.1 81"] },
      ),
    ).toEqual(["(a_b)", "(a_b)"]);
  });
});

describe("processes of one name are one service", () => {
  const one = (...listeners: Listener[]) => {
    const found = services(...listeners);
    expect(found).toHaveLength(1);
    return found[0]!;
  };

  test("when one is the other's parent", () => {
    const service = one(
      { pid: 1, name: "api", listens: ["127.0.0.1 3000"] },
      { pid: 2, name: "api", parent: 1, listens: ["127.0.0.1 24678"] },
    );
    expect(service).toMatchObject({ pids: [1, 2], ports: [3000, 24678], warnings: [] });
  });

  test("when one descends from the other through processes of that name", () => {
    one(
      { pid: 1, name: "api", listens: ["127.0.0.1 3000"] },
      { pid: 2, name: "Api", parent: 1 },
      { pid: 3, name: "API", parent: 2, listens: ["127.0.0.1 3001"] },
    );
  });

  test("when they have an ancestor of that name, which need not listen", () => {
    one(
      { pid: 1, name: "api" },
      { pid: 2, name: "api", parent: 1, listens: ["127.0.0.1 3000"] },
      { pid: 3, name: "api", parent: 1, listens: ["127.0.0.1 3001"] },
    );
  });

  test("when they are in one process group", () => {
    one(
      { pid: 1, name: "api", group: 7, listens: ["127.0.0.1 3000"] },
      { pid: 2, name: "api", group: 7, listens: ["127.0.0.1 3001"] },
    );
  });

  test("when a third, found last, ties two trees together", () => {
    const service = one(
      { pid: 1, name: "api", startedAt: 5000, group: 7, listens: ["127.0.0.1 3000"] },
      { pid: 2, name: "api", startedAt: 6000, listens: ["127.0.0.1 3001"] },
      { pid: 3, name: "api", startedAt: 7000, parent: 2, group: 7, listens: ["127.0.0.1 3002"] },
    );
    expect(service).toMatchObject({ pids: [1, 2, 3], ports: [3000, 3001, 3002] });
  });

  test("when they share a socket: the oldest that holds it is the process", () => {
    const shared = { name: "api", listens: ["127.0.0.1 3000"] };
    const service = one(
      { ...shared, pid: 9, startedAt: 5000 },
      { ...shared, pid: 4, parent: 9, startedAt: 6000 },
    );
    expect(service).toMatchObject({ process: { pid: 9, startedAt: 5000 }, pids: [4, 9] });
  });

  test("and no others: another name in between, or group 0, ties nothing", () => {
    expect(
      names(
        { pid: 1, name: "api", listens: ["127.0.0.1 3000"] },
        { pid: 2, name: "other", parent: 1 },
        { pid: 3, name: "api", parent: 2, listens: ["127.0.0.1 3001"] },
      ),
    ).toEqual(["api", "(api)"]);
    expect(
      names(
        { pid: 1, name: "api", group: 0, listens: ["127.0.0.1 3000"] },
        { pid: 2, name: "api", group: 0, listens: ["127.0.0.1 3001"] },
      ),
    ).toEqual(["api", "(api)"]);
  });

  test("also where parents go round in a circle", () => {
    expect(
      names(
        { pid: 1, name: "api", parent: 2, listens: ["127.0.0.1 3000"] },
        { pid: 2, name: "api", parent: 1, listens: ["127.0.0.1 3001"] },
        { pid: 3, name: "web", parent: 3, listens: ["127.0.0.1 3002"] },
      ),
    ).toContain("web");
  });
});

describe("of two unrelated trees with one name", () => {
  test("the newest has it; both are listed, and say so of each other", () => {
    const found = services(
      { pid: 10, name: "api", startedAt: 1000, listens: ["127.0.0.1 3000"] },
      { pid: 5, name: "api", startedAt: 2000, listens: ["127.0.0.1 3001"] },
      { pid: 4, name: "api", startedAt: 1500, listens: ["127.0.0.1 3002"] },
    );
    expect(found.map(({ routable, process }) => [routable, process.pid])).toEqual([
      [true, 5],
      [false, 4],
      [false, 10],
    ]);
    expect(found[0]!.warnings).toEqual(["older servers have this name too: pid 4, 10"]);
    expect(found[1]!.warnings[0]).toStartWith("pid 5 was started later and took this name over");
    expect(found[2]!.warnings[0]).toStartWith("pid 5 was started later and took this name over");
  });

  test("in the same second the higher pid has it", () => {
    const found = services(
      { pid: 11, name: "api", listens: ["127.0.0.1 3000"] },
      { pid: 12, name: "api", listens: ["127.0.0.1 3001"] },
    );
    expect(found[0]!.process.pid).toBe(12);
  });

  test("the age of a tree is its root's: a worker that restarts takes nothing over", () => {
    const found = services(
      { pid: 1, name: "api", startedAt: 1000 },
      { pid: 9, name: "api", parent: 1, startedAt: 9000, listens: ["127.0.0.1 3000"] },
      { pid: 5, name: "api", startedAt: 5000, listens: ["127.0.0.1 3001"] },
    );
    expect(found[0]!.process.pid).toBe(5);
  });
});

describe("the endpoint", () => {
  const endpoint = (listens: string[], ...others: Listener[]) =>
    services({ pid: 1, name: "api", listens }, ...others).find((its) => its.name === "api")!
      .endpoint;

  test.each([
    [["127.0.0.1 80"], "127.0.0.1", ["127.0.0.1"]],
    [["::1 80"], "::1", ["::1"]],
    [["0.0.0.0 80"], "0.0.0.0", ["127.0.0.1"]],
    [[":: 80"], "::", ["::1", "127.0.0.1"]],
    [["::1 80", "127.0.0.1 80"], "127.0.0.1", ["127.0.0.1", "::1"]],
    [[":: 80", "0.0.0.0 80"], "0.0.0.0", ["127.0.0.1", "::1"]],
    [["192.168.1.7 80"], "192.168.1.7", ["192.168.1.7"]],
    [["192.168.1.7 80", "::1 80"], "::1", ["::1", "192.168.1.7"]],
  ])("on %p is at %s, dialled at %p", (listens, address, dial) => {
    expect(endpoint(listens)).toEqual({ address, port: 80, dial });
  });

  test("on :: is not dialled over IPv4 where somebody else has the port there", () => {
    for (const address of ["127.0.0.1", "0.0.0.0", "192.168.1.7"]) {
      expect(endpoint([":: 80"], { pid: 2, listens: [`${address} 80`] }).dial).toEqual(["::1"]);
    }
    expect(endpoint([":: 80"], { pid: 2, listens: ["127.0.0.1 81"] }).dial).toHaveLength(2);
  });

  test.each([
    ["0.0.0.0", ["127.0.0.1"], ["127.0.0.2"]],
    ["0.0.0.0", ["127.0.0.1", "127.0.0.2", "127.0.0.4"], ["127.0.0.3"]],
    ["0.0.0.0", ["::1", "::"], ["127.0.0.1"]],
    ["::", ["::1"], ["127.0.0.1"]],
    ["::", ["::1", "127.0.0.1"], ["127.0.0.2"]],
    ["::", ["::1", "0.0.0.0"], ["::1"]],
    ["127.0.0.1", ["0.0.0.0"], ["127.0.0.1"]],
  ])("on %p, where others are at %p, is dialled at %p", (address, others, dial) => {
    const listens = others.map((other) => `${other} 80`);
    expect(endpoint([`${address} 80`], { pid: 2, name: "b", listens }).dial).toEqual(dial);
  });

  const socket = (inode: number, address: string, ...pids: number[]) => ({
    inode,
    address,
    port: 80,
    pids,
  });
  const withSockets = (...sockets: ReturnType<typeof socket>[]) => {
    const scan = scanOf(
      { pid: 1, name: "api", listens: ["0.0.0.0 80"] },
      { pid: 2, name: "web", listens: ["0.0.0.0 80"] },
    );
    const unowned = sockets
      .filter(({ pids }) => pids.length === 0)
      .map(({ address, port }) => ({ address, port, uid: 7 }));
    return servicesIn({ ...scan, sockets, unowned }, host)[0]!;
  };

  test("has the sockets at its place, and another user's is passed by", () => {
    expect(
      withSockets(socket(7, "0.0.0.0", 1), socket(8, "127.0.0.1"), socket(9, "::", 1)),
    ).toMatchObject({
      endpoint: { dial: ["127.0.0.2"], sockets: [7] },
      warnings: [expect.stringContaining("another user, on 127.0.0.1"), expect.anything()],
    });
    expect(withSockets(socket(2 ** 32 + 7, "0.0.0.0", 1)).endpoint.sockets).toEqual([7]);
  });

  test("where sockets share a place, the kernel may choose any of them", () => {
    const { endpoint: its } = withSockets(socket(8, "0.0.0.0", 2), socket(7, "0.0.0.0", 1));
    expect(its.sockets).toEqual([7, 8]);
  });

  test("is on the port that the heuristic picks from all of them", () => {
    expect(endpoint(["127.0.0.1 9229", "127.0.0.1 5173", "127.0.0.1 50000"]).port).toBe(5173);
  });

  test("belongs to the process that holds it, not to the oldest of the service", () => {
    const [service] = services(
      { pid: 1, name: "api", startedAt: 1000, listens: ["127.0.0.1 9229"] },
      { pid: 2, name: "api", startedAt: 2000, parent: 1, listens: ["127.0.0.1 3000"] },
    );
    expect(service!.process.pid).toBe(2);
  });
});

test("two programs with one port number on two addresses are told of each other", () => {
  const found = services(
    { pid: 1, name: "a", listens: ["127.0.0.1 5173"] },
    { pid: 2, name: "b", listens: ["::1 5173"] },
    { pid: 3, name: "c", listens: ["::1 80"] },
    { pid: 4, listens: ["127.0.0.1 80"] },
  );
  expect(found.map((service) => service.warnings)).toEqual([
    ["port 5173 is also held by pid 2, on ::1"],
    ["port 5173 is also held by pid 1, on 127.0.0.1"],
    ["port 80 is also held by pid 4, on 127.0.0.1"],
  ]);
});

describe("two servers at one place are told of each other", () => {
  const place = "127.0.0.1 80";
  const warnings = (...listeners: Listener[]) => services(...listeners).map((its) => its.warnings);

  test("with both names", () => {
    const [a, b] = warnings(
      { pid: 1, name: "a", listens: [place] },
      { pid: 2, name: "b", listens: [place] },
    );
    expect(a![0]).toStartWith("port 80 on 127.0.0.1 is shared with b, pid 2: the system gives");
    expect(b![0]).toStartWith("port 80 on 127.0.0.1 is shared with a, pid 1: the system gives");
  });

  test("but not a server and its own workers, nor one without a name that opened the socket for it", () => {
    expect(
      warnings(
        { pid: 1, name: "a", listens: [place] },
        { pid: 2, name: "a", parent: 1, listens: [place] },
        { pid: 3, listens: [place] },
      ),
    ).toEqual([[]]);
  });

  test("and one without a name that has a socket of its own there", () => {
    const scan = scanOf({ pid: 1, name: "a", listens: [place] }, { pid: 3, listens: [place] });
    const socket = { address: "127.0.0.1", port: 80 };
    const sockets = [
      { ...socket, inode: 1, pids: [1] },
      { ...socket, inode: 2, pids: [3] },
    ];
    const [its] = servicesIn({ ...scan, sockets }, host);
    expect(its!.warnings[0]).toContain("shared with pid 3");
  });
});

test("where PORT asked for a port, that one is dialled, whichever process of the tree was asked", () => {
  const [service] = services(
    { pid: 1, name: "web", wantedPort: 5173 },
    { pid: 2, parent: 1, name: "web", wantedPort: 5173, listens: ["127.0.0.1 3000"] },
    { pid: 3, parent: 1, name: "web", listens: ["127.0.0.1 5173"] },
  );
  expect(service!.endpoint.port).toBe(5173);
  expect(service!.process.pid).toBe(3);
});

describe("between users", () => {
  const server = (pid: number, uid: number, more: Partial<Listener> = {}): Listener => ({
    pid,
    uid,
    name: "api",
    startedAt: pid * 1000,
    listens: [`127.0.0.1 ${3000 + pid}`],
    ...more,
  });
  const rowsOf = (options: { holders?: ReadonlyMap<string, number> }, ...listeners: Listener[]) =>
    servicesIn(scanOf(...listeners), { ...host, uid: 7, ...options }) as FoundService[];
  const winner = (options: { holders?: ReadonlyMap<string, number> }, ...listeners: Listener[]) =>
    rowsOf(options, ...listeners).find(({ routable }) => routable)!.process.pid;

  test("our server has the name, whoever started one later", () => {
    const [ours, theirs] = rowsOf({ holders: new Map([["api", 8]]) }, server(1, 7), server(2, 8));
    expect(ours).toMatchObject({ process: { pid: 1 }, routable: true });
    expect(ours!.user).toBeUndefined();
    expect(ours!.warnings).toEqual(["servers of other users have this name too: pid 2"]);
    expect(theirs).toMatchObject({ process: { pid: 2 }, routable: false, user: 8 });
    expect(theirs!.warnings).toEqual([
      "pid 1 of user 7 has this name, and no other user takes it over; give this one another NAME",
    ]);
  });

  test("of others, the one who has it keeps it, also where that one's server was started anew", () => {
    expect(winner({}, server(1, 8), server(2, 9))).toBe(1);
    expect(winner({ holders: new Map([["api", 9]]) }, server(1, 8), server(2, 9))).toBe(2);
    expect(winner({ holders: new Map([["api", 8]]) }, server(2, 9), server(3, 8))).toBe(3);
    expect(winner({ holders: new Map([["api", 8]]) }, server(2, 9))).toBe(2);
  });

  test("within the user who has it, the newest one has it", () => {
    const rows = rowsOf({}, server(1, 8), server(2, 8), server(3, 9));
    expect(rows.map(({ process }) => process.pid)).toEqual([2, 1, 3]);
    expect(rows[0]!.warnings).toEqual([
      "older servers have this name too: pid 1",
      "servers of other users have this name too: pid 3",
    ]);
  });

  test("a process group is one service within one user only", () => {
    const same = rowsOf({}, server(1, 8, { group: 1 }), server(2, 8, { group: 1 }));
    expect(same.map(({ pids }) => pids)).toEqual([[1, 2]]);
    const mixed = rowsOf({}, server(1, 7, { group: 1 }), server(2, 8, { group: 1 }));
    expect(mixed.map(({ pids }) => pids)).toEqual([[1], [2]]);
    // A worker that root has given to another user ties root's servers to nobody by the group of that user's.
    const given = rowsOf(
      {},
      server(1, 0, { group: 1 }),
      server(2, 8, { parent: 1, group: 9 }),
      server(3, 0, { group: 9 }),
    );
    expect(given.map(({ pids }) => pids)).toEqual([[3], [1, 2]]);
  });

  test("a child of another user's is of root's service, and of nobody else's", () => {
    const workers = rowsOf({}, server(1, 0, { group: 1 }), server(2, 8, { parent: 1, group: 1 }));
    expect(workers.map(({ pids, user }) => [pids, user])).toEqual([[[1, 2], 0]]);
    const sudo = rowsOf({}, server(1, 8), server(2, 7, { parent: 1 }));
    expect(sudo.map(({ pids }) => pids)).toEqual([[2], [1]]);
    expect(sudo[0]).toMatchObject({ routable: true, root: 2 });
  });
});

describe("a server that has written its title over its environment", () => {
  const titled = { pid: 12, parent: 11, group: 10, listens: ["127.0.0.1 3000"], overwritten: true };

  test("has the name of the nearest process of its job that can be read, and says so", () => {
    const npm = { pid: 10, name: "api" };
    const [its, ...others] = services(
      npm,
      { pid: 11, parent: 10, group: 10, overwritten: true },
      titled,
    );
    expect(others).toEqual([]);
    expect(its).toMatchObject({
      name: "api",
      routable: true,
      process: { pid: 12 },
      root: 10,
      source: "ancestor",
      because: "NAME of pid 10, which it has come of",
      warnings: [],
    });
  });

  test("has it also where it has begun a job of its own, or cannot be read", () => {
    const shell = { pid: 11, parent: 10, group: 11, name: "api" };
    expect(names(shell, titled)).toEqual(["api"]);
    expect(names(shell, { ...titled, overwritten: false, unreadable: true })).toEqual(["api"]);
    expect(names(shell, { ...titled, overwritten: false })).toEqual([]);
  });

  test("has root's where it is root's child, as nginx's workers are", () => {
    const master = { pid: 11, uid: 0, overwritten: true };
    const shell = { pid: 10, uid: 0, name: "api" };
    const worker = { ...titled, uid: 33 };
    expect(names(shell, { ...master, parent: 10 }, worker)).toEqual(["api"]);
    expect(names(shell, { ...master, uid: 7, parent: 10 }, worker)).toEqual([]);
  });

  test("has no name of another user, of ours, or of a process without one", () => {
    const shell = { pid: 11, parent: 10, group: 10 };
    expect(names({ ...shell, name: "api", uid: 7 }, titled)).toEqual([]);
    expect(
      names({ ...shell, pid: host.ownPid, name: "api" }, { ...titled, parent: host.ownPid }),
    ).toEqual([]);
    expect(names({ pid: 10, name: "api" }, shell, titled)).toEqual([]);
    expect(names(titled)).toEqual([]);
  });

  test("has a name that is still there, and its processes may be each other's parents", () => {
    expect(names({ ...titled, name: "own" }, { pid: 11, name: "api", group: 10 })).toEqual(["own"]);
    const loop = { pid: 11, parent: 12, group: 10, overwritten: true };
    expect(names(loop, titled)).toEqual([]);
  });
});
