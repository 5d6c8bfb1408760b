import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { readdirSync, readFileSync, rmSync, truncateSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { eventually } from "../support/eventually.ts";
import { session } from "../cli/cli.ts";
import { openBrowser } from "../support/browser.ts";
import { type ProjectPlace, projectPlace } from "../support/project-place.ts";

describe("sites", () => {
  let place: ProjectPlace;
  beforeAll(async () => {
    place = await projectPlace();
  }, 60_000);
  afterAll(async () => {
    await place[Symbol.asyncDispose]();
  }, 60_000);

  async function portOf(): Promise<number> {
    return (await place.daemon.running()).port;
  }

  async function get(name: string, path: string, headers: Record<string, string> = {}) {
    return await fetch(`http://127.0.0.1:${await portOf()}${path}`, {
      headers: { host: `${name}.localhost`, ...headers },
      redirect: "manual",
    });
  }

  async function textOf(name: string, path: string): Promise<string> {
    const its = await get(name, path);
    return `${its.status} ${await its.text()}`;
  }

  test("a folder is served under its name over HTTP/1.1, HTTP/2 and TLS, and its address is given to others", async () => {
    const directory = await place.project(
      "plain",
      `[services.docs]
type = "site"
path = "public"

[services.api]
type = "worker"
command = "echo docs at $DOCS; sleep 60"
env = { DOCS = "\${services.docs.url}" }
`,
    );
    await mkdir(join(directory, "public"));
    await writeFile(join(directory, "public/a.txt"), "0123456789");
    await place.up(directory);
    const row = await place.until("plain:docs", ({ status }) => status === "running");
    expect(row).toMatchObject({ state: "ready" });
    const answer = await get("docs.plain", "/a.txt", { range: "bytes=2-4" });
    expect([answer.status, await answer.text()]).toEqual([206, "234"]);
    const tag = (await get("docs.plain", "/a.txt")).headers.get("etag")!;
    expect((await get("docs.plain", "/a.txt", { "if-none-match": tag })).status).toBe(304);
    const port = await portOf();
    for (const [scheme, option, version] of [
      ["http", "--http2-prior-knowledge", "2"],
      ["https", "--http2", "2"],
      ["https", "--http1.1", "1.1"],
    ]) {
      const url = `${scheme}://docs.plain.localhost:${port}/a.txt`;
      const format = "%{http_version} %{http_code} ";
      const words = ["-sk", option!, "--range", "0-3", "-w", format, "--noproxy", "*", url];
      const { stdout } = Bun.spawnSync(["curl", "--resolve", `*:${port}:127.0.0.1`, ...words]);
      expect(stdout.toString()).toBe(`0123${version} 206 `);
    }
    await eventually("the worker prints the address", async () =>
      (await place.logs("plain:api")).includes(`docs at http://docs.plain.localhost:${port}`),
    );
    await place.send({ Stop: { project_path: directory } });
    await eventually(
      "it is stopped",
      async () => (await get("docs.plain", "/a.txt")).status === 503,
    );
    expect(siteSockets()).toEqual([]);
  }, 60_000);

  /** Sockets at which the daemon answers for sites. */
  function siteSockets(): string[] {
    return readdirSync(join(place.daemon.directory, "notify")).filter((its) => /\.s\w+$/.test(its));
  }

  test("it is built before it is ready and when what it watches changes; a build that fails is told", async () => {
    const directory = await place.project(
      "built",
      `[services.docs]
type = "site"
path = "dist"
build = "cat src/page && mkdir -p dist && cp src/page dist/index.html && echo done >> dist/log"
watch = ["src", "dist"]
`,
    );
    await place.up(directory);
    const failed = await place.until("built:docs", ({ state }) => state === "failed");
    expect(failed.why).toBe("its build ended with exit code 1");
    expect((await place.logs("built:docs")).join("\n")).toContain("src/page");
    expect((await get("docs.built", "/")).status).toBe(503);
    await mkdir(join(directory, "src"));
    await writeFile(join(directory, "src/page"), "one");
    await place.until("built:docs", ({ state }) => state === "ready");
    expect(await textOf("docs.built", "/")).toBe("200 one");
    await writeFile(join(directory, "src/page"), "two");
    await eventually("the new page is there", async () =>
      (await textOf("docs.built", "/")).includes("two"),
    );
    await place.until("built:docs", ({ state }) => state === "ready");
    rmSync(join(directory, "src/page"));
    const stale = await place.until("built:docs", ({ state }) => state === "unready");
    expect(stale.why).toBe(
      "its build ended with exit code 1; the files of an earlier one are served",
    );
    expect(await textOf("docs.built", "/")).toBe("200 two");
    // Once for each page: what a build writes is no reason for another.
    expect(await textOf("docs.built", "/log")).toBe("200 done\ndone\n");
  }, 60_000);

  test("a download goes on while the daemon is replaced, and a killed daemon's site is served by the next, without a warning", async () => {
    const directory = await place.project(
      "kept",
      `[services.docs]
type = "site"
path = "."
build = "echo built >> builds"
lazy = true

[services.still]
type = "site"
path = "."
`,
    );
    await writeFile(join(directory, "big"), "");
    truncateSync(join(directory, "big"), 100_000_000);
    await place.up(directory);
    expect(await place.row("kept:docs")).toMatchObject({ state: "stopped" });
    const waking = await get("docs.kept", "/big");
    expect(waking.status).toBe(200);
    const reader = waking.body!.getReader();
    let length = (await reader.read()).value!.length;
    const restarted = await place.daemon.run("server", "restart");
    expect(restarted.code).toBe(0);
    expect(await textOf("docs.kept", "/builds")).toBe("200 built\n");
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      length += value.length;
    }
    expect(length).toBe(100_000_000);
    for (const pid of place.daemon.pids()) process.kill(pid, "SIGKILL");
    await eventually("daemons end", () => place.daemon.pids().length === 0);
    await place.daemon.start();
    // The shell that is lost is that of programs, and this one has none.
    const still = await place.until("kept:still", ({ state }) => state === "ready");
    expect(still.warnings).toEqual([]);
    await place.up(directory);
    expect((await get("docs.kept", "/builds")).status).toBe(200);
  }, 60_000);

  test("a build under way ends with all that it has started: by the daemon after a killed one, and by stop", async () => {
    const seconds = `9000.${process.pid}`;
    const directory = await place.project(
      "slow",
      `[services.docs]\ntype = "site"\npath = "."\nbuild = "sleep ${seconds} & exec sleep ${seconds}"\n`,
    );
    const builds = (): number[] =>
      readdirSync("/proc").flatMap((name) => {
        try {
          const words = readFileSync(`/proc/${name}/cmdline`, "latin1");
          return words === `sleep\0${seconds}\0` ? [Number(name)] : [];
        } catch {
          // No process, or one that has ended.
          return [];
        }
      });
    const upping = place.up(directory).catch(() => []);
    await eventually("it builds", () => builds().length === 2);
    const before = builds();
    for (const pid of place.daemon.pids()) process.kill(pid, "SIGKILL");
    await upping;
    await eventually("daemons end", () => place.daemon.pids().length === 0);
    await place.daemon.start();
    // The one before may have died before it wrote down that it is wanted.
    const again = place.up(directory).catch(() => []);
    await eventually("the next one builds", () => {
      const now = builds();
      return now.length === 2 && !now.some((pid) => before.includes(pid));
    });
    await eventually("it is stopped", async () => {
      // The second `up` may be heard behind the first of these, and starts it then.
      await place.send({ Stop: { project_path: directory } });
      return builds().length === 0;
    });
    await again;
    expect(await place.row("slow:docs")).toMatchObject({ state: "stopped" });
  }, 60_000);

  test("serve gives a folder without a file its name until Ctrl-C, and refuses a name that is taken", async () => {
    const folder = join(place.daemon.directory, "bundle");
    await mkdir(folder);
    await writeFile(join(folder, "a.txt"), "from serve");
    const { env } = place.daemon;
    await using serving = session(["serve", "bundle"], { env, cwd: place.daemon.directory });
    await serving.until((output) => output.includes("Ctrl-C ends it"));
    expect(serving.output()).toContain(`http://bundle.localhost:${await portOf()}`);
    await eventually("its name leads to it", async () =>
      (await textOf("bundle", "/a.txt")).endsWith("from serve"),
    );
    const direct = /http:\/\/localhost:(\d+)/.exec(serving.output())![1]!;
    const rebound = await fetch(`http://127.0.0.1:${direct}/a.txt`, {
      headers: { host: "evil.test" },
    });
    expect(rebound.status).toBe(421);
    const second = await place.daemon.run("serve", folder);
    expect([second.code, second.err]).toEqual([
      1,
      expect.stringContaining("choose another: localhostess serve"),
    ]);
    const declined = await place.daemon.run("serve", "/");
    expect([declined.code, declined.err]).toEqual([1, expect.stringContaining("add --yes")]);
    serving.signal("SIGINT");
    expect(await serving.ended()).toBe(0);
  }, 60_000);

  test("Chromium loads an open page again, and changes a style sheet without that", async () => {
    const directory = await place.project(
      "live",
      '[services.docs]\ntype = "site"\npath = "www"\nreload = true\n',
    );
    const pageOf = (title: string): string =>
      `<!doctype html><head><meta http-equiv="Content-Security-Policy" content="default-src 'self' 'unsafe-eval'"><link rel="stylesheet" href="/a.css"><title>${title}</title><body>x`;
    await mkdir(join(directory, "www"));
    await writeFile(join(directory, "www/index.html"), pageOf("one"));
    await writeFile(join(directory, "www/a.css"), "body { color: rgb(1, 1, 1) }");
    await place.up(directory);
    const browser = await openBrowser({ port: await portOf() });
    try {
      const page = await browser.context.newPage();
      const listens = page.waitForRequest((request) =>
        request.url().endsWith("/.localhostess/reload"),
      );
      await page.goto(`http://docs.live.localhost:${await portOf()}/`);
      await listens;
      await page.evaluate("window.kept = true");
      await writeFile(join(directory, "www/a.css"), "body { color: rgb(2, 2, 2) }");
      await page.waitForFunction("getComputedStyle(document.body).color === 'rgb(2, 2, 2)'");
      expect(await page.evaluate("window.kept")).toBe(true);
      await writeFile(join(directory, "www/index.html"), pageOf("two"));
      await page.waitForFunction("document.title === 'two'");
      expect(await page.evaluate("window.kept")).toBeUndefined();
      // After the daemon is another one, the page listens to that.
      const again = page.waitForResponse((its) => its.url().endsWith("/.localhostess/reload"));
      await place.daemon.run("server", "restart");
      expect((await again).status()).toBe(200);
      await page.waitForFunction("document.readyState === 'complete'");
      await writeFile(join(directory, "www/index.html"), pageOf("three"));
      await page.waitForFunction("document.title === 'three'");
    } finally {
      await browser.close();
    }
  }, 90_000);
});
