/** The page in a real Chromium, fed by a test: what it shows, by which keys, and how it mends itself. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import type { Page } from "playwright-core";
import { unbuiltText } from "../../src/routes/state-sentence.ts";
import type { Unusable } from "../../src/routes/unusable.ts";
import { type Browser, openBrowser } from "../support/browser.ts";
import { describeWith } from "../support/with-programs.ts";
import { madeService, type PageServer, startPageServer } from "./page-server.ts";
import { deny } from "./strangers.ts";

const artefacts = join(import.meta.dir, "../artefacts");
const nameless: Unusable = {
  pid: 4_711,
  startedAt: 0,
  port: 5_173,
  ports: [5_173],
  command: "vite",
  cwd: "/srv/shop",
  typed: "vite",
  suggested: "shop",
  fault: { kind: "no name" },
};
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

  /** The button, link or field that has the focus, as a screen reader has it. */
  const focused = (page: Page) =>
    page.evaluate(`(() => {
      const its = document.activeElement;
      return its.getAttribute("aria-label") ?? its.id ?? its.textContent;
    })()`);

  /** Two services of one project, and one of another that is stopped. */
  function supervise({ supervised, add }: PageServer): void {
    for (const id of ["shop:api", "shop:web"]) supervised.set(id);
    supervised.set("old:web", { state: "stopped", pid: undefined });
    add(madeService("api.shop", { pids: [5_000] }));
  }

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
    "what the guard refuses is counted beside the service, and shown with the line that allows it",
    async () => {
      await using server = await startPageServer();
      server.add(madeService("api"));
      await using page = await open(server);
      deny(server, "api", { kind: "websocket", count: 2 });
      await page.getByText("2 refused", { exact: true }).waitFor();
      await page.getByRole("link", { name: "api", exact: true }).click();
      await page.getByText('allow_origins = ["https://evil.example"]', { exact: true }).waitFor();
      await page.getByText("in [names.api] of config.toml allows it.").waitFor();
      await page.getByRole("cell", { name: "403 by guard" }).first().waitFor();
    },
    patience,
  );

  test(
    "a name for a unix socket shows where it is from and where it leads, and no process",
    async () => {
      await using server = await startPageServer();
      const path = "/run/api.sock";
      server.add(
        madeService("sock", {
          ...{ process: undefined, pids: [], ports: [], cwd: undefined, source: "given" },
          endpoint: { address: path, port: 0, dial: [path] },
          because: `localhostess name gives it to ${path}`,
        }),
      );
      await using page = await open(server);
      await page.getByRole("link", { name: "sock", exact: true }).click();
      await page.getByText(`localhostess name gives it to ${path}`, { exact: true }).waitFor();
      await page.getByText(path, { exact: true }).waitFor();
      expect(await page.getByText(/null|undefined|NaN/).count()).toBe(0);
      expect(await page.getByRole("heading", { name: "Processes" }).count()).toBe(0);
    },
    patience,
  );

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
    "every service has its state, links, port, uptime, counts, latency and last minute",
    async () => {
      await using server = await full();
      const page = await open(server);
      expect(await names(page)).toEqual(["api", "docs", "web"]);
      const web = page.getByRole("row", { name: /^web/ });
      const text = await web.textContent();
      for (const part of ["running", "3111", "12 min", "12", "3.2 ms"]) {
        expect(text).toContain(part);
      }
      const hrefs = await web
        .locator("a[target=_blank]")
        .evaluateAll((links) => links.map((link) => (link as unknown as { href: string }).href));
      expect(hrefs).toEqual(["http://web.localhost:9091/", "https://web.localhost:9091/"]);
      await web.getByRole("img", { name: "12 requests in the last minute" }).waitFor();
      const api = await page.getByRole("row", { name: /^api/ }).textContent();
      expect(api).toContain("another server has this name too");
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
    "a service of a project stands once, in its project, with its requests and its buttons",
    async () => {
      await using server = await full();
      supervise(server);
      server.request("api.shop", { line: "GET /orders" });
      const page = await open(server);
      await page.getByRole("heading", { name: "old" }).waitFor();
      expect(await names(page)).toEqual(["old:web", "shop:api", "shop:web", "api", "docs", "web"]);
      const row = page.getByRole("row", { name: /^shop:api/ });
      await row.getByRole("img", { name: "1 request in the last minute" }).waitFor();
      await row.getByRole("button", { name: "Stop shop:api" }).waitFor();
      const group = page.getByRole("row", { name: /^shop 2 of 2 up/ });
      // In a search by their state, which then leaves them out, as well.
      await page.getByRole("button", { name: /ready: show only these/ }).click();
      await group.getByRole("button", { name: "Stop all of shop" }).click();
      await page.getByRole("row", { name: /^shop 0 of 2 up/ }).waitFor();
      expect(await focused(page)).toBe("Stop all of shop");
      expect(server.supervised.told).toEqual(["stop shop:api shop:web"]);
      await group.page().getByRole("button", { name: "Start all of shop" }).click();
      await page.getByRole("row", { name: /^shop 2 of 2 up/ }).waitFor();
      expect(server.supervised.told[1]).toBe("resume /home/ada/src/shop");
      await page.close();
    },
    patience,
  );

  test(
    "whoever stops, starts or restarts a service by keyboard is still at its button afterwards",
    async () => {
      await using server = await full();
      supervise(server);
      const page = await open(server);
      for (const address of ["", "#/shop%3Aapi"]) {
        await page.goto(`${server.pageUrl}/${address}`);
        // In a search by its state as well, which then leaves it out.
        if (address === "")
          await page.getByRole("button", { name: /ready: show only these/ }).click();
        const stop = page.getByRole("button", { name: "Stop shop:api" });
        await stop.focus();
        await page.keyboard.press("Enter");
        await page.getByRole("button", { name: "Start shop:api", exact: true }).waitFor();
        expect(await focused(page)).toBe("Start shop:api");
        expect(await page.getByRole("status").textContent()).toBe("shop:api: stopped");
        await page.keyboard.press("Enter");
        await stop.waitFor();
        expect(await focused(page)).toBe("Stop shop:api");
        const restart = page.getByRole("button", { name: "Restart shop:api" });
        await restart.focus();
        server.supervised.why = "shop:api has ended with exit code 1";
        server.supervised.set("shop:api", { state: "failed", pid: undefined });
        await page.getByRole("button", { name: "Start shop:api", exact: true }).first().waitFor();
        expect(await focused(page)).toBe("Restart shop:api");
        server.supervised.why = undefined;
        server.supervised.set("shop:api", { state: "ready", pid: 5_000 });
        await stop.waitFor();
      }
      await page.close();
    },
    patience,
  );

  test(
    "a row says that its service is built again, and that its last build failed",
    async () => {
      await using server = await full();
      supervise(server);
      const page = await open(server);
      server.supervised.set("shop:api", { status: "builds again", warnings: [] });
      const row = page.getByRole("row").filter({ hasText: "builds again" });
      await row.waitFor();
      expect(await row.textContent()).toContain("api");
      const text = unbuiltText({ id: "shop:api", why: "its build failed (exit code 2): make" });
      server.supervised.set("shop:api", { status: undefined, warnings: [text] });
      await page.getByRole("row").filter({ hasText: text }).waitFor();
      expect(text).toBe(
        "its last build failed (exit code 2): make; it runs what was built before; localhostess logs shop:api",
      );
      await page.close();
    },
    patience,
  );

  test(
    "a command that fails is told, and the page goes on",
    async () => {
      await using server = await full();
      supervise(server);
      const page = await open(server);
      server.supervised.why = "the port 4000 is taken by pid 17";
      await page.getByRole("button", { name: "Start old:web", exact: true }).click();
      await page
        .getByRole("alert")
        .getByText("old:web: the port 4000 is taken by pid 17")
        .waitFor();
      expect(await focused(page)).toBe("Start old:web");
      await page.getByRole("button", { name: "Close" }).click();
      await page.getByRole("alert").waitFor({ state: "detached" });
      await page.close();
    },
    patience,
  );

  test(
    "a search finds a service by its project, its state and its address, and requests and lines of all",
    async () => {
      await using server = await full();
      supervise(server);
      server.supervised.print("shop:web", "\x1b[31mcannot connect to the database\x1b[0m\n");
      const page = await open(server);
      const search = page.getByRole("searchbox");
      const found: Record<string, string[]> = {
        stopped: ["old:web"],
        "src/shop ready": ["shop:api", "shop:web"],
        "http://docs.localhost": ["docs"],
      };
      for (const [query, ids] of Object.entries(found)) {
        await search.fill(query);
        expect([query, await names(page)]).toEqual([query, ids]);
      }
      await search.fill("orders 503");
      const requests = page.getByRole("region", { name: "In requests" });
      await requests.getByRole("listitem").filter({ hasText: "POST /orders" }).waitFor();
      await search.fill("connect to the database");
      const output = page.getByRole("region", { name: "In output" });
      await output.getByRole("listitem").first().waitFor();
      expect(await output.textContent()).toContain("cannot connect to the database");
      expect(await output.textContent()).not.toContain("\x1b");
      await page.keyboard.press("Enter");
      await page.getByRole("heading", { name: "shop:web" }).waitFor();
      await page.close();
    },
    patience,
  );

  test(
    "a server that no name leads to is told with what helps, and found by a search",
    async () => {
      await using server = await startPageServer();
      server.setNameless([nameless]);
      const page = await open(server);
      const told = page.getByText("pid 4711 (vite) listens on port 5173 in /srv/shop");
      await told.waitFor();
      server.add(madeService("docs"));
      await page.getByRole("link", { name: "docs", exact: true }).waitFor();
      // Beside servers with a name, they are one line.
      await page.getByText("1 more server has no name").waitFor();
      expect(await told.isVisible()).toBe(false);
      await page.getByRole("searchbox").fill("5173");
      await told.waitFor();
      expect(await page.getByText("Nothing matches").count()).toBe(0);
      await page.close();
    },
    patience,
  );

  test(
    "requests and output stand side by side, and at 360 px one below the other, with a way to jump",
    async () => {
      await using server = await full();
      supervise(server);
      server.request("api.shop", { line: "GET /orders" });
      server.supervised.print("shop:api", "listening\n");
      const page = await open(server);
      await page.goto(`${server.pageUrl}/#/shop%3Aapi`);
      await page.getByRole("log").getByText("listening").waitFor();
      const boxes = async () => [
        (await page.getByRole("region", { name: "Requests", exact: true }).boundingBox())!,
        (await page.getByRole("region", { name: "Output", exact: true }).boundingBox())!,
      ];
      const [left, right] = await boxes();
      expect(left!.y).toBe(right!.y);
      expect(left!.x + left!.width).toBeLessThan(right!.x);
      await page.setViewportSize({ width: 360, height: 640 });
      const [first, second] = await boxes();
      expect(first!.y + first!.height).toBeLessThanOrEqual(second!.y);
      for (const part of ["Output", "Facts", "Requests"]) {
        await page.getByRole("button", { name: part, exact: true }).click();
        expect(await focused(page)).toBe(part.toLowerCase());
        const { y } = (await page.getByRole("heading", { name: part }).boundingBox())!;
        expect(y).toBeLessThan(640);
      }
      await page.getByRole("link", { name: "All services" }).click();
      await page.locator('a.detail[data-id="shop:api"]:focus').waitFor();
      await page.close();
    },
    patience,
  );

  test(
    "a stopped service keeps its output and its last requests",
    async () => {
      await using server = await full();
      supervise(server);
      server.request("api.shop", { line: "GET /orders" });
      server.supervised.print("shop:api", "listening\n");
      const page = await open(server);
      await page.goto(`${server.pageUrl}/#/shop%3Aapi`);
      await page.getByRole("cell", { name: "/orders" }).waitFor();
      await page.getByRole("button", { name: "Stop shop:api" }).click();
      server.remove("api.shop");
      await page.getByText("shop:api is stopped; to start it").waitFor();
      await page.getByRole("cell", { name: "/orders" }).waitFor();
      await page.getByRole("log").getByText("listening").waitFor();
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
