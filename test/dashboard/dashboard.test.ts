/** What the page's door serves to whom. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { credential, type PageServer, startPageServer } from "./page-server.ts";

let server: PageServer;
beforeAll(async () => {
  server = await startPageServer();
});
afterAll(() => server.stop());

const get = (path: string, headers: Record<string, string> = {}, method = "GET") =>
  fetch(`${server.url}${path}`, { headers, method, redirect: "manual" });

/** On the page's own host. */
const onPage = (path: string, headers: Record<string, string> = {}) =>
  get(path, { host: new URL(server.pageUrl).host, ...headers });

/** Follows a link to the page's host. */
async function follow(url: string): Promise<Response> {
  const opened = await fetch(url, { redirect: "manual" });
  if (opened.status !== 303) return opened;
  const { origin, pathname, search } = new URL(opened.headers.get("location")!);
  expect(origin).toBe(server.pageUrl);
  return onPage(`${pathname}${search}`);
}

async function signIn(): Promise<string> {
  return (await follow(server.open())).headers.get("set-cookie")!.split(";")[0]!;
}

test("a fresh link leads to the page's own host, and signs in there, once, with a cookie that scripts and other sites do not get", async () => {
  const url = server.open();
  // Others may read it in the command line of a browser.
  expect(url).not.toContain(new URL(server.pageUrl).hostname);
  const opened = await fetch(url, { redirect: "manual" });
  expect(opened.status).toBe(303);
  expect(opened.headers.get("set-cookie")).toBeNull();
  const { origin, pathname, search } = new URL(opened.headers.get("location")!);
  expect(origin).toBe(server.pageUrl);
  // Anywhere else the second step is nobody's.
  expect((await get(`${pathname}${search}`)).status).toBe(401);
  const entered = await onPage(`${pathname}${search}`);
  expect(entered.status).toBe(303);
  expect(entered.headers.get("location")).toBe("/");
  const cookie = entered.headers.get("set-cookie")!;
  expect(cookie).toMatch(
    /^localhostess_session=[0-9]+\.[0-9a-f]{32}\.[0-9a-f]{64}; HttpOnly; SameSite=Strict; Path=\/; Max-Age=43200$/,
  );
  expect(cookie).not.toContain(new URL(url).searchParams.get("token")!);
  for (const again of [
    await fetch(url, { redirect: "manual" }),
    await onPage(`${pathname}${search}`),
  ]) {
    expect(again.status).toBe(401);
    expect(again.headers.get("set-cookie")).toBeNull();
    expect(await again.text()).toContain("localhostess dashboard");
  }
});

test("HEAD does not use a link up", async () => {
  const url = server.open();
  expect((await fetch(url, { method: "HEAD", redirect: "manual" })).status).toBe(401);
  expect((await fetch(url, { redirect: "manual" })).status).toBe(303);
});

test("a session counts on the page's own host and nowhere else", async () => {
  const cookie = await signIn();
  expect((await onPage("/v1/services", { cookie })).status).toBe(200);
  for (const host of ["127.0.0.1", "localhost", "[::1]"]) {
    const at = { cookie, host: `${host}:${server.port}` };
    expect((await get("/v1/services", at)).status).toBe(401);
    expect((await get("/", at)).status).toBe(401);
  }
  const { hostname } = new URL(server.pageUrl);
  for (const host of [`page-0.localhost:${server.port}`, hostname, `${hostname}:1`]) {
    expect([host, (await get("/", { cookie, host })).status]).toEqual([host, 421]);
  }
});

test("the page and its parts are there for a session, and for nobody else", async () => {
  const cookie = await signIn();
  for (const [path, type] of [
    ["/", "text/html"],
    ["/page.js", "text/javascript"],
    ["/page.css", "text/css"],
    ["/icon.svg", "image/svg+xml"],
  ] as const) {
    const found = await onPage(path, { cookie });
    expect(found.status).toBe(200);
    expect(found.headers.get("content-type")).toStartWith(type);
    expect((await found.text()).length).toBeGreaterThan(50);
    expect((await onPage(path)).status).toBe(401);
    expect((await onPage(path, { cookie: "localhostess_session=1.2.3" })).status).toBe(401);
    const elsewhere = { cookie, origin: "http://127.0.0.1:3000" };
    expect((await onPage(path, elsewhere)).status).toBe(401);
    expect((await onPage(path, { cookie, "sec-fetch-site": "same-site" })).status).toBe(401);
  }
});

test("everything has the strict headers, and the page a policy without anything inline", async () => {
  const page = await onPage("/", { cookie: await signIn() });
  const policy = page.headers.get("content-security-policy")!;
  expect(policy).toContain("default-src 'none'");
  expect(policy).toContain("script-src 'self';");
  expect(policy).toContain("frame-ancestors 'none'");
  expect(policy).not.toContain("unsafe");
  for (const path of ["/", "/open", "/open?token=x", "/page.js", "/nowhere"]) {
    const { headers } = await get(path);
    expect(headers.get("x-frame-options")).toBe("DENY");
    expect(headers.get("referrer-policy")).toBe("no-referrer");
    expect(headers.get("cache-control")).toBe("no-store");
    expect(headers.get("x-content-type-options")).toBe("nosniff");
    expect(headers.get("cross-origin-resource-policy")).toBe("same-origin");
  }
  expect(await page.text()).not.toMatch(/<script>|<style|\son\w+=|style=/);
});

test("a session reads the API, and changes nothing unless our own page asks", async () => {
  const cookie = await signIn();
  expect((await onPage("/v1/services", { cookie })).status).toBe(200);
  const host = new URL(server.pageUrl).host;
  const json = { cookie, host, "content-type": "application/json" };
  const body = "{}";
  const post = (headers: Record<string, string>) =>
    fetch(`${server.url}/v1/stop-all`, { method: "POST", headers, body });
  expect((await post(json)).status).toBe(401);
  expect((await post({ ...json, origin: "http://127.0.0.1:3000" })).status).toBe(401);
  expect((await post({ ...json, origin: server.url })).status).toBe(401);
  expect(server.supervised.told).toEqual([]);
  expect((await post({ ...json, origin: server.pageUrl })).status).toBe(200);
  expect(server.supervised.told).toHaveLength(1);
});

test("the credential opens the page's parts as it opens everything", async () => {
  expect((await get("/", { authorization: `Bearer ${credential}` })).status).toBe(200);
  expect((await get("/nowhere", { authorization: `Bearer ${credential}` })).status).toBe(404);
});
