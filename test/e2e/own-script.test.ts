/**
 * An app's own scripts in a real Chromium, on the origin of a server that is stopped: what a person is shown
 * there, they do not read.
 */
import { afterAll, beforeAll, expect, test } from "bun:test";
import type { Page } from "playwright-core";
import { type Browser, openBrowser } from "../support/browser.ts";
import { eventually } from "../support/eventually.ts";
import { startTestProxy, type TestProxy, testSupervised } from "../support/test-proxy.ts";
import { describeWith } from "../support/with-programs.ts";

const patience = 120_000;
const line = "a line of its log";

/** Passes navigations on and reads what comes: by itself, or loaded ahead by the browser. */
const worker = `
const heard = [];
self.addEventListener("install", () => self.skipWaiting());
self.addEventListener("activate", (event) => event.waitUntil((async () => {
  await self.registration.navigationPreload.enable();
  await self.clients.claim();
})()));
self.addEventListener("fetch", (event) => {
  const { pathname } = new URL(event.request.url);
  if (pathname !== "/passed-on" && pathname !== "/loaded-ahead") return;
  event.respondWith((async () => {
    const ahead = await event.preloadResponse;
    const response = pathname === "/passed-on" ? await fetch(event.request) : ahead;
    heard.push(await response.clone().text());
    return response;
  })());
});
self.addEventListener("message", (event) => event.source.postMessage(heard));
`;

/** In the page: by each way that a script has, what it reads of its own origin. */
const readings = `(async () => {
  const read = {};
  for (const accept of ["application/json", "text/html", "*/*"]) {
    for (const mode of ["cors", "same-origin", "no-cors"]) {
      const response = await fetch("/", { mode, headers: { accept, "user-agent": "curl/8" } });
      read["fetch " + mode + " " + accept] = response.status + " " + (await response.text());
    }
  }
  read.xhr = await new Promise((resolve) => {
    const request = new XMLHttpRequest();
    request.onloadend = () => resolve(request.status + " " + request.responseText);
    request.open("GET", "/");
    request.setRequestHeader("Accept", "text/html");
    request.send();
  });
  const contentOf = (document) => {
    try {
      return String(document()?.documentElement.textContent);
    } catch (error) {
      return error.name;
    }
  };
  for (const name of ["iframe", "object", "embed"]) {
    const element = document.createElement(name);
    const loaded = new Promise((resolve) => {
      element.onload = resolve;
      element.onerror = resolve;
    });
    element[name === "object" ? "data" : "src"] = "/";
    element.type = "text/html";
    document.body.append(element);
    await loaded;
    read[name] = contentOf(() => element.contentDocument ?? element.getSVGDocument?.());
  }
  return read;
})()`;

describeWith(["chromium"])("in Chromium", () => {
  let browser: Browser;
  let app: ReturnType<typeof Bun.serve>;
  let proxy: TestProxy;
  let origin: string;
  /** Requests that asked for the service to be started. */
  let woken = 0;
  const named = testSupervised();
  const stop = () => proxy.setSupervised([{ ...named, state: "stopped", pid: undefined }]);
  const start = () => proxy.setSupervised([{ ...named, port: app.port! }]);

  beforeAll(async () => {
    app = Bun.serve({
      hostname: "127.0.0.1",
      port: 0,
      fetch: (request) =>
        new URL(request.url).pathname === "/worker.js"
          ? new Response(worker, { headers: { "Content-Type": "text/javascript" } })
          : new Response("<h1>The app</h1>", { headers: { "Content-Type": "text/html" } }),
    });
    proxy = await startTestProxy({
      tlds: ["test"],
      supervision: {
        wake() {
          woken += 1;
        },
        latest: () => [line],
      },
    });
    origin = `http://api.shop.localhost:${proxy.port}`;
    start();
    browser = await openBrowser({ port: proxy.port });
  }, 2 * patience);

  afterAll(async () => {
    await browser?.close();
    await proxy?.stop();
    await app?.stop(true);
  }, patience);

  async function openApp(): Promise<Page> {
    start();
    const page = await browser.context.newPage();
    page.setDefaultTimeout(patience / 2);
    await page.goto(`${origin}/`);
    await page.getByRole("heading", { name: "The app" }).waitFor();
    return page;
  }

  test(
    "no script of an app reads a line of its server's log, by fetch, in a frame or through a window that it opened",
    async () => {
      await using page = await openApp();
      stop();
      const read = (await page.evaluate(readings)) as Record<string, string>;
      expect(Object.keys(read)).toHaveLength(13);
      for (const [way, text] of Object.entries(read)) {
        expect(`${way}: ${text}`).not.toContain(line);
        if (/^(fetch|xhr)/.test(way)) expect(text).toStartWith("503 ");
      }
      // The person sees it in the window, and the one who opened that does not.
      await page.evaluate(`globalThis.opened = window.open("/"); undefined`);
      const [, popup] = await waitForPages(browser, 2);
      await popup!.getByText(line).waitFor();
      const seen = await page.evaluate(`(() => {
        try {
          return opened.document.body.textContent;
        } catch (error) {
          return error.name;
        }
      })()`);
      expect(seen).toBe("SecurityError");
      await popup!.close();
    },
    patience,
  );

  test(
    "nor does its service worker, from a navigation that it passes on or that was loaded ahead for it",
    async () => {
      await using page = await openApp();
      await page.evaluate(`navigator.serviceWorker.register("/worker.js")`);
      await page.waitForFunction("navigator.serviceWorker.controller !== null");
      stop();
      for (const path of ["/passed-on", "/loaded-ahead"]) {
        await using tab = await browser.context.newPage();
        const response = await tab.goto(`${origin}${path}`);
        expect(response!.fromServiceWorker()).toBe(true);
      }
      const heard = await page.evaluate(`new Promise((resolve) => {
        navigator.serviceWorker.onmessage = (event) => resolve(event.data);
        navigator.serviceWorker.controller.postMessage("");
      })`);
      expect(heard).toHaveLength(2);
      for (const text of heard as string[]) {
        expect(text).toContain("shop:api is stopped");
        expect(text).not.toContain(line);
      }
      // A page that asks for it itself sometimes waits for ever, in Chromium.
      const session = await browser.context.newCDPSession(page);
      const its = { origin, storageTypes: "service_workers" };
      await session.send("Storage.clearDataForOrigin", its);
    },
    patience,
  );

  test(
    "at a URL that browsers take for insecure, where they do not say what a request is for, nobody is shown a line",
    async () => {
      start();
      await using page = await browser.context.newPage();
      page.setDefaultTimeout(patience / 2);
      await page.goto("http://api.shop.test/");
      await page.getByRole("heading", { name: "The app" }).waitFor();
      stop();
      for (const [way, text] of Object.entries(
        (await page.evaluate(readings)) as Record<string, string>,
      )) {
        expect(`${way}: ${text}`).not.toContain(line);
      }
      await page.reload();
      await page.getByText("localhostess logs shop:api").waitFor();
      expect(await page.content()).not.toContain(line);
      start();
      await page.getByRole("heading", { name: "The app" }).waitFor();
    },
    patience,
  );

  test(
    "what a stranger's page fetches ahead by speculation rules wakes nothing, and going there does",
    async () => {
      const stranger = Bun.serve({
        hostname: "127.0.0.1",
        port: 0,
        fetch: () =>
          new Response(
            `<meta name="referrer" content="no-referrer"><a href="${origin}/there">there</a>`,
            { headers: { "Content-Type": "text/html" } },
          ),
      });
      try {
        await using page = await browser.context.newPage();
        const session = await browser.context.newCDPSession(page);
        await session.send("Preload.enable");
        const refused = new Promise<void>((resolve) => {
          session.on("Preload.prefetchStatusUpdated", ({ status }) => {
            if (status === "Failure") resolve();
          });
        });
        proxy.setSupervised([{ ...named, state: "stopped", pid: undefined, lazy: true }]);
        await page.goto(`http://127.0.0.1:${stranger.port}/`);
        woken = 0;
        await page.evaluate(`{
          const rules = document.createElement("script");
          rules.type = "speculationrules";
          const list = [{ source: "list", urls: ["${origin}/there"], eagerness: "immediate" }];
          rules.textContent = JSON.stringify({ prefetch: list });
          document.head.append(rules);
        }`);
        await refused;
        expect(woken).toBe(0);
        await page.getByRole("link", { name: "there" }).click({ noWaitAfter: true });
        await eventually("the service is woken", () => woken > 0);
        start();
        await page.getByRole("heading", { name: "The app" }).waitFor();
      } finally {
        await stranger.stop(true);
      }
    },
    patience,
  );

  test(
    "a page is loaded again by the event and by nothing else, stays as it is until then, and needs no script",
    async () => {
      stop();
      await using tab = await browser.context.newPage();
      tab.setDefaultTimeout(patience / 2);
      const loads: string[] = [];
      tab.on("request", (request) => loads.push(request.resourceType()));
      await tab.goto(`${origin}/there#part`);
      await eventually("it asks", () => proxy.proxy.waiting === 1);
      expect(loads).toEqual(["document", "fetch"]);
      // A person who reads it is not sent to its beginning.
      await tab.evaluate("globalThis.sameDocument = true");
      proxy.setSupervised([{ ...named, state: "starting", pid: undefined }]);
      await tab.getByRole("heading", { name: "is starting" }).waitFor();
      expect(await tab.getByRole("status").textContent()).toContain("as soon as it is ready");
      await eventually("it asks again", () => proxy.proxy.waiting === 1);
      expect(loads).toEqual(["document", "fetch", "document", "fetch"]);
      start();
      await tab.getByRole("heading", { name: "The app" }).waitFor();
      expect(tab.url()).toBe(`${origin}/there#part`);

      stop();
      await using still = await browser.context.newPage();
      const session = await browser.context.newCDPSession(still);
      await session.send("Emulation.setScriptExecutionDisabled", { value: true });
      await still.goto(`${origin}/there`);
      expect(proxy.proxy.waiting).toBe(0);
      start();
      await still.getByRole("link", { name: "Load it again" }).click();
      await still.getByRole("heading", { name: "The app" }).waitFor();
    },
    patience,
  );

  test(
    "a tab shows the lines, in an origin of nobody's, and then the app by itself",
    async () => {
      stop();
      await using tab = await browser.context.newPage();
      const refused: string[] = [];
      tab.on("console", (message) => refused.push(message.text()));
      await tab.goto(`${origin}/there`);
      await tab.getByText(line).waitFor();
      expect(await tab.evaluate("self.origin")).toBe("null");
      start();
      await tab.getByRole("heading", { name: "The app" }).waitFor();
      expect(await tab.evaluate("self.origin")).toBe(origin);
      expect(tab.url()).toBe(`${origin}/there`);
      expect(refused.filter((text) => /sandbox|policy/i.test(text))).toEqual([]);
    },
    patience,
  );

  test(
    "on the front page a person opens a link, here and in another tab, and downloads the PAC file",
    async () => {
      proxy.setServices({ other: { port: app.port! } });
      await using tab = await browser.context.newPage();
      tab.setDefaultTimeout(patience / 2);
      await tab.goto(`http://localhost:${proxy.port}/`);
      const link = tab.getByRole("link", { name: "other", exact: true });
      const [another] = await Promise.all([
        browser.context.waitForEvent("page"),
        link.click({ modifiers: ["Control"] }),
      ]);
      await another.getByRole("heading", { name: "The app" }).waitFor();
      expect(await another.evaluate("self.origin")).toBe(`http://other.localhost:${proxy.port}`);
      await another.close();
      const [download] = await Promise.all([
        tab.waitForEvent("download"),
        tab.locator('a[href="/proxy.pac"]').click(),
      ]);
      expect(download.url()).toEndWith("/proxy.pac");
      await link.click();
      await tab.getByRole("heading", { name: "The app" }).waitFor();
    },
    patience,
  );
});

/** The newest of them, once there are as many besides the browser's first. */
async function waitForPages({ context }: Browser, count: number): Promise<Page[]> {
  while (context.pages().length < count + 1) await context.waitForEvent("page");
  return context.pages().slice(-count);
}
