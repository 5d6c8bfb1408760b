/** The question of a page of ours, whether what it says still holds: answered by an event, to nobody else. */
import { expect, test } from "bun:test";
import { Recorder } from "../../src/proxy/request/recorder.ts";
import { systemClock } from "../../src/system/clock.ts";
import { eventually } from "../support/eventually.ts";
import { FakeClock } from "../support/fake-clock.ts";
import { connectRaw } from "../support/raw-end.ts";
import { ok, RawServer } from "../support/raw-server.ts";
import { startTestProxy, type TestProxy, testSupervised } from "../support/test-proxy.ts";

const host = "Host: api.shop.localhost\r\n";
const browser = "Accept: text/html,*/*;q=0.8\r\nSec-Fetch-Mode: navigate\r\n";
const starting = testSupervised({ state: "starting", pid: undefined });
const exit = { code: 1, signal: null, time: 1_700_000_000_000, lastLines: [] };
const stopped = testSupervised({ state: "stopped", pid: undefined });

/** The Accept field of a page's question. */
async function asksOf(proxy: TestProxy, { where = host, path = "/a", fields = browser } = {}) {
  using client = await connectRaw(proxy.port);
  client.send(`GET ${path} HTTP/1.1\r\n${where}${fields}\r\n`);
  const { body } = await client.message();
  return body.match(/data-asks="([^"]+)"/)?.[1];
}

async function ask(proxy: TestProxy, accept: string, where = host) {
  const client = await connectRaw(proxy.port);
  client.send(`GET / HTTP/1.1\r\n${where}Accept: ${accept}\r\nSec-Fetch-Site: cross-site\r\n\r\n`);
  return client;
}

const waits = (proxy: TestProxy) => eventually("it waits", () => proxy.proxy.waiting === 1);

test.each([
  ["ready", testSupervised(), { "api.shop": 1 }],
  ["stopped again", stopped, {}],
  ["ended", { ...starting, state: "backoff", lastExit: exit }, {}],
  ["gone with its project", undefined, {}],
] as const)(
  "a starting page hears when its service is %s, and nothing before",
  async (_, next, at) => {
    using api = new RawServer({ answer: () => ok("the app") });
    await using proxy = await startTestProxy({ supervised: [starting] });
    const accept = (await asksOf(proxy))!;
    using client = await ask(proxy, accept);
    await waits(proxy);
    // Other news of it is no reason to load the page again.
    proxy.setSupervised([{ ...starting, state: "running", why: "waits for db" }]);
    await waits(proxy);
    proxy.setSupervised(
      next === undefined ? [] : [next],
      "api.shop" in at ? { "api.shop": api } : {},
    );
    const answer = await client.message();
    expect([answer.status, answer.body]).toEqual([200, ""]);
    expect(api.requests).toEqual([]);
  },
);

test("a page that says that its service has ended hears nothing of each further try, only of the last word", async () => {
  const backoff = { ...starting, state: "backoff", restarts: 0, lastExit: exit } as const;
  await using proxy = await startTestProxy({ supervised: [backoff] });
  using client = await ask(proxy, (await asksOf(proxy))!);
  await waits(proxy);
  for (const state of ["starting", "backoff", "running"] as const) {
    proxy.setSupervised([{ ...backoff, state, restarts: 1, failures: 2 }]);
    await waits(proxy);
  }
  proxy.setSupervised([{ ...backoff, state: "failed", restarts: 2 }]);
  expect((await client.message()).status).toBe(200);
});

test("a lazy service that had ended before is starting by the time that its page is read", async () => {
  const ended = testSupervised({ state: "exited", lazy: true, pid: undefined });
  const well = { ...ended, lastExit: { ...exit, code: 0 } };
  const supervision = { wake: () => {}, latest: () => [] };
  await using proxy = await startTestProxy({ supervised: [well], supervision });
  const accept = (await asksOf(proxy))!;
  proxy.setSupervised([{ ...well, state: "starting" }]);
  using client = await ask(proxy, accept);
  await waits(proxy);
  proxy.setSupervised([well]);
  expect((await client.message()).status).toBe(200);
});

test("a page of a stopped service hears that it is started, and the question starts nothing", async () => {
  const woken: string[] = [];
  const lazy = testSupervised({ state: "failed", lazy: true, pid: undefined });
  await using proxy = await startTestProxy({
    supervised: [lazy],
    supervision: { wake: (id) => woken.push(id), latest: () => [] },
  });
  using client = await ask(proxy, (await asksOf(proxy))!);
  await waits(proxy);
  proxy.setSupervised([{ ...lazy, state: "starting" }]);
  expect((await client.message()).status).toBe(200);
  expect(woken).toEqual([]);
});

test("a page of an unknown name hears of its server, and the front page of each server", async () => {
  using api = new RawServer({ answer: () => ok("the app") });
  await using proxy = await startTestProxy();
  for (const where of ["Host: new.localhost\r\n", "Host: localhost\r\n"]) {
    proxy.setServices({});
    const accept = (await asksOf(proxy, { where, path: "/" }))!;
    using client = await ask(proxy, accept, where);
    await waits(proxy);
    proxy.setServices({ new: api });
    proxy.proxy.supervisedChanged();
    expect((await client.message()).status).toBe(200);
  }
});

test("who has not read the page is told nothing by how long an answer takes", async () => {
  await using proxy = await startTestProxy({ supervised: [starting] });
  const accept = (await asksOf(proxy))!;
  const guess = accept.replace(/.{4}$/, (end) => (end === "0000" ? "1111" : "0000"));
  const states = [starting, stopped, testSupervised({ state: "failed" })];
  for (const supervised of states) {
    proxy.setSupervised([supervised]);
    using client = await ask(proxy, guess);
    expect((await client.message()).status).toBe(200);
  }
  // Each daemon has its own.
  await using other = await startTestProxy({ supervised: [starting] });
  expect(await asksOf(other)).not.toBe(accept);
});

test("only a page that a person looks at has a question, and none that a form was sent for", async () => {
  await using proxy = await startTestProxy({ supervised: [stopped] });
  expect(await asksOf(proxy)).toMatch(/;mark=[0-9a-f]{32}$/);
  const script = "Accept: text/html\r\nSec-Fetch-Mode: cors\r\n";
  expect(await asksOf(proxy, { fields: script })).toBeUndefined();
  using client = await connectRaw(proxy.port);
  client.send(`POST /a HTTP/1.1\r\n${host}${browser}Content-Length: 2\r\n\r\na=`);
  const { body } = await client.message();
  expect(body).not.toContain("<script>");
  expect(body).toContain('<a href="">');
});

test("a question without news ends without an answer after half a minute, and leaves no trace", async () => {
  const clock = new FakeClock();
  const recorder = new Recorder({ clock: systemClock, now: () => performance.now() });
  await using proxy = await startTestProxy({ clock, recorder, supervised: [starting] });
  const accept = (await asksOf(proxy))!;
  const before = recorder.recent({ limit: 9 }).length;
  using client = await ask(proxy, accept);
  await waits(proxy);
  for (let half = 0; half < 62; half++) clock.advance(500);
  expect(await client.rest()).toBe("");
  expect(recorder.recent({ limit: 9 })).toHaveLength(before);
  expect(recorder.counts("api.shop")).toMatchObject({ active: 0, errors: 1 });
});

test("an app's own requests are never taken for a question", async () => {
  using api = new RawServer({ answer: () => ok("the app") });
  await using proxy = await startTestProxy({ services: { api } });
  const accept = `application/vnd.localhostess.news;mark=${"0".repeat(32)}`;
  const [type] = accept.split(";");
  for (const fields of [
    `Accept: ${type}\r\n`,
    `Accept: ${accept}0\r\n`,
    `Accept: ${accept.replace("mark", "nark")}\r\n`,
    `Accept: ${accept.replace(/0$/, "x")}\r\n`,
  ]) {
    using client = await connectRaw(proxy.port);
    client.send(`GET / HTTP/1.1\r\nHost: api.localhost\r\n${fields}\r\n`);
    expect((await client.message()).body).toBe("the app");
  }
  // A host that is not ours is refused, whatever it asks.
  using client = await ask(proxy, accept, "Host: evil.example\r\n");
  expect((await client.message()).status).toBe(421);
});
