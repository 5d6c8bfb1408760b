/** The page of docs/api.md, served from another origin to a real browser, let in by the command. */
import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { cli } from "../cli/cli.ts";
import { openBrowser } from "../support/browser.ts";
import { daemonPlace } from "../support/daemon-place.ts";
import { startServer } from "../support/servers.ts";
import { describeWith } from "../support/with-programs.ts";

/** Milliseconds: a browser, and a daemon that is replaced, on a busy machine. */
const patience = 30_000;

const documented = /```html\n(<script[\s\S]*?<\/script>)\n```/;
const [, script] = documented.exec(
  readFileSync(join(import.meta.dir, "../../docs/api.md"), "utf8"),
)!;

/** What the page writes to its console is kept, as text. */
const page = `<!doctype html><title>a page of one's own</title><script>
  globalThis.said = [];
  console.log = (value) => said.push(JSON.stringify(value));
  addEventListener("error", ({ message }) => said.push(message));
  addEventListener("unhandledrejection", ({ reason }) => said.push(String(reason)));
</script>${script}`;

function pageServer(requests: string[]) {
  return Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    fetch(request) {
      requests.push(request.url);
      return new Response(page, { headers: { "Content-Type": "text/html" } });
    },
  });
}

describeWith(["chromium"])("a page of another origin", () => {
  test("exchanges its token, lists services, follows events, and goes on after a restart; another page gets nothing", async () => {
    await using place = await daemonPlace();
    const requests: string[] = [];
    const [own, other] = [pageServer(requests), pageServer([])];
    const origin = `http://127.0.0.1:${own.port}`;
    const config = join(place.directory, "config.toml");
    const env = { ...place.env, LOCALHOSTESS_CONFIG: config };
    const run = (...args: string[]) => cli(args, { env });
    const linkTo = async (url: string): Promise<string> => {
      const { code, out, err } = await run("connect", url, "--print");
      expect({ code, err }).toMatchObject({ code: 0 });
      return out.trim();
    };
    try {
      await writeFile(config, "allowed_origins = []\n");
      expect(await run("server", "start", "--detach", "--port", "0")).toMatchObject({ code: 0 });
      const refused = await run("connect", `${origin}/`);
      expect(refused).toMatchObject({ code: 1, out: "" });
      expect(refused.err).toContain(`add to ${config}: allowed_origins`);
      await writeFile(config, `allowed_origins = ["${origin}"]\n`);
      const early = await run("connect", `${origin}/`, "--print");
      expect(early).toMatchObject({ code: 1, out: "" });
      expect(early.err).toContain(
        "the daemon was started before; run: localhostess server restart",
      );
      expect(await run("server", "restart")).toMatchObject({ code: 0 });

      const found = await place.find();
      if (found.kind !== "healthy") throw new Error(found.kind);
      const browser = await openBrowser({ port: found.registration.port });
      try {
        const first = await startServer("bun");
        const tab = await browser.context.newPage();
        tab.setDefaultTimeout(patience);
        const said = (text: string) =>
          tab.waitForFunction(
            (wanted) =>
              (globalThis as unknown as { said: string[] }).said.some((its) =>
                its.includes(wanted),
              ),
            text,
          );
        const link = await linkTo(`${origin}/app?x=1`);
        await tab.goto(link);
        await said(`"name":"${first.name}"`);
        expect(tab.url()).toBe(`${origin}/app?x=1`);
        expect(requests.join()).not.toContain("token");
        await first.end();
        await said('"change":"gone"');

        expect(await run("server", "restart")).toMatchObject({ code: 0 });
        const second = await startServer("bun");
        await said(`"name":"${second.name}"`);
        await second.end();

        // The same link in another window, and a fresh token in a page that it is not for.
        const again = await browser.context.newPage();
        await again.goto(link);
        await again.waitForFunction(() =>
          (globalThis as unknown as { said: string[] }).said
            .join()
            .includes("the link was used before"),
        );
        const { hash } = new URL(await linkTo(`${origin}/`));
        const stranger = await browser.context.newPage();
        await stranger.goto(`http://127.0.0.1:${other.port}/${hash}`);
        await stranger.waitForFunction(() =>
          (globalThis as unknown as { said: string[] }).said.join().includes("Failed to fetch"),
        );
        await again.goto("about:blank");
        await again.goto(`${origin}/${hash}`);
        await again.waitForFunction(() =>
          (globalThis as unknown as { said: string[] }).said.some((its) => its.startsWith("[")),
        );
      } finally {
        await browser.close();
      }
    } finally {
      own.stop(true);
      other.stop(true);
    }
  }, 180_000);
});
