/** A server that has just been started under another one's name, `shop.api` under `api`, answers its first request. */
import { expect, test } from "bun:test";
import { longerName, LongerNames } from "../../src/proxy/request/longer-names.ts";
import { decide } from "../../src/routes/decide.ts";
import { routeTable } from "../../src/routes/table.ts";
import { FakeClock } from "../support/fake-clock.ts";
import { connectRaw } from "../support/raw-end.ts";
import { ok, RawServer } from "../support/raw-server.ts";
import { startTestProxy, testService, testSupervised } from "../support/test-proxy.ts";

/** A proxy that knows `api`, and finds `shop.api` once it looks. */
async function open(clock?: FakeClock) {
  const made = new AsyncDisposableStack();
  const api = made.use(new RawServer({ answer: () => ok("api") }));
  const shop = made.use(new RawServer({ answer: () => ok("shop") }));
  let looks = 0;
  let isStarted = true;
  const proxy = made.use(
    await startTestProxy({
      services: { api },
      ...(clock && { clock }),
      async refresh() {
        looks++;
        if (isStarted) proxy.setServices({ api, "shop.api": shop });
      },
    }),
  );
  const asking = made.use(await connectRaw(proxy.port));
  return {
    proxy,
    looks: () => looks,
    started(now: boolean) {
      isStarted = now;
    },
    async ask(host: string): Promise<string> {
      asking.send(`GET / HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
      return (await asking.message()).body.toString();
    },
    [Symbol.asyncDispose]: () => made.disposeAsync(),
  };
}

test("the first request for a longer name waits for a look, and one for a name that is known never does", async () => {
  await using its = await open();
  expect(await its.ask("api.localhost")).toBe("api");
  expect(its.looks()).toBe(0);
  expect(await its.ask("shop.api.localhost")).toBe("shop");
  expect(its.looks()).toBe(1);
  expect(await its.ask("shop.api.localhost")).toBe("shop");
  expect(its.looks()).toBe(1);
});

test("CONNECT waits as well", async () => {
  await using its = await open();
  using client = await connectRaw(its.proxy.port);
  client.send("CONNECT shop.api.localhost:80 HTTP/1.1\r\nHost: shop.api.localhost\r\n\r\n");
  await client.until("\r\n\r\n");
  client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  expect((await client.message()).body).toBe("shop");
});

test("a URL waits as well, also just after a look for another name", async () => {
  await using its = await open();
  its.started(false);
  expect(await its.ask("other.api.localhost")).toBe("api");
  its.started(true);
  using client = await connectRaw(its.proxy.port);
  client.send("GET http://shop.api.localhost/ HTTP/1.1\r\nHost: shop.api.localhost\r\n\r\n");
  expect((await client.message()).body).toBe("shop");
  expect(its.looks()).toBe(2);
});

test("one who tries again after a while is answered by the new server, and one who goes on and on does not wait", async () => {
  const clock = new FakeClock();
  await using its = await open(clock);
  its.started(false);
  expect(await its.ask("shop.api.localhost")).toBe("api");
  for (let request = 0; request < 5; request++) {
    expect(await its.ask("shop.api.localhost")).toBe("api");
  }
  expect(its.looks()).toBe(1);
  clock.advance(1_000);
  // Goes on by what is known, and looks meanwhile.
  expect(await its.ask("shop.api.localhost")).toBe("api");
  expect(its.looks()).toBe(2);
  its.started(true);
  clock.advance(2_000);
  expect(await its.ask("shop.api.localhost")).toBe("shop");
});

test("names are told apart, and the least recent is forgotten", () => {
  const names = new LongerNames();
  const next = (name: string, ...times: number[]): string =>
    times.map((time) => names.next(name, time)).join();
  expect(next("a", 0, 0, 0.5)).toBe("wait,go,go");
  // There was a look just now, and the server may be younger.
  expect(next("b", 0.5, 0.5)).toBe("wait,go");
  expect(next("a", 1.5, 1.5)).toBe("look,go");
  expect(next("c", 2.5)).toBe("wait");
  expect(next("a", 3.5)).toBe("wait");
  for (let name = 0; name < 2048; name++) names.next(`n${name}`, 3.5);
  expect(next("a", 4.5)).toBe("wait");
});

test("a name is longer if the service, the project's service and all instances have shorter ones", () => {
  const instance = { routeName: "web.shop", number: 1 };
  const supervised = [
    testSupervised(),
    testSupervised({
      id: "shop:web-1",
      routeName: "web-1.shop",
      instance: instance as never,
      listens: [3],
    }),
  ];
  const table = routeTable([testService("api", { port: 1 })], { supervised, tlds: ["test"] });
  const { tlds } = table;
  const longer = (host: string): string | undefined =>
    longerName(decide({ host, port: undefined, mode: "direct" }, table, []), { host, tlds });
  const names = [
    "api",
    "x.api",
    "api.shop",
    "x.api.shop",
    "web.shop",
    "web-1.shop",
    "x.web.shop",
    "nobody",
  ];
  const found = names.filter((name) => longer(`${name}.localhost`) === name);
  expect(found).toEqual(["x.api", "x.api.shop", "x.web.shop"]);
  expect(longer("x.api.test")).toBe("x.api");
  expect(longer("localhost")).toBeUndefined();
});
