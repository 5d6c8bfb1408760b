/**
 * Pages of many requests in a real Chromium, by http and by https over HTTP/2: 60 scripts of a server with a backlog of
 * 5 that answers one request at a time in 60 ms, and a page that is reloaded with 1,000 requests in flight. By hand:
 * `bun test/soak/busy-pages.ts [rounds]`. Exits 1 where https takes 1.2 times as long as http, or a reload breaks the
 * session.
 */
import { join } from "node:path";
import { openBrowser } from "../support/browser.ts";
import { startProxyProcess } from "../support/proxy-process.ts";
import { ok, RawServer } from "../support/raw-server.ts";
import { running } from "../support/running.ts";

const rounds = Number(process.argv[2] ?? 3);
const scripts = 60;
const answerSeconds = 0.06;
const mostRatio = 1.2;
const requests = 1_000;
const reloads = 5;
const answerMilliseconds = 300;

const busy = new RawServer({
  answer: async ({ target }) => {
    if (target.startsWith("/slow")) {
      await Bun.sleep(answerMilliseconds);
      return ok("slow");
    }
    const ask = `for (let index = 0; index < ${requests}; index++) fetch("/slow/" + index).catch(() => {})`;
    const page = `<!doctype html><title>page</title><script>${ask}; globalThis.asked = true</script>`;
    return ok(page, ["Content-Type: text/html"]);
  },
});
const python = ["python3", join(import.meta.dir, "single-thread.py"), "0", String(answerSeconds)];
const slow = await running(python, { env: {}, ready: /listens on (\d+)/ });
const proxy = await startProxyProcess(
  { slow: Number(slow.said[1]), busy: busy.port },
  { tls: true },
);
const browser = await openBrowser({ port: proxy.port, more: ["--ignore-certificate-errors"] });

/** @returns milliseconds. @throws where a script has not run. */
async function load(scheme: "http" | "https"): Promise<number> {
  const page = await browser.context.newPage();
  const began = performance.now();
  await page.goto(`${scheme}://slow.localhost:${proxy.port}/page`, { timeout: 120_000 });
  const took = performance.now() - began;
  const ran = await page.evaluate("globalThis.scripts");
  if (ran !== scripts) throw new Error(`${ran} scripts have run by ${scheme}`);
  await page.close();
  return took;
}

/** Chromium's own reasons: the page left, or asks for more than it lets a page ask for. */
const own = new Set(["net::ERR_ABORTED", "net::ERR_INSUFFICIENT_RESOURCES"]);

/** @returns why requests failed, other than for reasons of the browser. */
async function reloaded(): Promise<string[]> {
  const page = await browser.context.newPage();
  const failures = new Set<string>();
  page.on("requestfailed", (request) => failures.add(request.failure()!.errorText));
  await page.goto(`https://busy.localhost:${proxy.port}/`, { timeout: 120_000 });
  for (let reload = 0; reload < reloads; reload++) {
    await page.waitForFunction("globalThis.asked === true");
    await page.reload({ timeout: 120_000 });
  }
  await page.close();
  return [...failures].filter((failure) => !own.has(failure));
}

let failed = false;
try {
  await load("http");
  const times: Record<"http" | "https", number[]> = { http: [], https: [] };
  for (let round = 0; round < rounds; round++) {
    for (const scheme of ["http", "https"] as const) times[scheme].push(await load(scheme));
  }
  const best = { http: Math.min(...times.http), https: Math.min(...times.https) };
  const ratio = best.https / best.http;
  const shown = (of: readonly number[]): string => of.map((time) => time.toFixed(0)).join(" ");
  console.log(
    `${scripts} scripts: http ${shown(times.http)} ms, https ${shown(times.https)} ms; ${ratio.toFixed(2)}`,
  );
  const failures = await reloaded();
  console.log(
    `${reloads} reloads with ${requests} requests in flight: ${failures.join() || "fine"}`,
  );
  failed = ratio >= mostRatio || failures.length > 0;
} finally {
  await browser.close();
  await proxy[Symbol.asyncDispose]();
  await slow.end();
  busy.stop();
}
process.exit(failed ? 1 : 0);
