import { afterAll, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Supervised } from "../../src/routes/supervised.ts";
import type { Lifecycle, LifecycleEffects } from "../../src/supervisor/service/lifecycle.ts";
import type { WatchNews } from "../../src/supervisor/service/served-site.ts";
import { adoptSite, superviseSite } from "../../src/supervisor/service/site-lifecycle.ts";
import { systemClock } from "../../src/system/clock.ts";
import { loopback } from "../../src/system/loopback.ts";
import { eventually } from "../support/eventually.ts";
import { FakeLifecycle, settled, specOf } from "./fake-lifecycle.ts";

const place = mkdtempSync(join(tmpdir(), "site-life-"));
afterAll(() => rmSync(place, { recursive: true, force: true }));
mkdirSync(join(place, "www"));
writeFileSync(join(place, "www/a.txt"), "a");

let sockets = 0;

/** Sites without a build, on real sockets; what a test does not ask for is not there. */
function setting(port: number | undefined) {
  const snapshots: Supervised[] = [];
  const left: Promise<void>[] = [];
  let news: WatchNews | undefined;
  const effects = {
    clock: systemClock,
    isFree: loopback(process.platform).isFree,
    holdersOf: async () => [],
    ownerOf: async () => undefined,
    rightTo: () => undefined,
  } as unknown as LifecycleEffects;
  const own = {
    kind: "site",
    path: join(place, "www"),
    fallback: undefined,
    listing: true,
    reload: true,
  } as const;
  const spec = specOf({ type: "site", own, port, command: "", routeName: "docs.shop" });
  const options = {
    ...{ project: "shop", domain: "shop.localhost", directory: place, effects },
    onChange: (its: Supervised) => void snapshots.push(its),
    ...{ onOutput() {}, onMembers() {}, say() {}, lastLines: () => [] },
    sites: {
      socketPath: () => join(place, `s${sockets++}`),
      onLeft: (done: Promise<void>) => void left.push(done),
      watch(_folder: string, hear: WatchNews) {
        news = hear;
        return () => {
          news = undefined;
        };
      },
    },
  };
  const request = { shell: {}, port, url: undefined, trust: {} };
  return {
    spec,
    options,
    request,
    snapshots,
    left,
    changed: (path: string) => news?.onChange([path]),
  };
}

async function textAt(site: Lifecycle): Promise<string> {
  const { socket } = site.snapshot();
  const answer = await fetch("http://docs.shop.localhost/a.txt", { unix: socket! });
  return await answer.text();
}

/** Another program's, until it ends. */
function taken(): { port: number; end(): Promise<void> } {
  const server = Bun.serve({ port: 0, hostname: "127.0.0.1", fetch: () => new Response("theirs") });
  return { port: server.port!, end: () => server.stop(true) };
}

test("a site with a port answers there for its own names alone, and waits while another has it", async () => {
  const other = taken();
  const { spec, options, request } = setting(other.port);
  const site = superviseSite(spec, options);
  site.start(request);
  await eventually("it waits", () => site.snapshot().state === "backoff", 10_000);
  expect(site.isHeld).toBe(true);
  await other.end();
  await eventually("it is ready", () => site.snapshot().state === "ready", 10_000);
  const statusFor = async (host: string): Promise<number> =>
    (await fetch(`http://127.0.0.1:${other.port}/a.txt`, { headers: { host } })).status;
  expect(await statusFor(`docs.shop.localhost:${other.port}`)).toBe(200);
  expect(await statusFor(`localhost:${other.port}`)).toBe(200);
  expect(await statusFor("[::1]")).toBe(200);
  expect(await statusFor("evil.test")).toBe(421);
  expect(await statusFor("docs.shop.localhost.evil.test")).toBe(421);
  expect(await textAt(site)).toBe("a");
  const { socket } = site.snapshot();
  await site.stop();
  expect(site.snapshot()).toMatchObject({ state: "stopped", startedAt: undefined });
  await expect(fetch("http://a/", { unix: socket! })).rejects.toThrow();
});

test("a folder that is not there is told of for as long as it is not", async () => {
  const { spec, options, request } = setting(undefined);
  const path = join(place, "later");
  const site = superviseSite({ ...spec, own: { ...spec.own, path } as typeof spec.own }, options);
  site.start(request);
  await eventually("it serves", () => site.snapshot().state === "ready");
  expect(site.snapshot().warnings).toEqual([`its folder ${path} is not there`]);
  mkdirSync(path);
  expect(site.snapshot().warnings).toEqual([]);
  await site.dispose();
});

test("the reason of a restart is told until it is ready again, and not for ever", async () => {
  const { spec, options, request, snapshots } = setting(undefined);
  const site = superviseSite(spec, options);
  site.start(request);
  site.restart({ ...request, reason: "its declaration changed" });
  await eventually("it is ready again", () => site.snapshot().state === "ready");
  expect(site.snapshot().why).toBeUndefined();
  expect(snapshots.some(({ why }) => why === "its declaration changed")).toBe(true);
  await site.stop();
});

test("the next daemon serves a site as it was, at the same port, and one that comes back goes on", async () => {
  const free = taken();
  await free.end();
  const { spec, options, request, left } = setting(free.port);
  const former = superviseSite(spec, options);
  former.start(request);
  expect(former.snapshot().state).toBe("ready");
  const own = undefined as never;
  expect(await former.halt(own)).toMatchObject({ lifecycle: { phase: "ready" } });
  former.goOn();
  const at = `http://127.0.0.1:${free.port}/a.txt`;
  expect(await (await fetch(at)).text()).toBe("a");
  const handed = (await former.halt(own))!;
  const rest = { stdout: new Uint8Array(), stderr: new Uint8Array() };
  const next = await adoptSite(spec, { ...options, adopting: { handed, shell: {}, rest } });
  former.leave(() => {});
  expect(next.snapshot().state).toBe("ready");
  // Another time would look like a restart to those that restart with it.
  expect(next.snapshot().startedAt).toBe(former.snapshot().startedAt!);
  expect(next.snapshot().socket).not.toBe(former.snapshot().socket);
  expect(await textAt(next)).toBe("a");
  // Requests that were on their way to the former one.
  expect(await textAt(former)).toBe("a");
  expect(await (await fetch(at, { headers: { connection: "close" } })).text()).toBe("a");
  await Promise.all(left);
  await next.stop();
});

test("open pages hear of files that change, and not of hidden ones", async () => {
  const { spec, options, request, changed } = setting(undefined);
  const site = superviseSite(spec, options);
  site.start(request);
  const { socket } = site.snapshot();
  const events = await fetch("http://a/.localhostess/reload", { unix: socket! });
  const reader = events.body!.pipeThrough(new TextDecoderStream()).getReader();
  expect((await reader.read()).value).toContain("event: version");
  changed(".git/index");
  changed("sub/a b.css");
  expect((await reader.read()).value).toContain('"paths":["/sub/a b.css"]');
  await site.dispose();
  expect((await reader.read()).done).toBe(true);
});

/** A site with a build that a test plays. */
async function building() {
  const { spec, options } = setting(undefined);
  const its = new FakeLifecycle({ ...spec, command: "make" }, { sites: options.sites });
  its.service.start({ shell: {}, port: undefined, url: undefined, trust: {} });
  await settled();
  const end = async (code: number): Promise<void> => {
    its.exit({ code, signal: null });
    await settled();
  };
  const change = async (file: string): Promise<void> => {
    its.service.renew!(`${file} changed`);
    await settled();
  };
  return { its, end, change };
}

test("a site is ready when its build has ended well, and the build is known to the next daemon from its start", async () => {
  const { its, end } = await building();
  expect([its.state, its.spawns.length]).toEqual(["starting", 1]);
  expect(its.memberNews).toBe(1);
  expect(its.service.run()).toBeDefined();
  expect(its.service.isSettled).toBe(false);
  await end(0);
  expect(its.state).toBe("ready");
  expect(its.service.run()).toBeUndefined();
  expect(its.service.isSettled).toBe(true);
  expect(await textAt(its.service)).toBe("a");
  await its.service.stop();
});

test("builds follow one another, however often something changes, and the files are served meanwhile", async () => {
  const { its, end, change } = await building();
  await end(0);
  for (const file of ["a", "b", "c"]) await change(file);
  expect([its.state, its.spawns.length]).toEqual(["ready", 2]);
  await end(0);
  expect([its.state, its.spawns.length]).toEqual(["ready", 3]);
  await end(2);
  expect(its.state).toBe("unready");
  expect(its.why).toBe("its build ended with exit code 2; the files of an earlier one are served");
  expect(its.service.snapshot().lastExit).toMatchObject({ code: 2 });
  expect(await textAt(its.service)).toBe("a");
  await change("d");
  await end(0);
  expect([its.state, its.spawns.length]).toEqual(["ready", 4]);
  await its.service.stop();
});

test("a first build that fails is told and tried again when something changes, also while it still ran", async () => {
  const { its, end, change } = await building();
  await end(1);
  expect([its.state, its.service.isRefused]).toEqual(["failed", true]);
  expect(its.why).toBe("its build ended with exit code 1");
  expect(its.service.snapshot().socket).toBeUndefined();
  await change("a");
  await change("b");
  await end(1);
  expect([its.state, its.spawns.length]).toEqual(["starting", 3]);
  await its.service.stop();
  expect([its.state, its.endings.length > 0]).toEqual(["stopped", true]);
});
