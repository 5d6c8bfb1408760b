/** A name leads to the sockets that its server was seen with, and never to whoever has the port now. */
import { afterEach, describe, expect, test } from "bun:test";
import { listenersAt } from "../../src/system/listener-at.ts";
import { listenersOn } from "../../src/system/listeners.ts";
import { connectRaw } from "../support/raw-end.ts";
import { ok, RawServer, type RawServerOptions } from "../support/raw-server.ts";
import { type Place, startTestProxy, type TestProxy } from "../support/test-proxy.ts";

const host = "Host: api.localhost\r\n";
const get = `GET / HTTP/1.1\r\n${host}\r\n`;

let proxy: TestProxy | undefined;
const servers: RawServer[] = [];

afterEach(async () => {
  await proxy?.stop();
  proxy = undefined;
  for (const server of servers.splice(0)) server[Symbol.dispose]();
});

function serverAs(text: string, place: Omit<RawServerOptions, "answer"> = {}): RawServer {
  const server = new RawServer({ ...place, answer: () => ok(text) });
  servers.push(server);
  return server;
}

/** As a scan sees it. */
function seen({ port, address }: RawServer): Place {
  const sockets = listenersOn(port).filter((row) => row.address === address);
  return { port, address, sockets: sockets.map(({ inode }) => inode) };
}

/** `next`: the services that the next scan finds. */
async function start(services: Record<string, Place>, next = services): Promise<TestProxy> {
  proxy = await startTestProxy({
    services,
    listenersAt: listenersAt(process.platform),
    refresh: async () => proxy!.setServices(next),
  });
  return proxy;
}

async function asked(request: string): Promise<{ status: number; body: string }> {
  using client = await connectRaw(proxy!.port);
  client.send(request);
  if (request.startsWith("CONNECT")) {
    const head = await client.until("\r\n\r\n");
    if (!head.includes(" 200 ")) return { status: Number(head.split(" ")[1]), body: head };
    client.send(get);
  }
  const { status, body } = await client.message();
  return { status, body };
}

/** One server gives its port up, and another takes it at once. */
function exchanged(): { before: Place; other: RawServer } {
  const first = serverAs("first");
  const before = seen(first);
  first.unlisten();
  return { before, other: serverAs("other", { port: first.port }) };
}

describe.skipIf(process.platform !== "linux")("a port that another process has taken", () => {
  test.each<[what: string, request: string]>([
    ["GET", get],
    ["a form", `POST / HTTP/1.1\r\n${host}Cookie: session=1\r\nContent-Length: 6\r\n\r\nsecret`],
    ["CONNECT", `CONNECT api.localhost:80 HTTP/1.1\r\n${host}\r\n`],
    ["a WebSocket", `GET / HTTP/1.1\r\n${host}Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n`],
    ["a proxy's client", `GET http://api.localhost/ HTTP/1.1\r\n${host}\r\n`],
  ])("gets no %s, and the name is unknown after a look", async (_, request) => {
    const { before, other } = exchanged();
    await start({ api: before }, {});
    expect((await asked(request)).status).toBe(404);
    expect(other.accepted).toEqual([]);
  });

  test("gets nothing either where the look still finds the name there", async () => {
    const { before, other } = exchanged();
    await start({ api: before });
    const { status, body } = await asked(get);
    expect({ status, body }).toEqual({
      status: 502,
      body: expect.stringContaining("another server"),
    });
    expect(other.accepted).toEqual([]);
  });

  test("gets the requests once the name is seen to be its own, within the same request", async () => {
    const { before, other } = exchanged();
    await start({ api: before }, { api: { ...seen(other), pid: 7 } });
    expect(await asked(get)).toEqual({ status: 200, body: "other" });
  });

  test("may be the same process's, with a new socket", async () => {
    const { before, other } = exchanged();
    await start({ api: before }, { api: seen(other) });
    expect(await asked(get)).toEqual({ status: 200, body: "other" });
  });

  test("leaves the connections to its first owner as they are", async () => {
    const first = serverAs("first");
    await start({ api: seen(first) });
    using client = await connectRaw(proxy!.port);
    client.send(get);
    expect((await client.message()).body).toBe("first");
    first.unlisten();
    const other = serverAs("other", { port: first.port });
    client.send(get);
    expect((await client.message()).body).toBe("first");
    expect(other.accepted).toEqual([]);
  });

  test("at a more exact address gets nothing that is meant for the wildcard's", async () => {
    const wide = serverAs("wide", { address: "0.0.0.0", shared: true });
    const place = { ...seen(wide), address: "127.0.0.1" };
    await start({ api: place });
    const exact = serverAs("exact", { port: wide.port, shared: true });
    expect((await asked(get)).status).toBe(502);
    expect(exact.accepted).toEqual([]);
  });
});

test("where the system does not tell sockets apart, whoever has the port is dialled", async () => {
  const { before } = exchanged();
  proxy = await startTestProxy({ services: { api: before } });
  expect(await asked(get)).toEqual({ status: 200, body: "other" });
});
