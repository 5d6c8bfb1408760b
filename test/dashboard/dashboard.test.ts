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

async function signIn(): Promise<string> {
  const opened = await fetch(server.open(), { redirect: "manual" });
  return opened.headers.get("set-cookie")!.split(";")[0]!;
}

test("a fresh link signs in, once: 303 to the page, with a cookie that scripts and other sites do not get", async () => {
  const url = server.open();
  const opened = await fetch(url, { redirect: "manual" });
  expect(opened.status).toBe(303);
  expect(opened.headers.get("location")).toBe("/");
  const cookie = opened.headers.get("set-cookie")!;
  expect(cookie).toMatch(
    /^localhostess_session=[0-9]+\.[0-9a-f]{32}\.[0-9a-f]{64}; HttpOnly; SameSite=Strict; Path=\/; Max-Age=43200$/,
  );
  expect(cookie).not.toContain(new URL(url).searchParams.get("token")!);
  const again = await fetch(url, { redirect: "manual" });
  expect(again.status).toBe(401);
  expect(again.headers.get("set-cookie")).toBeNull();
  expect(await again.text()).toContain("localhostess dashboard");
});

test("HEAD does not use a link up", async () => {
  const url = server.open();
  expect((await fetch(url, { method: "HEAD", redirect: "manual" })).status).toBe(401);
  expect((await fetch(url, { redirect: "manual" })).status).toBe(303);
});

test("the page and its parts are there for a session, and for nobody else", async () => {
  const cookie = await signIn();
  for (const [path, type] of [
    ["/", "text/html"],
    ["/page.js", "text/javascript"],
    ["/page.css", "text/css"],
    ["/icon.svg", "image/svg+xml"],
  ] as const) {
    const found = await get(path, { cookie });
    expect(found.status).toBe(200);
    expect(found.headers.get("content-type")).toStartWith(type);
    expect((await found.text()).length).toBeGreaterThan(50);
    expect((await get(path)).status).toBe(401);
    expect((await get(path, { cookie: "localhostess_session=1.2.3" })).status).toBe(401);
    const elsewhere = { cookie, origin: "http://127.0.0.1:3000" };
    expect((await get(path, elsewhere)).status).toBe(401);
    expect((await get(path, { cookie, "sec-fetch-site": "same-site" })).status).toBe(401);
  }
});

test("everything has the strict headers, and the page a policy without anything inline", async () => {
  const page = await get("/", { cookie: await signIn() });
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
  expect((await get("/v1/services", { cookie })).status).toBe(200);
  const json = { cookie, "content-type": "application/json" };
  const body = "{}";
  const post = (headers: Record<string, string>) =>
    fetch(`${server.url}/v1/dashboard`, { method: "POST", headers, body });
  expect((await post(json)).status).toBe(401);
  expect((await post({ ...json, origin: "http://127.0.0.1:3000" })).status).toBe(401);
  expect((await post({ ...json, origin: server.url })).status).toBe(200);
});

test("the credential opens the page's parts as it opens everything", async () => {
  expect((await get("/", { authorization: `Bearer ${credential}` })).status).toBe(200);
  expect((await get("/nowhere", { authorization: `Bearer ${credential}` })).status).toBe(404);
});
