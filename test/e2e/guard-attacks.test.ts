/**
 * Attacks of a page on servers of developers that succeeded in the field, each on a server with the same hole, in real
 * browsers: the guard refuses them, and without it each one works.
 */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { join } from "node:path";
import { browserKinds, showInBrowser } from "../support/bare-browser.ts";
import { eventually } from "../support/eventually.ts";
import { startTestProxy, type TestProxy } from "../support/test-proxy.ts";
import { describeWith } from "../support/with-programs.ts";

/** Milliseconds: a browser on a busy machine. */
const patience = 60_000;

const labels = ["guarded", "open"] as const;

const holes = [
  // Vite before 6.0.9 (CVE-2025-24010) asked no WebSocket where it came from.
  "hot updates",
  // webpack-dev-server before 5.2.1 (CVE-2025-30359): a bundle runs in any page that has it as its script.
  "bundle",
  // esbuild before 0.25 (GHSA-67mh-4wv8-2f99) let every origin read what it serves.
  "served sources",
  // Jupyter without a token: a kernel's WebSocket runs what it is told.
  "notebook",
  // Debuggers before they looked at Host (Node before 8.11, CVE-2018-7160).
  "debugger",
  // Ollama and its kind: a POST that needs no preflight changes what is installed.
  "model",
] as const;

let proxy: TestProxy;
/** By browser, and then `<label> <hole>`. */
const stolen = new Map<string, Record<string, string>>();
/** The names by which a model was asked for, by browser. */
const pulled = new Set<string>();

const words: Record<string, (said: string) => string> = {
  "/vite": () => '{"type":"update","path":"/secret.ts"}',
  "/jupyter": (said) => `ran ${said} as you`,
  "/debugger": (said) => `evaluated ${said}`,
};

/** All six servers; each has its path. */
const victim = Bun.serve<{ path: string }>({
  hostname: "127.0.0.1",
  port: 0,
  fetch(request, server) {
    const { pathname, hostname } = new URL(request.url);
    if (words[pathname] !== undefined && server.upgrade(request, { data: { path: pathname } })) {
      return undefined;
    }
    if (pathname === "/webpack/main.js") {
      return new Response("globalThis.modules.push(() => 'a secret of the source')", {
        headers: { "Content-Type": "text/javascript" },
      });
    }
    if (pathname === "/esbuild/app.js") {
      return new Response("a secret", { headers: { "Access-Control-Allow-Origin": "*" } });
    }
    if (pathname === "/ollama/api/pull" && request.method === "POST") {
      pulled.add(`${request.headers.get("User-Agent")?.match(/Firefox|Chrom/)?.[0]} ${hostname}`);
      return new Response("{}");
    }
    return new Response("", { status: 404 });
  },
  websocket: {
    // Vite speaks first.
    open(socket) {
      if (socket.data.path === "/vite") socket.send(words["/vite"]!(""));
    },
    message(socket, said) {
      socket.send(words[socket.data.path]!(String(said)));
    },
  },
});

const script = Bun.file(join(import.meta.dir, "fixtures/attacks/page.js"));

/** The server of the page that attacks. */
const attacker = Bun.serve({
  hostname: "127.0.0.1",
  port: 0,
  async fetch(request) {
    const { pathname, searchParams } = new URL(request.url);
    if (pathname === "/page.js") return new Response(script);
    if (pathname === "/report") {
      stolen.set(searchParams.get("browser")!, (await request.json()) as Record<string, string>);
      return new Response("thanks");
    }
    const targets = Object.fromEntries(
      labels.map((label) => [label, `http://${label}.localhost:${proxy.port}`]),
    );
    const facts = JSON.stringify({ targets, longest: 5_000 });
    const text = `<!doctype html><title>a page</title><link rel="icon" href="data:,"><body>
<script>globalThis.facts = ${facts};</script><script type="module" src="/page.js"></script>`;
    return new Response(text, { headers: { "Content-Type": "text/html" } });
  },
});

beforeAll(async () => {
  proxy = await startTestProxy({
    services: { guarded: { port: victim.port! }, open: { port: victim.port! } },
    configured: { all: {}, byName: new Map([["open", { guard: "off" }]]) },
  });
});

afterAll(async () => {
  await proxy?.stop();
  await Promise.all([victim.stop(true), attacker.stop(true)]);
});

for (const browser of browserKinds) {
  describeWith([browser])(`in ${browser}, a page of another site`, () => {
    beforeAll(async () => {
      await using _shown = await showInBrowser(browser, {
        url: `http://evil.example:${attacker.port}/?browser=${browser}`,
        names: ["evil.example"],
      });
      await eventually("the page has reported", () => stolen.has(browser), patience);
    }, 2 * patience);

    const engine = browser === "firefox" ? "Firefox" : "Chrom";

    test.each(holes)("has nothing of: %s; and would without the guard", (hole) => {
      const had = (label: (typeof labels)[number]): boolean => {
        if (hole === "model") return pulled.has(`${engine} ${label}.localhost`);
        return stolen.get(browser)![`${label} ${hole}`] !== "";
      };
      expect({ guarded: had("guarded"), open: had("open") }).toEqual({
        guarded: false,
        open: true,
      });
    });
  });
}
