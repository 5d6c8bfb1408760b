/**
 * More ports than one: which are had, what goes by them, and who is let in where only the wildcard address can be
 * had.
 */
import { describe, expect, test } from "bun:test";
import { networkInterfaces } from "node:os";
import { isLoopback } from "../../src/link/listen.ts";
import { connectRaw } from "../support/raw-end.ts";
import { ok, RawServer } from "../support/raw-server.ts";
import { startTestProxy } from "../support/test-proxy.ts";

async function get(port: number, { address = "127.0.0.1", target = "/", host = "api.localhost" }) {
  using client = await connectRaw(port, { address });
  client.send(`GET ${target} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`);
  return await client.message();
}

const extra = (scheme: "http" | "https", port: number, shown = true) => ({ scheme, port, shown });

test("every port leads to the same services, on both loopback addresses", async () => {
  using api = new RawServer({ answer: (request) => ok(String(request.one("x-forwarded-port"))) });
  await using proxy = await startTestProxy({
    services: { api },
    extraPorts: [extra("http", 0), extra("https", 0)],
  });
  const { ports } = proxy.proxy;
  expect(new Set(ports).size).toBe(3);
  for (const port of ports) {
    for (const address of ["127.0.0.1", "::1"]) {
      // What the client believes its port to be goes by its Host, whichever port it came by.
      const named = await get(port, { address, host: `api.localhost:${port}` });
      expect(named.body).toBe(String(port));
      expect((await get(port, { address })).body).toBe("80");
    }
  }
});

test("URLs on our pages have the port of their scheme where it is to be shown, and the PAC file the main one", async () => {
  using api = new RawServer();
  for (const shown of [true, false]) {
    await using proxy = await startTestProxy({
      services: { api },
      extraPorts: [extra("http", 0, shown)],
    });
    const [main, http] = proxy.proxy.ports;
    const url = `http://api.localhost:${shown ? http : main}`;
    expect(proxy.proxy.urlPorts).toEqual({ http: shown ? http! : main!, https: main! });
    for (const host of ["localhost", "nosuch.localhost"]) {
      const page = await (
        await fetch(`http://127.0.0.1:${http}/`, { headers: { Host: host, Accept: "text/html" } })
      ).text();
      expect(page).toContain(`"${url}/"`);
      expect(page).not.toContain(`http://api.localhost:${shown ? main : http}`);
      expect(page).toContain(`"https://api.localhost:${main}/"`);
    }
    const pac = await get(http!, { host: "localhost", target: "/proxy.pac" });
    expect(pac.body).toContain(`PROXY 127.0.0.1:${main};`);
    const front = await get(http!, { host: "localhost" });
    expect(front.status).toBe(200);
  }
});

test("a port that is taken is told of, on either address, and the others are had", async () => {
  for (const hostname of ["127.0.0.1", "::1"]) {
    using taken = Bun.listen({ hostname, port: 0, socket: { data() {} } });
    await using proxy = await startTestProxy({
      extraPorts: [extra("http", taken.port), extra("https", 0)],
    });
    const { refusedPorts, ports, urlPorts } = proxy.proxy;
    expect(refusedPorts).toEqual([
      { port: taken.port, code: "EADDRINUSE", why: expect.any(String) },
    ]);
    expect(ports.length).toBe(2);
    expect(urlPorts).toEqual({ http: proxy.port, https: ports[1]! });
    // What was had of it was let go of.
    const free = hostname === "::1" ? "127.0.0.1" : "::1";
    Bun.listen({ hostname: free, port: taken.port, socket: { data() {} } }).stop(true);
  }
});

test("one number for several is one port", async () => {
  using spare = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data() {} } });
  const { port } = spare;
  spare.stop(true);
  await using proxy = await startTestProxy({
    port,
    extraPorts: [extra("http", port), extra("https", port)],
  });
  expect(proxy.proxy.ports).toEqual([port]);
  expect(proxy.proxy.refusedPorts).toEqual([]);
});

test("a URL that names us by any of our ports is answered, and no tunnel leads to one", async () => {
  await using proxy = await startTestProxy({ extraPorts: [extra("http", 0)] });
  const [main, other] = proxy.proxy.ports;
  for (const port of [main!, other!]) {
    for (const named of [main, other]) {
      const page = await get(port, { target: `http://localhost:${named}/`, host: "localhost" });
      expect(page.status).toBe(200);
      using client = await connectRaw(port);
      client.send(`CONNECT localhost:${named} HTTP/1.1\r\nHost: localhost\r\n\r\n`);
      expect(await client.rest()).toBe("");
    }
  }
});

test("after the stop none of them is held", async () => {
  const proxy = await startTestProxy({ extraPorts: [extra("http", 0), extra("https", 0)] });
  await proxy.stop();
  for (const port of proxy.proxy.ports) {
    for (const hostname of ["127.0.0.1", "::1"]) {
      Bun.listen({ hostname, port, socket: { data() {} } }).stop(true);
    }
  }
});

describe("where only the wildcard address can be had", () => {
  /** This machine's own, by which it is its own neighbour. */
  const outer = Object.values(networkInterfaces())
    .flatMap((addresses) => addresses ?? [])
    .filter(({ internal, address }) => !internal && !/^fe80:/i.test(address))
    .map(({ address }) => address);

  test("loopback is answered as ever", async () => {
    using api = new RawServer({ answer: (request) => ok(String(request.one("x-forwarded-for"))) });
    await using proxy = await startTestProxy({ services: { api }, wildcard: () => true });
    for (const address of ["127.0.0.1", "::1"]) {
      expect((await get(proxy.port, { address })).body).toBe(address);
    }
    expect(proxy.proxy.addresses).toEqual(["127.0.0.1", "::1"]);
  });

  for (const address of outer) {
    test(`a peer that is not loopback, ${address}, gets no byte and is not kept`, async () => {
      await using proxy = await startTestProxy({ wildcard: () => true });
      using client = await connectRaw(proxy.port, { address });
      client.send("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
      expect(await client.rest()).toBe("");
      expect(proxy.connections).toBe(0);
    });
  }

  test("of a wildcard that somebody else has, nothing is taken", async () => {
    using taken = Bun.listen({ hostname: "0.0.0.0", port: 0, socket: { data() {} } });
    await using proxy = await startTestProxy({
      extraPorts: [extra("http", taken.port)],
      wildcard: (port) => port === taken.port,
    });
    expect(proxy.proxy.refusedPorts).toMatchObject([{ port: taken.port, code: "EADDRINUSE" }]);
  });
});

test.each([
  ["127.0.0.1", true],
  ["127.255.0.9", true],
  ["::1", true],
  ["::ffff:127.0.0.1", true],
  ["128.0.0.1", false],
  ["10.127.0.1", false],
  ["::ffff:10.0.0.1", false],
  ["fe80::1", false],
  ["::1:127.0.0.1", false],
  ["::", false],
  ["", false],
])("whether %p is loopback: %p", (address, loopback) => {
  expect(isLoopback(address)).toBe(loopback);
});
