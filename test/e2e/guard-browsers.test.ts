/**
 * The cross-site guard in real browsers: pages of others and of ours ask servers in every way that a page has. Each way
 * also asks a name without a guard, which shows that the browser lets it through. At the end, the browser opens a page
 * of Vite, by two names, and an edit has to reach it.
 */
import { afterAll, beforeAll, expect, test } from "bun:test";
import {
  type AskKind,
  askingPage,
  askKinds,
  opening,
  askingScripts,
} from "../support/asking-page.ts";
import { type BrowserKind, browserKinds, showInBrowser } from "../support/bare-browser.ts";
import { eventually } from "../support/eventually.ts";
import { edit, type NamedServer, neededBy, startServer } from "../support/servers.ts";
import { startTestProxy, type TestProxy } from "../support/test-proxy.ts";
import { describeWith } from "../support/with-programs.ts";

/** Milliseconds: a browser on a busy machine. */
const patience = 60_000;

/** Whose page asks. */
const pages = ["another site", "a service by name", "localhost"] as const;

type PageKind = (typeof pages)[number];

/** The names that pages ask: with the guard as it is, at a URL of which browsers say less, and without a guard. */
const labels = ["guarded", "bare", "open"] as const;

type Label = (typeof labels)[number];

/** From a page of another site. */
const navigations: readonly AskKind[] = ["link", "redirect", "form-get", "form-post-allowed"];

/** Requests that may change something, or read what is said for ever. */
const unsafe: readonly AskKind[] = [
  "form-post",
  "fetch-post",
  "fetch-json",
  "beacon",
  "websocket",
  "opaque-post",
];

/**
 * Requests that do not say whose page it is that asks: its origin is nobody's, it wants no Referer sent, or its script
 * is a `blob:`, for which Chromium sends none.
 */
const anonymous: Record<BrowserKind, readonly AskKind[]> = {
  chromium: ["fetch-no-referrer", "worker", "opaque-post", "opaque-get"],
  firefox: ["fetch-no-referrer", "opaque-post", "opaque-get"],
};

type Asked = { page: PageKind; label: Label; browser: BrowserKind };

function passes(kind: AskKind, { page, label, browser }: Asked): boolean {
  if (label === "open") return true;
  if (page !== "another site" && !anonymous[browser].includes(kind)) return true;
  // Of http://api/, browsers say nothing but Origin, and that only of what may change something.
  return label === "bare" ? !unsafe.includes(kind) : navigations.includes(kind);
}

let proxy: TestProxy;
/** `<run> <label> <kind>` of all that has reached the server. */
const reached = new Set<string>();
/** Browsers that have been through all pages. */
const reports = new Set<string>();

/** The server that is asked. It grants everything, so that the guard alone decides. */
const asked = Bun.serve<undefined>({
  hostname: "127.0.0.1",
  port: 0,
  async fetch(request, server) {
    const { pathname, searchParams } = new URL(request.url);
    if (request.method === "OPTIONS") return new Response(null, { headers: granted(request) });
    const kind = pathname === "/auth/callback" ? "form-post-allowed" : pathname.slice(1);
    reached.add(`${searchParams.get("to")} ${kind}`);
    if (server.upgrade(request)) return undefined;
    const type = types[kind] ?? "text/plain";
    return new Response(kind === "eventsource" ? "data: 1\n\n" : "", {
      headers: { "Content-Type": type, ...granted(request) },
    });
  },
  websocket: { message() {} },
});

const types: Record<string, string> = {
  eventsource: "text/event-stream",
  script: "text/javascript",
  worker: "text/javascript",
  style: "text/css",
  frame: "text/html",
  embed: "text/html",
};

function granted(request: Request): Record<string, string> {
  return {
    "Access-Control-Allow-Origin": request.headers.get("Origin") ?? "*",
    "Access-Control-Allow-Credentials": "true",
    "Access-Control-Allow-Methods": "PUT",
    "Access-Control-Allow-Headers": "Content-Type",
  };
}

/** The server of the pages that ask. */
const asking = Bun.serve({
  hostname: "127.0.0.1",
  port: 0,
  async fetch(request) {
    const { pathname, searchParams } = new URL(request.url);
    const go = searchParams.get("go");
    if (go !== null) return Response.redirect(go, 302);
    const script = askingScripts.get(pathname);
    if (script !== undefined) return new Response(script);
    if (pathname === "/report") {
      const { run } = Object.fromEntries(searchParams);
      if (run?.endsWith(`-${lastRun - 1}`)) reports.add(run.split("-")[0]!);
      return new Response("thanks");
    }
    if (pathname === "/hot") {
      updates.add(searchParams.get("said")!);
      return new Response("thanks");
    }
    const [browser, at] = searchParams.get("run")!.split("-");
    const bases: Record<Label, string> = {
      guarded: `http://api.localhost:${proxy.port}`,
      bare: "http://api",
      open: `http://open.localhost:${proxy.port}`,
    };
    const page = Number(at) % pages.length;
    const targets = Object.fromEntries(
      labels.map((label) => [`${browser}-${page}:${label}`, bases[label]]),
    );
    const kinds = askKinds.filter((kind) => opening.includes(kind) === Number(at) >= pages.length);
    const next = Number(at) + 1;
    const provider = `${origins["another site"]()}/`;
    const options = {
      targets,
      kinds,
      provider,
      next: next < lastRun ? startOf(browser!, next) : viteAddress(browser!, "localhost"),
    };
    return new Response(askingPage(options), { headers: { "Content-Type": "text/html" } });
  },
});

/** `<browser> <name> loaded`, and `updated` once an edit has come without another load. */
const updates = new Set<string>();

function viteAddress(browser: string, name: "localhost" | "bare"): string {
  const base = name === "bare" ? "http://vite" : `http://vite.localhost:${proxy.port}`;
  return `${base}/?run=${encodeURIComponent(`${browser} ${name}`)}`;
}

/** Tells of its load, and of its update, after which it goes on to the other name. */
function tellingModule(message: string): string {
  return `export const message = ${JSON.stringify(message)};
const run = new URLSearchParams(location.search).get("run");
const how = globalThis.seen ? "updated" : "loaded";
globalThis.seen = true;
const told = fetch("http://localhost:${asking.port}/hot?said=" + encodeURIComponent(run + " " + how), { mode: "no-cors" });
if (how === "updated" && run.endsWith("localhost")) {
  const [browser] = run.split(" ");
  told.then(() => (location.href = "${viteAddress("B", "bare")}".replace("run=B", "run=" + browser)));
}
`;
}

/** Each page comes twice: with what it asks by itself, and with the windows that it opens. */
const lastRun = 2 * pages.length;

function startOf(browser: string, at: number): string {
  return `${origins[pages[at % pages.length]!]()}/?run=${browser}-${at}`;
}

let vite: NamedServer;

beforeAll(async () => {
  vite = await startServer("vite");
  proxy = await startTestProxy({
    services: {
      vite: { port: vite.port },
      api: { port: asked.port! },
      open: { port: asked.port! },
      app: { port: asking.port! },
    },
    configured: {
      all: {},
      byName: new Map([
        ["api", { allowPosts: ["/auth/callback"] }],
        ["open", { guard: "off" }],
      ]),
    },
  });
  await edit(vite, { file: "message.js", text: tellingModule("first") });
});

afterAll(async () => {
  await Promise.all([proxy?.stop(), vite?.end()]);
  await Promise.all([asked.stop(true), asking.stop(true)]);
});

const origins: Record<PageKind, () => string> = {
  "another site": () => `http://evil.example:${asking.port}`,
  "a service by name": () => `http://app.localhost:${proxy.port}`,
  localhost: () => `http://localhost:${asking.port}`,
};

/** Requests that a browser makes when it finds time, or never. */
const unsure: Record<BrowserKind, readonly AskKind[]> = { chromium: [], firefox: ["prefetch"] };

for (const browser of browserKinds) {
  describeWith([browser, ...neededBy.vite])(`in ${browser}, the guard lets pass`, () => {
    let shown: AsyncDisposable | undefined;
    const kinds = askKinds.filter((kind) => !unsure[browser].includes(kind));

    beforeAll(async () => {
      const text = await (await fetch(`http://127.0.0.1:${proxy.port}/proxy.pac`)).text();
      shown = await showInBrowser(browser, {
        url: startOf(browser, 0),
        names: ["evil.example"],
        secure: [`http://evil.example:${asking.port}`],
        pac: `data:application/x-ns-proxy-autoconfig;base64,${btoa(text)}`,
      });
    });

    afterAll(async () => {
      await shown?.[Symbol.asyncDispose]();
    });

    test.each(pages)(
      "what a page of %s asks, as far as it may",
      async (page) => {
        const run = `${browser}-${pages.indexOf(page)}`;
        await eventually("the last page has reported", () => reports.has(browser), patience);
        const arrived = (label: Label) =>
          kinds.filter((kind) => reached.has(`${run}:${label} ${kind}`));
        const expected = (label: Label) =>
          kinds.filter((kind) => passes(kind, { page, label, browser }));
        const complete = () => labels.every((label) => isSuperset(arrived(label), expected(label)));
        // Windows are slow to open. If something never arrives, the difference below says what.
        const end = performance.now() + 15_000;
        await eventually("all has arrived", () => complete() || performance.now() > end);
        expect({
          guarded: arrived("guarded"),
          bare: arrived("bare"),
          open: arrived("open"),
        }).toEqual({
          guarded: expected("guarded"),
          bare: expected("bare"),
          open: expected("open"),
        });
      },
      2 * patience,
    );

    test.each(["localhost", "bare"])(
      "the updates of Vite's page at a %s name",
      async (name) => {
        const said = (how: string) => updates.has(`${browser} ${name} ${how}`);
        await eventually("the page has loaded", () => said("loaded"), patience);
        let next = 0;
        await eventually("it is updated in place", async () => {
          // Vite overlooks some edits, and its page may not listen yet.
          if (performance.now() > next) {
            next = performance.now() + 1_000;
            await edit(vite, { file: "message.js", text: tellingModule(`edit at ${next}`) });
          }
          return said("updated");
        });
      },
      2 * patience,
    );
  });
}

function isSuperset(all: readonly AskKind[], some: readonly AskKind[]): boolean {
  return some.every((kind) => all.includes(kind));
}
