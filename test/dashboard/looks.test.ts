/**
 * Our pages in a real Chromium, at 360 and 1440 px, light and dark: nothing is wider than the window, and axe-core
 * finds no violation. The pictures stay in test/artefacts, to be looked at.
 */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import axe from "axe-core";
import type { Page } from "playwright-core";
import { type Browser, openBrowser } from "../support/browser.ts";
import { ok, RawServer } from "../support/raw-server.ts";
import {
  startTestProxy,
  type TestProxy,
  testCheckouts,
  testRepository,
  testSupervised,
} from "../support/test-proxy.ts";
import { describeWith } from "../support/with-programs.ts";
import { busyDay } from "./busy-day.ts";
import { type PageServer, startPageServer } from "./page-server.ts";

const artefacts = join(import.meta.dir, "../artefacts");
/** A browser on a busy machine. */
const patience = 120_000;

/** Rules of WCAG 2.2 AA, and those that axe-core calls best practices. */
const rules = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];

/** What axe-core, which the page has, has against it as it is now. */
async function violations(page: Page, runOnly: readonly string[]): Promise<string[]> {
  const found = (await page.evaluate(
    `axe.run({ runOnly: ${JSON.stringify(runOnly)} }).then(({ violations }) => violations.map(
      ({ id, nodes }) => id + ": " + nodes.map((its) => its.html.slice(0, 200)).join(" | ")))`,
  )) as string[];
  return found;
}

const wider = "document.documentElement.scrollWidth - document.documentElement.clientWidth";

async function look(page: Page, name: string): Promise<void> {
  const wrong: string[] = [];
  // Our policies allow no script of a test's; the protocol of the browser's own tools runs it all the same.
  if (!(await page.evaluate("typeof axe === 'object'")))
    await page.evaluate(`${axe.source}; undefined`);
  for (const width of [1_152, 1_024, 768]) {
    await page.setViewportSize({ width, height: 900 });
    const more = Number(await page.evaluate(wider));
    if (more > 0) wrong.push(`${name}, ${width} px: ${more} px too wide`);
  }
  for (const scheme of ["light", "dark"] as const) {
    for (const width of [1_440, 360]) {
      await page.setViewportSize({ width, height: width === 360 ? 780 : 900 });
      await page.emulateMedia({ colorScheme: scheme, reducedMotion: "reduce" });
      const at = `${name}, ${scheme}, ${width} px`;
      const more = Number(await page.evaluate(wider));
      if (more > 0) wrong.push(`${at}: ${more} px too wide`);
      // Another scheme has other colours, and the same everything else.
      const runOnly = scheme === "light" ? rules : ["color-contrast"];
      wrong.push(...(await violations(page, runOnly)).map((its) => `${at}: ${its}`));
      await page.screenshot({ path: join(artefacts, `${name}-${scheme}-${width}.png`) });
    }
  }
  expect(wrong).toEqual([]);
}

describeWith(["chromium"])("our pages", () => {
  let browser: Browser;
  let server: PageServer;
  let proxy: TestProxy;
  let quiet: RawServer;
  let main: RawServer;
  let fixed: RawServer;
  beforeAll(async () => {
    mkdirSync(artefacts, { recursive: true });
    browser = await openBrowser({ port: 1 });
    server = await startPageServer();
    busyDay(server);
    quiet = new RawServer();
    const gone = quiet.port;
    quiet.stop();
    main = new RawServer({ answer: () => ok("the main checkout") });
    fixed = new RawServer({ answer: () => ok("the worktree") });
    proxy = await startTestProxy({
      services: {
        docs: { port: 4_000 },
        "a-name-that-is-rather-long": { port: 4_001 },
        gone: { port: gone },
        mail: { port: main.port, label: "" },
        "fix-nav.mail": { port: fixed.port, label: "fix-nav" },
      },
      checkouts: testCheckouts,
      choices: [
        {
          ...{ repository: testRepository, root: "/srv/shop-old", label: "old" },
          ...{ of: "lost", names: ["lost"] },
        },
      ],
      supervised: [
        testSupervised({ state: "starting", pid: undefined, why: "waits for db" }),
        testSupervised({
          id: "shop:web",
          service: "web",
          routeName: "shop",
          state: "failed",
          pid: undefined,
          lastExit: { code: 1, signal: null, time: Date.now(), lastLines: [] },
        }),
      ],
      supervision: {
        wake() {},
        latest: () => [
          "VITE v8.3.8  ready in 412 ms",
          `  at ${"very-long-".repeat(20)}`,
          "listening",
        ],
      },
    });
  }, patience);
  afterAll(async () => {
    await browser?.close();
    main?.stop();
    fixed?.stop();
    await server?.stop();
    await proxy?.stop();
  }, patience);

  async function dashboard(address = ""): Promise<Page> {
    const page = await browser.context.newPage();
    page.setDefaultTimeout(patience / 2);
    await page.goto(server.open());
    await page.getByText("live", { exact: true }).waitFor();
    if (address !== "") await page.goto(`${server.pageUrl}/${address}`);
    return page;
  }

  test(
    "the list of a busy day",
    async () => {
      await using page = await dashboard();
      await page.getByRole("link", { name: "shop:api", exact: true }).waitFor();
      await look(page, "list");
    },
    patience,
  );

  test(
    "a service of a project, with its requests and its output",
    async () => {
      await using page = await dashboard("#/shop%3Aapi");
      await page.getByRole("log").getByText("listening on").first().waitFor();
      await page.getByRole("cell", { name: "/orders" }).first().waitFor();
      await look(page, "detail");
    },
    patience,
  );

  test(
    "a server that somebody has started by hand",
    async () => {
      await using page = await dashboard("#/docs");
      await page.getByText("It goes to where the server was started").waitFor();
      await page.getByRole("heading", { name: "Processes" }).waitFor();
      await look(page, "detail-by-hand");
    },
    patience,
  );

  test(
    "what a search finds",
    async () => {
      await using page = await dashboard();
      await page.keyboard.press("/");
      await page.keyboard.type("orders");
      await page.getByRole("heading", { name: "In output" }).waitFor();
      await look(page, "search");
    },
    patience,
  );

  test(
    "a day on which nothing runs yet, a command that failed, and a daemon that is gone",
    async () => {
      await using empty = await startPageServer();
      await using page = await browser.context.newPage();
      await page.goto(empty.open());
      await page.getByText("http://api.localhost:9091/").waitFor();
      await look(page, "empty");
      empty.supervised.set("shop:api", { state: "stopped", pid: undefined });
      empty.supervised.why = "shop:api cannot be started: bun: command not found";
      await page.getByRole("button", { name: "Start shop:api", exact: true }).click();
      await page.getByRole("alert").waitFor();
      await look(page, "refusal");
      await page.getByRole("button", { name: "Close" }).click();
      await empty.stop();
      await page.getByText("The daemon does not answer").waitFor();
      await look(page, "lost");
    },
    patience,
  );

  test.each([
    ["front", "localhost", "5 servers running"],
    ["unshown", "lost.localhost", "old has no server named lost now"],
    ["missing", "nobody.localhost", "No server is named nobody"],
    ["starting", "api.shop.localhost", "shop:api is starting"],
    ["failed", "shop.localhost", "shop:web has failed"],
    ["unanswered", "gone.localhost", "gone did not answer"],
  ])(
    "the page %s of the proxy",
    async (name, host, heading) => {
      await using page = await browser.context.newPage();
      await page.goto(`http://${host}:${proxy.port}/`);
      await page.getByRole("heading", { name: heading }).waitFor();
      await look(page, name);
    },
    patience,
  );

  test(
    "a browser chooses a worktree for one name, and no page of another name can",
    async () => {
      await using page = await browser.context.newPage();
      page.setDefaultTimeout(patience / 2);
      const origin = `http://mail.localhost:${proxy.port}`;
      const change = `${origin}/.localhostess/use?worktree=fix-nav`;
      const shows = async (): Promise<string> => {
        await page.goto(`${origin}/`);
        return (await page.textContent("body")) ?? "";
      };
      expect(await shows()).toBe("the main checkout");
      // An image, and a link that is followed.
      await page.goto(`http://docs.localhost:${proxy.port}/`);
      await page.evaluate(`new Promise((done) => {
        const image = new Image();
        image.onerror = image.onload = done;
        image.src = ${JSON.stringify(change)};
      })`);
      expect(await shows()).toBe("the main checkout");
      await page.goto(`http://docs.localhost:${proxy.port}/`);
      await page.evaluate(`location.href = ${JSON.stringify(change)}`);
      await page.getByRole("alert").getByText("Nothing is changed yet").waitFor();
      await look(page, "choice");
      await page.getByRole("button", { name: "Show fix-nav" }).click();
      await page.getByText("the worktree").waitFor();
      expect(page.url()).toBe(`${origin}/`);
      const [cookie] = await browser.context.cookies(origin);
      expect(cookie).toMatchObject({
        ...{ name: "localhostess-use", value: "fix-nav", domain: "mail.localhost" },
        ...{ httpOnly: true, expires: -1 },
      });
      expect(await page.evaluate("document.cookie")).toBe("");
      // An address that is typed.
      await page.goto(`${origin}/.localhostess/use?worktree=--&to=/inbox`);
      expect(page.url()).toBe(`${origin}/inbox`);
      expect(await page.textContent("body")).toBe("the main checkout");
    },
    patience,
  );
});
