/** The page in a real Chromium, fed by a test: what it shows, by which keys, and how it mends itself. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import type { Page } from "playwright-core";
import { type Browser, openBrowser } from "../support/browser.ts";
import { describeWith } from "../support/with-programs.ts";
import { madeService, type PageServer, startPageServer } from "./page-server.ts";

const artefacts = join(import.meta.dir, "../artefacts");
/** A browser on a busy machine. */
const patience = 120_000;

describeWith(["chromium"])("the page", () => {
  let browser: Browser;
  beforeAll(async () => {
    mkdirSync(artefacts, { recursive: true });
    browser = await openBrowser({ port: 1 });
  }, patience);
  afterAll(() => browser.close());

  const said: string[] = [];

  async function open(server: PageServer, width = 1_440): Promise<Page> {
    const page = await browser.context.newPage();
    page.on("pageerror", (error) => said.push(error.message));
    page.on("console", (message) => {
      if (/Content.Security.Policy|Refused to/i.test(message.text())) said.push(message.text());
    });
    page.setDefaultTimeout(patience / 2);
    await page.setViewportSize({ width, height: 900 });
    await page.goto(server.open());
    await page.getByText("live", { exact: true }).waitFor();
    return page;
  }

  const names = (page: Page) => page.locator("a.detail").allTextContents();

  async function full(): Promise<PageServer> {
    const server = await startPageServer();
    server.add(madeService("web", { pids: [4_711, 4_712], ports: [5_173, 24_678] }));
    server.add(madeService("api", { warnings: ["another server has this name too"] }));
    server.add(madeService("docs"));
    for (let at = 0; at < 12; at++) {
      server.request("web", {
        line: `GET /src/part-${at}.ts?v=1`,
        caller: { pid: 881, command: "/usr/bin/chromium --type=utility" },
      });
    }
    server.request("api", { line: "POST /orders", status: 503, milliseconds: 1_234 });
    return server;
  }

  test(
    "a link signs in once, leaves the address bar, and scripts cannot read the session",
    async () => {
      await using server = await full();
      const page = await open(server);
      expect(page.url()).toBe(`${server.pageUrl}/`);
      expect(await page.evaluate("document.cookie")).toBe("");
      expect(await page.evaluate("history.length")).toBeLessThanOrEqual(2);
      await page.reload();
      await page.getByRole("link", { name: "api", exact: true }).waitFor();
      await page.close();
    },
    patience,
  );

  test(
    "every service has its state, links, port, pid, command, uptime, counts, latency and last minute",
    async () => {
      await using server = await full();
      const page = await open(server);
      expect(await names(page)).toEqual(["api", "docs", "web"]);
      const web = page.getByRole("row", { name: /^web/ });
      const text = await web.textContent();
      for (const part of ["running", "7111", "+1", "12 min", "12", "3.2 ms", "server.js"]) {
        expect(text).toContain(part);
      }
      const hrefs = await web
        .locator("a[target=_blank]")
        .evaluateAll((links) => links.map((link) => (link as unknown as { href: string }).href));
      expect(hrefs).toEqual(["http://web.localhost:9090/", "https://web.localhost:9090/"]);
      await web.getByRole("img", { name: "12 requests in the last minute" }).waitFor();
      const api = await page.getByRole("row", { name: /^api/ }).textContent();
      expect(api).toContain("1 warning");
      expect(api).toContain("1.2 s");
      expect(await page.locator("footer").textContent()).toContain("0.1.0");
      await page.close();
    },
    patience,
  );

  test(
    "services and requests appear as they happen, and are told to a screen reader",
    async () => {
      await using server = await startPageServer();
      const page = await open(server);
      await page.getByText("NAME=api bun dev").waitFor();
      server.add(madeService("api"));
      await page.getByRole("link", { name: "api", exact: true }).waitFor();
      expect(await page.getByRole("status").textContent()).toBe("api is running");
      server.request("api");
      await page.getByRole("img", { name: "1 request in the last minute" }).waitFor();
      server.remove("api");
      await page.getByText("NAME=api bun dev").waitFor();
      expect(await page.getByRole("status").textContent()).toBe("api has ended");
      await page.close();
    },
    patience,
  );

  test(
    "it is used by keyboard alone: search, rows, detail, back to the row",
    async () => {
      await using server = await full();
      const page = await open(server);
      const focused = () => page.evaluate("document.activeElement.textContent");
      await page.keyboard.press("/");
      await page.keyboard.type("docs");
      expect(await names(page)).toEqual(["docs"]);
      await page.keyboard.press("Escape");
      expect(await names(page)).toEqual(["api", "docs", "web"]);
      await page.keyboard.press("ArrowDown");
      expect(await focused()).toBe("api");
      await page.keyboard.press("ArrowDown");
      await page.keyboard.press("ArrowDown");
      await page.keyboard.press("ArrowDown");
      expect(await focused()).toBe("web");
      const outline = await page.evaluate("getComputedStyle(document.activeElement).outlineStyle");
      expect(outline).toBe("solid");
      await page.keyboard.press("Enter");
      await page.getByRole("heading", { name: "web" }).waitFor();
      await page.keyboard.press("Escape");
      await page.getByRole("link", { name: "web", exact: true }).waitFor();
      await page.locator("a.detail:focus", { hasText: "web" }).waitFor();
      await page.keyboard.press("Home");
      expect(await focused()).toBe("api");
      await page.keyboard.press("ArrowUp");
      expect(await page.evaluate("document.activeElement.id")).toBe("search");
      await page.keyboard.type("nothing like it");
      await page.getByText("Nothing matches").waitFor();
      await page.close();
    },
    patience,
  );

  test(
    "the detail has addresses, ports, processes, warnings and requests with their callers, and goes on",
    async () => {
      await using server = await full();
      const page = await open(server);
      await page.getByRole("link", { name: "api", exact: true }).click();
      await page.getByText("another server has this name too").waitFor();
      await page.getByRole("cell", { name: "POST", exact: true }).waitFor();
      await page.getByRole("cell", { name: "503", exact: true }).waitFor();
      await page.goto(`${server.pageUrl}/#/web`);
      await page.getByRole("cell", { name: "4712", exact: true }).waitFor();
      await page.getByRole("cell", { name: "chromium 881" }).first().waitFor();
      server.request("web", { line: "DELETE /carts/9", status: 0 });
      await page.getByRole("cell", { name: "/carts/9" }).waitFor();
      await page.getByRole("cell", { name: "broken off" }).waitFor();
      server.remove("web");
      await page.getByText("has ended", { exact: true }).waitFor();
      await page.getByRole("cell", { name: "/carts/9" }).waitFor();
      await page.close();
    },
    patience,
  );

  test(
    "what services and clients say is shown, not obeyed",
    async () => {
      await using server = await startPageServer();
      const evil = `<img src=x onerror="document.title='owned'">`;
      server.add(madeService("api", { command: evil, warnings: [evil], cwd: evil }));
      server.request("api", { caller: { pid: 7, command: "<i>run</i>" } });
      const page = await open(server);
      await page.getByRole("link", { name: "api", exact: true }).click();
      await page.getByText(evil).first().waitFor();
      expect(await page.locator("main i").count()).toBe(0);
      expect(await page.locator("main img:not([role])").count()).toBe(0);
      expect(await page.title()).toBe("localhostess");
      await page.close();
    },
    patience,
  );

  test(
    "a daemon that is gone is said to be, and the next one at its port is followed without a reload",
    async () => {
      const first = await full();
      const page = await open(first);
      await page.evaluate("globalThis.sameDocument = true");
      await first.stop();
      await page.getByText("The daemon does not answer").waitFor();
      expect(await names(page)).toEqual(["api", "docs", "web"]);
      await using second = await startPageServer({
        port: first.port,
        launch: "22222222-2222-4333-8444-555555555555",
      });
      second.add(madeService("later"));
      await page.getByRole("link", { name: "later", exact: true }).waitFor();
      await page.getByText("live", { exact: true }).waitFor();
      expect(await names(page)).toEqual(["later"]);
      expect(await page.getByText("The daemon does not answer").count()).toBe(0);
      expect(await page.evaluate("globalThis.sameDocument")).toBe(true);
      await page.close();
    },
    patience,
  );

  test(
    "a session that is over is said to be, with the command that begins another",
    async () => {
      await using server = await full();
      const page = await open(server);
      await browser.context.clearCookies();
      await page.getByRole("alert").waitFor({ timeout: 10_000 });
      await page.getByText("localhostess dashboard").waitFor();
      await page.close();
    },
    patience,
  );

  for (const scheme of ["light", "dark"] as const) {
    for (const width of [1_440, 768, 360]) {
      test(
        `nothing is wider than the window, ${scheme}, ${width} px`,
        async () => {
          await using server = await full();
          server.add(madeService("a-name-that-is-as-long-as-names-may-be-and-some-more-of-it"));
          server.add(madeService("x", { command: `node ${"very-long-".repeat(40)}` }));
          const page = await open(server, width);
          await page.emulateMedia({ colorScheme: scheme, reducedMotion: "reduce" });
          const wider =
            "document.documentElement.scrollWidth - document.documentElement.clientWidth";
          expect(await page.evaluate(wider)).toBeLessThanOrEqual(0);
          await page.screenshot({ path: join(artefacts, `page-${scheme}-${width}.png`) });
          await page.goto(`${server.pageUrl}/#/web`);
          await page.getByRole("cell", { name: "4712", exact: true }).waitFor();
          expect(await page.evaluate(wider)).toBeLessThanOrEqual(0);
          await page.screenshot({ path: join(artefacts, `detail-${scheme}-${width}.png`) });
          await page.close();
        },
        patience,
      );
    }
  }

  test("no script failed, and the policy was never broken", () => {
    expect(said).toEqual([]);
  });
});
