/** Names that nobody has: one look at the machine, then the service or an explanation. */
import { expect, test } from "bun:test";
import { scanner } from "../../src/discovery/scanner.ts";
import { type RouteTable, routeTable } from "../../src/routes/table.ts";
import { FakeClock } from "../support/fake-clock.ts";
import { turn } from "../support/turn.ts";
import { connectRaw } from "../support/raw-end.ts";
import { ok, RawServer } from "../support/raw-server.ts";
import { startTestProxy, testService } from "../support/test-proxy.ts";

function get(name: string): string {
  return `GET / HTTP/1.1\r\nHost: ${name}\r\n\r\n`;
}

test("a server that appears during the look is reached by the request that missed", async () => {
  using api = new RawServer({ answer: ({ body }) => ok(`got ${body}`) });
  let looks = 0;
  await using proxy = await startTestProxy({
    refresh: async () => {
      looks++;
      proxy.setServices({ api });
    },
  });
  using client = await connectRaw(proxy.port);
  client.send("POST http://api/ HTTP/1.1\r\nHost: api\r\nContent-Length: 2\r\n\r\nhi");
  expect((await client.message()).body).toBe("got hi");
  client.send(get("api.localhost"));
  expect((await client.message()).status).toBe(200);
  expect(looks).toBe(1);
});

test("a server that appears during the look is reached by CONNECT and by a WebSocket handshake", async () => {
  using api = new RawServer();
  await using proxy = await startTestProxy({
    refresh: async () => {
      proxy.setServices({ api });
    },
  });
  using client = await connectRaw(proxy.port);
  client.send("CONNECT api:80 HTTP/1.1\r\nHost: api:80\r\n\r\n\x01early");
  await client.until("200 Connection Established\r\n\r\n");
  expect(await (await api.next()).until("early")).toBe("\x01early");
});

test("a request that hits waits for no look", async () => {
  using api = new RawServer({ answer: () => ok() });
  let looks = 0;
  await using proxy = await startTestProxy({
    services: { api },
    refresh: () => {
      looks++;
      return new Promise(() => {});
    },
  });
  using missing = await connectRaw(proxy.port);
  missing.send(get("nobody.localhost"));
  using client = await connectRaw(proxy.port);
  client.send(get("api.localhost"));
  expect((await client.message()).status).toBe(200);
  expect(looks).toBe(1);
});

test("a request is looked for once, and each one anew", async () => {
  let looks = 0;
  await using proxy = await startTestProxy({
    refresh: async () => {
      looks++;
    },
  });
  for (let i = 1; i <= 3; i++) {
    using client = await connectRaw(proxy.port);
    client.send(get("nobody.localhost"));
    expect((await client.message()).status).toBe(404);
    expect(looks).toBe(i);
  }
});

test("a look that fails is a miss, and our fault for the log", async () => {
  const faults: unknown[] = [];
  await using proxy = await startTestProxy({
    refresh: () => Promise.reject(new Error("no /proc")),
    fault: (fault) => faults.push(fault),
  });
  using client = await connectRaw(proxy.port);
  client.send(get("nobody.localhost"));
  expect((await client.message()).status).toBe(404);
  expect(String(faults)).toContain("no /proc");
});

test("pages that name services look once, for a server that has just been started", async () => {
  let looks = 0;
  await using proxy = await startTestProxy({
    refresh: async () => {
      looks++;
    },
  });
  for (const [at, path] of ["/proxy.pac", "/"].entries()) {
    using client = await connectRaw(proxy.port);
    client.send(`GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`).finish();
    await client.rest();
    expect(looks).toBe(at + 1);
  }
});

test("foreign hosts and refused requests look for nothing", async () => {
  let looks = 0;
  await using proxy = await startTestProxy({
    refresh: async () => {
      looks++;
    },
  });
  for (const text of [
    get("example.com"),
    "GET / HTTP/1.1\r\n\r\n",
    "GET http://example.com/ HTTP/1.1\r\nHost: example.com\r\n\r\n",
    "CONNECT example.com:443 HTTP/1.1\r\nHost: example.com\r\n\r\n",
  ]) {
    using client = await connectRaw(proxy.port);
    client.send(text).finish();
    await client.rest();
  }
  expect(looks).toBe(0);
});

test("requests pipelined behind a miss wait their turn and are answered by what the look found", async () => {
  using api = new RawServer({ answer: () => ok("api") });
  using web = new RawServer({ answer: () => ok("web") });
  await using proxy = await startTestProxy({
    services: { web },
    answersBare: "all",
    refresh: async () => {
      proxy.setServices({ api, web });
    },
  });
  using client = await connectRaw(proxy.port);
  client.send(get("api.localhost") + get("web.localhost") + get("api"));
  for (const name of ["api", "web", "api"]) {
    expect((await client.message()).body).toBe(name);
  }
});

test("a client that leaves during the look is forgotten", async () => {
  const { promise: looked, resolve: found } = Promise.withResolvers<void>();
  using api = new RawServer();
  await using proxy = await startTestProxy({
    refresh: async () => {
      await looked;
      proxy.setServices({ api });
    },
  });
  using client = await connectRaw(proxy.port);
  client.send(get("api.localhost"));
  while (proxy.connections === 0) await turn();
  client.reset();
  while (proxy.connections > 0) await turn();
  found();
  await looked;
  for (let turns = 0; turns < 20; turns++) await turn();
  expect(api.accepted.length).toBe(0);
});

/** A scanner over a machine that holds nothing, counted. */
function countedScanner(clock: FakeClock) {
  let scans = 0;
  let table: RouteTable = routeTable([]);
  const looking = scanner({
    source: {
      kind: "procfs",
      scan: async () => {
        scans++;
        return { observations: [], processes: new Map(), skipped: [] };
      },
    },
    clock,
    hostName: "machine",
    wsl: false,
    ownPid: process.pid,
    uid: 0,
    onServices: (services) => {
      table = routeTable(services);
    },
  });
  return {
    looking,
    table: () => table,
    get scans() {
      return scans;
    },
  };
}

test("all who miss at once share one scan, and those who come while it runs share the next", async () => {
  const clock = new FakeClock();
  const machine = countedScanner(clock);
  await machine.looking.start();
  const before = machine.scans;
  await using proxy = await startTestProxy({
    clock,
    routes: machine.table,
    refresh: () => machine.looking.refresh(),
  });
  const clients = await Promise.all(Array.from({ length: 100 }, () => connectRaw(proxy.port)));
  clients.forEach((client, index) => {
    client.send(get(`nobody${index}.localhost`));
  });
  const answered = Promise.all(clients.map((client) => client.message()));
  let over = false;
  void answered.then(() => {
    over = true;
  });
  // The scanner keeps its scans apart in time; what time it takes stays far below one scan each.
  for (let turns = 0; turns < 500 && !over; turns++) {
    await turn();
    if (turns % 50 === 49) clock.advance(100);
  }
  for (const answer of await answered) expect(answer.status).toBe(404);
  expect(machine.scans - before).toBeLessThanOrEqual(3);
  for (const client of clients) client.reset();
  machine.looking.stop();
});

test("404 says which names there are, the nearest and how to start one", async () => {
  using api = new RawServer();
  await using proxy = await startTestProxy({ services: { api, web: api } });
  using client = await connectRaw(proxy.port);
  client.send(get("aip.localhost"));
  const text = (await client.message()).body;
  expect(text).toContain("aip");
  expect(text).toMatch(/did you mean api\?/);
  expect(text).toContain("web");
  expect(text).toContain("NAME=aip");
  expect(text.trimEnd()).not.toContain("\n");
});

test("an unroutable service is reached by no name", async () => {
  using api = new RawServer();
  const odd = { ...testService("odd", { port: api.port }), routable: false };
  await using proxy = await startTestProxy({ routes: () => routeTable([odd]) });
  using client = await connectRaw(proxy.port);
  client.send(get("odd.localhost"));
  expect((await client.message()).status).toBe(404);
  expect(api.accepted.length).toBe(0);
});

test("a name that nobody has is explained with the servers that no name leads to, as they are after the look", async () => {
  let looked = false;
  await using proxy = await startTestProxy({
    refresh: async () => {
      looked = true;
    },
    unusable: () => {
      if (!looked) return [];
      const place = { startedAt: 0, port: 3000, ports: [3000], cwd: "/srv/nobody" };
      const fault = { kind: "no name" } as const;
      const command = "bun x.ts";
      return [{ pid: 77, ...place, command, typed: command, suggested: "nobody", fault }];
    },
  });
  using client = await connectRaw(proxy.port);
  client.send(get("nobody.localhost"));
  expect((await client.message()).body).toContain("pid 77 (bun x.ts) listens on port 3000");
  // To a page's script, processes are none of its business.
  using page = await connectRaw(proxy.port);
  page.send("GET / HTTP/1.1\r\nHost: nobody.localhost\r\nSec-Fetch-Mode: cors\r\n\r\n");
  expect((await page.message()).body).not.toContain("77");
});
