/**
 * A real project, from a fresh copy to nothing left: a Vite front end, a Bun API, a Python worker, and a server
 * that is slow to start.
 */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { openBrowser } from "../support/browser.ts";
import { lacking } from "../support/debian.ts";
import { endNow } from "../support/daemon-place.ts";
import { eventually } from "../support/eventually.ts";
import { type Loaded, type Shop, shop } from "../support/shop.ts";
import { describeWith } from "../support/with-programs.ts";

describeWith(["node", "python3", "curl"])("a project", () => {
  let its: Shop;
  beforeAll(async () => {
    its = await shop();
  });
  afterAll(async () => {
    await its[Symbol.asyncDispose]();
  });

  test("up starts it in order, each once what it depends on is ready, and ends when all is", async () => {
    const { code, out, err } = await its.run("up");
    expect({ code, err }).toMatchObject({ code: 0 });
    expect(out).toMatch(new RegExp(`^web +http://${its.name}\\.localhost:\\d+$`, "m"));
    expect(err).toContain("cache: ready in ");
    const rows = await its.status();
    expect(rows.map(({ service, state }) => [service, state])).toEqual([
      ["api", "ready"],
      ["cache", "ready"],
      ["jobs", "ready"],
      ["web", "ready"],
    ]);
    const [api, cache, jobs, web] = rows;
    const after = (later: string | null, earlier: string | null) =>
      expect(Date.parse(later!)).toBeGreaterThanOrEqual(Date.parse(earlier!));
    after(api!.started_at, cache!.ready_at);
    after(jobs!.started_at, api!.ready_at);
    after(web!.started_at, api!.ready_at);
    expect(cache!.says).toBe("ready");
    // It took as long as it says that it takes.
    expect(Date.parse(cache!.ready_at!) - Date.parse(cache!.started_at!)).toBeGreaterThan(1_400);
  }, 120_000);

  test("its page comes by name, by http and https, and reaches the API behind it", async () => {
    for (const secure of [false, true]) {
      const page = await its.load("web", { secure });
      expect(page.status).toBe(200);
      expect(page.text).toContain("<title>Shop</title>");
      const api = await its.load("web", { secure, path: "/api/visits" });
      expect(JSON.parse(api.text)).toMatchObject({ pid: expect.any(Number) });
      expect((await its.load("api", { secure })).status).toBe(200);
    }
  }, 120_000);

  test.skipIf(lacking(["chromium"]) !== "")(
    "its page runs in Chromium",
    async () => {
      const { port } = (await its.place.find()).registration!;
      const browser = await openBrowser({ port });
      try {
        const page = await browser.context.newPage();
        await page.goto(`http://${its.name}.localhost:${port}/`);
        await page.getByText(/^visit \d+$/).waitFor();
      } finally {
        await browser.close();
      }
    },
    120_000,
  );

  test("whatever of it is killed is back, and nobody who loads a page sees a 502 meanwhile", async () => {
    let over = false;
    const seen: Loaded[] = [];
    const loads = ["web", "api"].map(async (service) => {
      while (!over) seen.push(await its.load(service));
    });
    for (const service of ["api", "web", "api"]) {
      const before = await its.row(service);
      endNow(before.pid!);
      let now = before;
      await eventually(`${service} is back`, async () => {
        now = await its.row(service);
        return now.state === "ready" && now.pid !== before.pid;
      });
      expect(now.restarts).toBe(before.restarts + 1);
      expect(now.exit).toMatchObject({ code: null, signal: "SIGKILL" });
      expect((await its.load(service)).status).toBe(200);
    }
    over = true;
    await Promise.all(loads);
    const statuses = new Set(seen.map(({ status }) => status));
    expect([...statuses].filter((status) => status !== 200 && status !== 503)).toEqual([]);
    for (const { status, text } of seen) {
      if (status === 503) expect(text).toContain(its.name);
    }
  }, 120_000);

  test("a page load while it starts gets the starting page, and a program waits for the answer", async () => {
    expect((await its.run("stop")).code).toBe(0);
    const down = await its.load("web");
    expect(down.status).toBe(503);
    expect(down.text).toContain("is stopped");
    expect(down.text).toContain(`localhostess up ${its.folder} web`);
    const up = its.run("up");
    await eventually("it starts", async () => {
      const { state } = await its.row("cache");
      return state === "starting" || state === "running";
    });
    const starting = await its.load("api");
    expect(starting.status).toBe(503);
    expect(starting.refresh).toBeUndefined();
    expect(starting.text).toContain("as soon as it is ready");
    const { port } = (await its.place.find()).registration!;
    const held = await fetch(`http://127.0.0.1:${port}/`, {
      headers: { Host: `api.${its.name}.localhost:${port}` },
    });
    expect(held.status).toBe(200);
    expect((await up).code).toBe(0);
  }, 120_000);

  test.skipIf(lacking(["chromium"]) !== "")(
    "a browser that opens it too early shows it by itself when it is ready",
    async () => {
      expect((await its.run("stop")).code).toBe(0);
      const { port } = (await its.place.find()).registration!;
      const browser = await openBrowser({ port });
      try {
        const page = await browser.context.newPage();
        await page.goto(`http://${its.name}.localhost:${port}/`);
        await page.getByRole("heading", { name: `${its.name}:web is stopped` }).waitFor();
        const up = its.run("up");
        await page.getByRole("heading", { name: `${its.name}:web is starting` }).waitFor();
        await page.getByText(/^visit \d+$/).waitFor();
        expect((await up).code).toBe(0);
      } finally {
        await browser.close();
      }
    },
    120_000,
  );

  test("stop leaves no process of it", async () => {
    expect(its.pids().length).toBeGreaterThan(3);
    const { code, out } = await its.run("stop");
    expect({ code, lines: out.trim().split("\n").length }).toEqual({ code: 0, lines: 4 });
    expect(its.pids()).toEqual([]);
    for (const row of await its.status())
      expect(row).toMatchObject({ state: "stopped", pid: null });
  }, 120_000);
});
