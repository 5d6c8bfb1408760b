/** What a real browser lets other pages do to the daemon: those of allowed origins, and everybody else's. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import type { Page } from "playwright-core";
import { layers } from "../../src/control/http/gate.ts";
import { type Browser, openBrowser } from "../support/browser.ts";
import { eventually } from "../support/eventually.ts";
import { startTestProxy, type TestProxy } from "../support/test-proxy.ts";
import { describeWith } from "../support/with-programs.ts";
import { credential, madeService, type PageServer, startPageServer } from "./page-server.ts";

/** A browser on a busy machine. */
const patience = 120_000;

/** A page of somebody else's, and where else it can be had; it plants cookies when it is asked to. */
function strangerPages() {
  const server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    fetch(request) {
      const fields = new Headers({ "Content-Type": "text/html" });
      const cookie = new URL(request.url).searchParams.get("cookie");
      if (cookie !== null) fields.append("Set-Cookie", cookie);
      seen.push(request.headers.get("cookie") ?? "");
      referrers.push(request.headers.get("referer") ?? "");
      return new Response("<!doctype html><title>stranger</title><body></body>", {
        headers: fields,
      });
    },
  });
  const seen: string[] = [];
  const referrers: string[] = [];
  return { port: server.port!, seen, referrers, stop: () => server.stop(true) };
}

describeWith(["chromium"])("a real browser", () => {
  let browser: Browser;
  let strangers: ReturnType<typeof strangerPages>;
  let proxy: TestProxy;
  beforeAll(async () => {
    strangers = strangerPages();
    proxy = await startTestProxy({ services: { evil: { port: strangers.port } } });
    browser = await openBrowser({
      port: proxy.port,
      // A name whose owner has it lead to this machine: DNS rebinding.
      more: ["--host-resolver-rules=MAP rebound.test 127.0.0.1"],
    });
  }, patience);
  afterAll(async () => {
    await browser.close();
    await proxy.stop();
    strangers.stop();
  });

  async function pageAt(url: string): Promise<Page> {
    const page = await browser.context.newPage();
    page.setDefaultTimeout(10_000);
    await page.goto(url);
    return page;
  }

  /** In the page. Both sides speak JSON, so that a test reads what the page's script would. */
  async function inPage<T>(page: Page, script: string): Promise<T> {
    return (await page.evaluate(`(async () => { ${script} })()`)) as T;
  }

  describe("on a page of an allowed origin", () => {
    let server: PageServer;
    let page: Page;
    beforeAll(async () => {
      server = await startPageServer({ allowedOrigins: [`http://127.0.0.1:${strangers.port}`] });
      server.add(madeService("api"));
      page = await pageAt(`http://127.0.0.1:${strangers.port}/`);
    }, patience);
    afterAll(() => server.stop());

    const ask = (path: string, more = "") =>
      `const answer = await fetch("${server.url}${path}", { headers: { Authorization: "Bearer ${credential}" }, ${more} });
       return { status: answer.status, body: await answer.json() };`;

    test("a preflighted request with the credential passes", async () => {
      const read = await inPage<{ status: number; body: { name: string }[] }>(
        page,
        ask("/v1/services"),
      );
      expect(read.status).toBe(200);
      expect(read.body.map(({ name }) => name)).toEqual(["api"]);
      const posted = await inPage<{ status: number; body: { url: string } }>(
        page,
        ask("/v1/dashboard", `method: "POST", body: "{}"`).replace(
          "headers: {",
          `headers: { "Content-Type": "application/json",`,
        ),
      );
      expect(posted.status).toBe(200);
      expect(posted.body.url).toStartWith(`${server.url}/open?token=`);
    });

    test("another origin is blocked by CORS with the same request, right credential and all", async () => {
      const other = await pageAt(`http://evil.localhost:${proxy.port}/`);
      for (const path of ["/v1/services", "/v1/handshake"]) {
        await expect(inPage(other, ask(path))).rejects.toThrow(/Failed to fetch/);
      }
      await other.close();
    });

    test("an event stream by query token delivers events in order, and goes on after it was let go", async () => {
      await inPage(
        page,
        `globalThis.got = []; globalThis.attach = (last) => {
           globalThis.source = new EventSource("${server.url}/v1/events?token=${credential}" + (last ? "&last_event_id=" + last : ""));
           for (const type of ["hello", "reset", "service", "request"])
             globalThis.source.addEventListener(type, (event) =>
               globalThis.got.push([event.type, event.lastEventId, JSON.parse(event.data)]));
         }; globalThis.attach();`,
      );
      const count = (wanted: number) =>
        page.waitForFunction(
          (least) => (globalThis as never as { got: unknown[] }).got.length >= least,
          wanted,
        );
      await count(1);
      for (let at = 0; at < 5; at++) server.request("api", { line: `GET /${at}` });
      await count(6);
      const last = await inPage<string>(
        page,
        "globalThis.source.close(); return globalThis.got.at(-1)[1];",
      );
      // Nobody listens to these.
      for (let at = 5; at < 8; at++) server.request("api", { line: `GET /${at}` });
      await inPage(page, `globalThis.attach(${JSON.stringify(last)});`);
      await count(9);
      server.request("api", { line: "GET /8" });
      await count(10);
      const got = await inPage<[string, string, { target: string }][]>(
        page,
        "return globalThis.got",
      );
      expect(got[0]![0]).toBe("hello");
      expect(got.slice(1).map(([type, , { target }]) => [type, target])).toEqual(
        Array.from({ length: 9 }, (_, at) => ["request", `/${at}`]),
      );
      const numbers = got.map(([, id]) => Number.parseInt(id, 10));
      expect(numbers).toEqual([...numbers].sort((a, b) => a - b));
      await inPage(page, "globalThis.source.close();");
    });

    test("the query token is refused everywhere else", async () => {
      for (const [method, path] of [
        ["GET", "/v1/services"],
        ["POST", "/v1/dashboard"],
        ["POST", "/v1/shutdown"],
        ["POST", "/v1/events"],
      ]) {
        const status = await inPage<number>(
          page,
          `return (await fetch("${server.url}${path}?token=${credential}", { method: "${method}" })).status;`,
        );
        expect(status).toBe(401);
      }
    });
  });

  /** Every way by which a page can make its browser ask somebody else. */
  const attempts = (to: string) => `
    const to = ${JSON.stringify(to)};
    const read = [];
    const within = (promise) => Promise.race([promise, new Promise((done) => setTimeout(done, 1500))]);
    const attempt = async (name, act) => {
      try { const got = await within(act()); if (got) read.push(name + ": " + String(got).slice(0, 100)); } catch {}
    };
    const element = (tag, fields) => new Promise((done) => {
      const its = Object.assign(document.createElement(tag), fields);
      its.onload = () => done("loaded"); its.onerror = () => done("");
      document.body.append(its);
    });
    const paths = ["/", "/page.js", "/v1/handshake", "/v1/services", "/v1/events", "/v1/daemon"];
    for (const path of paths) {
      await attempt("fetch " + path, async () => (await fetch(to + path)).text());
      await attempt("with cookies " + path, async () => (await fetch(to + path, { credentials: "include" })).text());
      await attempt("no-cors " + path, async () => (await fetch(to + path, { mode: "no-cors", credentials: "include" })).text());
    }
    for (const type of ["application/json", "text/plain", "application/x-www-form-urlencoded"])
      for (const path of ["/v1/shutdown", "/v1/dashboard"])
        await attempt("post " + type + path, async () => (await fetch(to + path, { method: "POST", mode: type[12] === "j" ? "cors" : "no-cors", credentials: "include", headers: { "Content-Type": type }, body: "{}" })).text());
    await attempt("beacon", async () => { navigator.sendBeacon(to + "/v1/shutdown", new Blob(["{}"], { type: "text/plain" })); });
    await attempt("image", () => element("img", { src: to + "/icon.svg" }));
    await attempt("script", () => element("script", { src: to + "/page.js" }));
    await attempt("module", () => element("script", { type: "module", src: to + "/page.js" }));
    await attempt("style", () => element("link", { rel: "stylesheet", href: to + "/page.css" }));
    await attempt("frame", async () => {
      const frame = document.createElement("iframe");
      frame.src = to + "/"; document.body.append(frame);
      await new Promise((done) => { frame.onload = done; setTimeout(done, 1000); });
      return frame.contentDocument?.getElementById("app") ? "framed" : "";
    });
    await attempt("form", async () => {
      const form = Object.assign(document.createElement("form"), { method: "POST", action: to + "/v1/shutdown", target: "sink", enctype: "text/plain" });
      const sink = Object.assign(document.createElement("iframe"), { name: "sink" });
      form.append(Object.assign(document.createElement("input"), { name: "{}", value: "" }));
      document.body.append(sink, form); form.submit();
      await new Promise((done) => setTimeout(done, 300));
      return sink.contentDocument?.body?.innerText;
    });
    await attempt("socket", () => new Promise((done) => {
      const socket = new WebSocket(to.replace("http", "ws") + "/v1/events");
      socket.onopen = () => done("open"); socket.onerror = () => done("");
    }));
    for (const withCredentials of [false, true])
      await attempt("events " + withCredentials, () => new Promise((done) => {
        const source = new EventSource(to + "/v1/events", { withCredentials });
        source.onopen = () => { source.close(); done("open"); }; source.onerror = () => { source.close(); done(""); };
      }));
    return read;`;

  describe("with a session of our page", () => {
    const places = {
      "an app behind our own proxy": () => `http://evil.localhost:${proxy.port}/`,
      "another port of the same address": () => `http://127.0.0.1:${strangers.port}/`,
      "localhost by another port": () => `http://localhost:${strangers.port}/`,
      "another port of the page's own host, where the cookie goes too": (server: PageServer) =>
        `http://${new URL(server.pageUrl).hostname}:${strangers.port}/`,
    };

    async function attack(
      from: (server: PageServer) => string,
      server: PageServer,
    ): Promise<{ read: string[]; admitted: number }> {
      const own = await pageAt(server.open());
      await own.getByText("live", { exact: true }).waitFor();
      await own.close();
      const stranger = await pageAt(from(server));
      const before = server.admitted;
      const read = [
        ...(await inPage<string[]>(stranger, attempts(server.url))),
        ...(await inPage<string[]>(stranger, attempts(server.pageUrl))),
      ];
      await stranger.close();
      return { read, admitted: server.admitted - before };
    }

    for (const [title, from] of Object.entries(places)) {
      test(
        `${title}: reads nothing, and no command of it runs`,
        async () => {
          await using server = await startPageServer();
          server.add(madeService("api"));
          expect(await attack(from, server)).toEqual({ read: [], admitted: 0 });
        },
        patience,
      );
    }

    test(
      "the twin: without the look at who asks, the cookie alone runs commands",
      async () => {
        await using server = await startPageServer({ layers: { ...layers, samePage: () => true } });
        const { admitted } = await attack(
          places["another port of the page's own host, where the cookie goes too"],
          server,
        );
        expect(admitted).toBeGreaterThan(0);
      },
      patience,
    );

    test(
      "cookies that an app plants for all of localhost, or for our address, let nobody in",
      async () => {
        await using server = await startPageServer();
        await browser.context.clearCookies();
        for (const cookie of [
          "localhostess_session=planted; Domain=localhost; Path=/",
          "localhostess_session=planted; Path=/",
          `localhostess_session=${Date.now() + 1_000_000}.${"0".repeat(32)}.${"0".repeat(64)}; Path=/`,
        ]) {
          for (const host of [`evil.localhost:${proxy.port}`, `127.0.0.1:${strangers.port}`]) {
            const page = await pageAt(`http://${host}/?cookie=${encodeURIComponent(cookie)}`);
            for (const own of [server.url, server.pageUrl]) {
              const answer = await page.goto(`${own}/`);
              expect(answer!.status()).toBe(401);
            }
            await page.close();
          }
        }
        expect(server.admitted).toBe(0);
        // Nor do they keep the person out.
        const page = await pageAt(server.open());
        await page.getByText("live", { exact: true }).waitFor();
        await page.close();
      },
      patience,
    );

    test(
      "our session does not go to apps by their names",
      async () => {
        await using server = await startPageServer();
        await browser.context.clearCookies();
        const own = await pageAt(server.open());
        await own.close();
        strangers.seen.length = 0;
        const app = await pageAt(`http://evil.localhost:${proxy.port}/`);
        await app.close();
        expect(strangers.seen.join()).not.toContain("localhostess_session");
      },
      patience,
    );

    test(
      "our session does not go to other servers of 127.0.0.1 or localhost, and these do not learn the page's host",
      async () => {
        await using server = await startPageServer();
        await browser.context.clearCookies();
        const own = await pageAt(server.open());
        await own.getByText("live", { exact: true }).waitFor();
        const host = new URL(server.pageUrl).host;
        expect(new URL(own.url()).host).toBe(host);
        strangers.seen.length = 0;
        for (const at of ["127.0.0.1", "localhost", "[::1]"]) {
          await own.goto(`http://${at}:${strangers.port}/`).catch(() => {});
        }
        await own.close();
        expect(strangers.seen.length).toBeGreaterThan(1);
        expect(strangers.seen.join()).not.toContain("localhostess_session");
        expect(strangers.referrers.join()).not.toContain(host);
      },
      patience,
    );

    test(
      "a server of somebody else that had the page's port while there was no daemon, and was loaded by an open page, has nothing of a page that is opened later",
      async () => {
        const before = await startPageServer();
        await browser.context.clearCookies();
        const left = await pageAt(before.open());
        await left.getByText("live", { exact: true }).waitFor();
        const { port } = before;
        await before.stop();
        const heard: string[] = [];
        const worker = `
          addEventListener("install", () => skipWaiting());
          addEventListener("activate", (event) => event.waitUntil(clients.claim()));
          addEventListener("fetch", (event) => {
            if (event.request.mode === "navigate") event.respondWith(new Response("taken over"));
          });`;
        await eventually("the port is free", async () => {
          const found = await fetch(`http://127.0.0.1:${port}/`).catch(() => undefined);
          return found === undefined;
        });
        const impostor = Bun.serve({
          hostname: "127.0.0.1",
          port,
          fetch(request) {
            const { pathname } = new URL(request.url);
            heard.push(request.headers.get("cookie") ?? "");
            return pathname === "/worker.js"
              ? new Response(worker, { headers: { "Content-Type": "text/javascript" } })
              : new Response("<h1>Sign in again</h1>", {
                  headers: { "Content-Type": "text/html" },
                });
          },
        });
        try {
          await left.reload();
          await left.evaluate(`navigator.serviceWorker.register("/worker.js")`);
          await left.waitForFunction("navigator.serviceWorker.controller !== null");
        } finally {
          await impostor.stop(true);
        }
        // So far it goes: the cookie is a session of the owner's processes, on that host.
        expect(heard.join()).toContain("localhostess_session=");
        await using server = await startPageServer({ port });
        const page = await pageAt(server.open());
        await page.getByText("live", { exact: true }).waitFor();
        expect(await page.evaluate("navigator.serviceWorker.controller")).toBeNull();
        await page.close();
        await left.close();
      },
      patience,
    );

    test(
      "by 0.0.0.0, or a name that was rebound to us, there is nobody",
      async () => {
        await using server = await startPageServer();
        for (const host of ["0.0.0.0", "rebound.test", "api.localhost"]) {
          const page = await browser.context.newPage();
          for (const path of ["/", "/v1/handshake", "/open?token=x"]) {
            const answer = await page
              .goto(`http://${host}:${server.port}${path}`)
              .catch(() => undefined);
            // Some browsers do not even ask 0.0.0.0.
            expect([421, undefined]).toContain(answer?.status());
          }
          // As its own origin it may read whatever it gets.
          const read = await inPage<number[]>(
            page,
            `return Promise.all(["/v1/services", "/page.js"].map(async (path) => (await fetch(path).catch(() => ({ status: 421 }))).status));`,
          ).catch(() => [421, 421]);
          expect(read).toEqual([421, 421]);
          await page.close();
        }
        expect(server.admitted).toBe(0);
      },
      patience,
    );

    test(
      "the twin: without the look at Host, a rebound name is spoken to",
      async () => {
        await using server = await startPageServer({ layers: { ...layers, host: () => true } });
        const page = await browser.context.newPage();
        const answer = await page.goto(`http://rebound.test:${server.port}/v1/handshake`);
        expect(answer!.status()).toBe(401);
        await page.close();
      },
      patience,
    );
  });
});
