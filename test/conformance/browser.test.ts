/** The conformance list of the local daemon, point 5: the perimeter, from a real browser against a real daemon. */
import { expect, test } from "bun:test";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { readCredential } from "../../src/control/found/credential.ts";
import { cli } from "../cli/cli.ts";
import { openBrowser } from "../support/browser.ts";
import { daemonPlace } from "../support/daemon-place.ts";
import { startServer } from "../support/servers.ts";
import { describeWith } from "../support/with-programs.ts";

/** A page that somebody serves; its scripts are the test's. */
function pageServer() {
  return Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    fetch: () =>
      new Response("<!doctype html><title>x</title>", { headers: { "Content-Type": "text/html" } }),
  });
}

describeWith(["chromium"])("in a real browser", () => {
  test("5. perimeter: an allowed origin passes, another is blocked by CORS, a stream by query token is ordered and resumed, and that token changes nothing", async () => {
    await using place = await daemonPlace();
    const [allowed, other] = [pageServer(), pageServer()];
    const config = join(place.directory, "config.toml");
    await writeFile(config, `allowed_origins = ["http://127.0.0.1:${allowed.port}"]\n`);
    const env = { ...place.env, LOCALHOSTESS_CONFIG: config };
    const started = await cli(["server", "start", "--detach", "--port", "0"], { env });
    expect(started).toMatchObject({ code: 0 });
    const found = await place.find();
    if (found.kind !== "healthy") throw new Error(found.kind);
    const { url } = found.registration;
    const credential = readCredential(place.directory);
    if (credential.kind !== "credential") throw new Error(credential.kind);
    const token = credential.value;
    const browser = await openBrowser({ port: found.registration.port });
    try {
      const page = await browser.context.newPage();
      await page.goto(`http://127.0.0.1:${allowed.port}/`);
      const stranger = await browser.context.newPage();
      await stranger.goto(`http://127.0.0.1:${other.port}/`);
      const ask = (path: string, method = "GET") => `(async () => {
        const answer = await fetch("${url}${path}", {
          method: "${method}",
          headers: { Authorization: "Bearer ${token}", "Content-Type": "application/json" },
          ${method === "GET" ? "" : 'body: "{}",'}
        });
        return { status: answer.status, body: await answer.json() };
      })()`;

      expect(await page.evaluate(ask("/v1/handshake"))).toMatchObject({
        status: 200,
        body: { id: found.registration.id },
      });
      expect(await page.evaluate(ask("/v1/dashboard", "POST"))).toMatchObject({ status: 200 });
      for (const [path, method] of [
        ["/v1/handshake", "GET"],
        ["/v1/dashboard", "POST"],
      ]) {
        await expect(stranger.evaluate(ask(path!, method))).rejects.toThrow(/Failed to fetch/);
      }

      await page.evaluate(`globalThis.got = []; globalThis.attach = (last) => {
        globalThis.source = new EventSource("${url}/v1/events?token=${token}" + (last ? "&last_event_id=" + last : ""));
        for (const type of ["hello", "reset", "service"])
          globalThis.source.addEventListener(type, (event) => {
            const { change, service } = JSON.parse(event.data);
            globalThis.got.push({ type, id: event.lastEventId, text: change && change + " " + service.name });
          });
      }; globalThis.attach();`);
      type Got = { type: string; id: string; text?: string };
      const until = (text: string) =>
        page.waitForFunction(
          (wanted) =>
            (globalThis as unknown as { got: Got[] }).got.some((its) => its.text === wanted),
          text,
          { timeout: 10_000 },
        );
      const first = await startServer("bun");
      await until(`appeared ${first.name}`);
      const last = (await page.evaluate(
        "globalThis.source.close(); globalThis.got.at(-1).id",
      )) as string;
      // While nobody listens.
      await first.end();
      const second = await startServer("bun");
      await page.evaluate(`globalThis.attach(${JSON.stringify(last)})`);
      await until(`gone ${first.name}`);
      await until(`appeared ${second.name}`);
      await second.end();
      await until(`gone ${second.name}`);
      const got = (await page.evaluate("globalThis.got")) as Got[];
      expect(got.filter(({ type }) => type !== "service").map(({ type }) => type)).toEqual([
        "hello",
      ]);
      const numbers = got.map(({ id }) => Number.parseInt(id, 10));
      expect(numbers).toEqual([...new Set(numbers)].sort((a, b) => a - b));

      for (const path of ["/v1/shutdown", "/v1/dashboard", "/v1/trust"]) {
        const status = await page.evaluate(
          `fetch("${url}${path}?token=${token}", { method: "POST", headers: { "Content-Type": "application/json" }, body: "{}" }).then((answer) => answer.status)`,
        );
        expect(status).toBe(401);
      }
      expect((await place.find()).kind).toBe("healthy");
    } finally {
      await browser.close();
      allowed.stop(true);
      other.stop(true);
    }
  }, 120_000);
});
