/** When an upstream connection may pass from one client to another: each reason against it by itself. */
import { expect, test } from "bun:test";
import { routeTable } from "../../src/routes/table.ts";
import { FakeClock } from "../support/fake-clock.ts";
import { connectRaw } from "../support/raw-end.ts";
import { ok, RawServer } from "../support/raw-server.ts";
import { startTestProxy, testService } from "../support/test-proxy.ts";

const get = "GET / HTTP/1.1\r\nHost: api.localhost\r\n\r\n";

async function asked(port: number, times = 1): Promise<void> {
  using client = await connectRaw(port);
  for (let n = 0; n < times; n++) {
    client.send(get);
    await client.message();
  }
}

test("not before it was silent for 10 ms", async () => {
  const clock = new FakeClock();
  using api = new RawServer({ answer: () => ok() });
  await using proxy = await startTestProxy({ services: { api }, clock });
  await asked(proxy.port);
  clock.advance(9);
  await asked(proxy.port);
  expect(api.accepted.length).toBe(2);
  clock.advance(10);
  await asked(proxy.port);
  expect(api.accepted.length).toBe(2);
});

test("not where one request followed another at once: a byte too many in between may have been taken for an answer", async () => {
  const clock = new FakeClock();
  using api = new RawServer({ answer: () => ok() });
  await using proxy = await startTestProxy({ services: { api }, clock });
  await asked(proxy.port, 2);
  clock.advance(20);
  await asked(proxy.port);
  expect(api.accepted.length).toBe(2);
});

test("not where another process has the port by now", async () => {
  const clock = new FakeClock();
  using api = new RawServer({ answer: () => ok() });
  const service = testService("api", api);
  let table = routeTable([service]);
  await using proxy = await startTestProxy({ clock, routes: () => table });
  await asked(proxy.port);
  clock.advance(20);
  for (const process of [
    { ...service.process, pid: service.process.pid + 1 },
    { ...service.process, startedAt: service.process.startedAt + 1_000 },
  ]) {
    const before = api.accepted.length;
    table = routeTable([{ ...service, process }]);
    await asked(proxy.port);
    expect(api.accepted.length).toBe(before + 1);
    clock.advance(20);
  }
});
