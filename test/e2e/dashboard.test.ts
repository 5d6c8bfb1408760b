/**
 * A person's road through the page of the real daemon, from the command to a request's line; and a daemon replaced
 * meanwhile.
 */
import { expect, test } from "bun:test";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import type { Page } from "playwright-core";
import { cli, daemonInFront } from "../cli/cli.ts";
import { temporarySystem } from "../cli/temporary-system.ts";
import { openBrowser } from "../support/browser.ts";
import { eventually } from "../support/eventually.ts";
import { repository } from "../support/repository.ts";
import { freePort, startServer } from "../support/servers.ts";
import { shop } from "../support/shop.ts";
import { describeWith } from "../support/with-programs.ts";

const artefacts = join(import.meta.dir, "../artefacts");
/** Milliseconds from a server's start, or end, to the page. */
const soon = 2_000;

describeWith(["chromium"])("the daemon's page", () => {
  test("opened by the command, it shows a service within two seconds, leads to it, lists the request, and lets it go", async () => {
    mkdirSync(artefacts, { recursive: true });
    await using system = await temporarySystem();
    await using daemon = await daemonInFront(system.env);
    const said = daemon.output();
    const port = Number(said.match(/localhost:(\d+)\/proxy\.pac/)![1]);
    const browser = await openBrowser({ port });
    try {
      const page = await open(await linkOf(system.env), browser.context);
      const server = await startServer("bun");
      const started = performance.now();
      const name = page.getByRole("link", { name: server.name, exact: true });
      await name.waitFor({ timeout: soon });
      expect(performance.now() - started).toBeLessThan(soon);
      await page.screenshot({ path: join(artefacts, "road-light.png") });

      const [shown] = await Promise.all([
        page.waitForEvent("popup"),
        page.getByRole("link", { name: `Open http://${server.name}.localhost:${port}` }).click(),
      ]);
      await shown.getByText(server.text).waitFor();

      await name.click();
      await page.getByRole("heading", { name: server.name }).waitFor();
      const cells = /GET \/ 200 [\d.]+ m?s [\d.]+ \w+ chrom\S* \d+/;
      const row = page.getByRole("row", { name: cells }).first();
      // Who has called is known only while its connection is there, which a busy machine may look for too late.
      await eventually("a request is shown with its caller", async () => {
        const isShown = await row.waitFor({ timeout: 5_000 }).then(
          () => true,
          () => false,
        );
        if (!isShown) await shown.reload();
        return isShown;
      });
      await shown.close();
      await page.emulateMedia({ colorScheme: "dark" });
      await page.screenshot({ path: join(artefacts, "road-detail-dark.png") });
      await page.setViewportSize({ width: 360, height: 780 });
      await page.screenshot({ path: join(artefacts, "road-detail-narrow.png") });
      await page.setViewportSize({ width: 1_280, height: 800 });

      await page.keyboard.press("Escape");
      await name.waitFor();
      await server.end();
      await name.waitFor({ state: "detached", timeout: soon });
    } finally {
      await browser.close();
    }
    daemon.signal("SIGTERM");
    expect(await daemon.ended()).toBe(0);
  }, 120_000);

  test("services of projects are stopped, started and restarted there, and their output is read", async () => {
    await using its = await shop(
      (text) => `${/\[project\]\nname = .*\n/.exec(text)![0]}
[services.jobs]
type = "worker"
command = "while :; do printf '\\\\033[31mtick\\\\033[0m <b>\\\\n'; sleep 0.2; done"
`,
    );
    expect((await its.run("up")).code).toBe(0);
    const browser = await openBrowser({ port: 1 });
    try {
      const page = await open(await linkOf(its.place.env), browser.context);
      const id = `${its.name}:jobs`;
      const row = page.getByRole("row", { name: new RegExp(`^${id}`) });
      await row.getByText("ready", { exact: true }).waitFor();
      await row.getByRole("button", { name: `Stop ${id}` }).click();
      await row.getByText("stopped", { exact: true }).waitFor();
      expect((await its.row("jobs")).pid).toBeNull();
      await row.getByRole("button", { name: `Start ${id}` }).click();
      await row.getByText("ready", { exact: true }).waitFor();
      const before = (await its.row("jobs")).pid;
      await page.getByRole("link", { name: id, exact: true }).click();
      await page.getByRole("log").getByText("tick <b>").first().waitFor();
      await page.getByText(`localhostess attach ${id}`, { exact: true }).waitFor();
      await page.screenshot({ path: join(artefacts, "project-detail.png") });
      await page.getByRole("button", { name: `Restart ${id}` }).click();
      await eventually("it is another process", async () => {
        const { pid, state } = await its.row("jobs");
        return state === "ready" && pid !== before;
      });
      await page.keyboard.press("Escape");
      await row.waitFor();
      await page.screenshot({ path: join(artefacts, "projects.png") });
      await page.getByRole("button", { name: `Stop all of ${its.name}` }).click();
      await row.getByText("stopped", { exact: true }).waitFor();
      expect((await its.row("jobs")).pid).toBeNull();
      await page.getByRole("button", { name: `Start all of ${its.name}` }).click();
      await row.getByText("ready", { exact: true }).waitFor();
      await page.setViewportSize({ width: 360, height: 780 });
      await page.screenshot({ path: join(artefacts, "projects-narrow.png") });
      const width = await page.evaluate("document.documentElement.scrollWidth");
      expect(width).toBeLessThanOrEqual(360);
    } finally {
      await browser.close();
    }
  }, 120_000);

  test("what waits for up is told there, and its buttons start what was approved", async () => {
    const jobs = (seconds: number) =>
      `\n[services.jobs]\ntype = "worker"\ncommand = "exec sleep ${seconds}"\n`;
    await using its = await shop((text) => /\[project\]\nname = .*\n/.exec(text)![0] + jobs(1000));
    const git = await repository(its.folder);
    await git.commit("Shop");
    expect((await its.run("up")).code).toBe(0);
    const browser = await openBrowser({ port: 1 });
    try {
      const page = await open(await linkOf(its.place.env), browser.context);
      const id = `${its.name}:jobs`;
      const row = page.getByRole("row", { name: new RegExp(`^${id}`) });
      await row.getByText("ready", { exact: true }).waitFor();
      await git.git("checkout", "--quiet", "-b", "feature");
      const path = join(its.folder, "locald.toml");
      await Bun.write(join(its.folder, "else"), "");
      await git.commit("Feature");
      await git.git("checkout", "--quiet", "main");
      await git.git("checkout", "--quiet", "feature");
      // HEAD is another, so it counts as brought, whoever has written it.
      await Bun.write(path, (await Bun.file(path).text()).replace("1000", "1001"));
      const told = page.getByText('jobs (command: "exec sleep 1000" -> "exec sleep 1001")');
      await told.waitFor();
      await page.getByText(`localhostess up ${its.folder}`, { exact: true }).waitFor();
      await row.getByRole("button", { name: `Stop ${id}` }).click();
      await row.getByText("stopped", { exact: true }).waitFor();
      await row.getByRole("button", { name: `Start ${id}` }).click();
      await row.getByText("ready", { exact: true }).waitFor();
      expect(await its.row("jobs")).toMatchObject({
        command: "exec sleep 1000",
        pending: { after: "exec sleep 1001" },
      });
      await page.screenshot({ path: join(artefacts, "waiting.png") });
      expect((await its.run("up")).code).toBe(0);
      await told.waitFor({ state: "detached" });
    } finally {
      await browser.close();
    }
  }, 120_000);

  test("it follows a daemon that is restarted, or killed and started again, without a reload", async () => {
    await using system = await temporarySystem();
    // Each of the daemons has the same port, as the page stays; the usual one may be another program's.
    const env = { ...system.env, LOCALHOSTESS_PORT: String(freePort()) };
    // Started by the command, as there is none.
    const link = await linkOf(env);
    const browser = await openBrowser({ port: 1 });
    try {
      const page = await open(link, browser.context);
      await page.evaluate("globalThis.sameDocument = true");
      const pid = await pidOf(page);
      expect((await cli(["server", "restart"], { env })).code).toBe(0);
      const second = await otherPid(page, pid);
      process.kill(Number(second), "SIGKILL");
      await page.getByText("The daemon does not answer").waitFor();
      expect((await cli(["server", "start", "--detach"], { env })).code).toBe(0);
      await otherPid(page, second);
      await page.getByText("live", { exact: true }).waitFor();
      expect(await page.evaluate("globalThis.sameDocument")).toBe(true);
    } finally {
      await browser.close();
      await cli(["server", "stop"], { env });
    }
  }, 120_000);
});

async function linkOf(env: Record<string, string | undefined>): Promise<string> {
  const printed = await cli(["dashboard", "--print"], { env });
  // Its words are shown where it fails.
  expect(printed.code === 0 ? "" : printed.err).toBe("");
  expect(printed.out).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/open\?token=[0-9a-f]{64}\n$/);
  return printed.out.trim();
}

async function open(link: string, context: { newPage(): Promise<Page> }): Promise<Page> {
  const page = await context.newPage();
  page.setDefaultTimeout(60_000);
  await page.goto(link);
  await page.getByText("live", { exact: true }).waitFor();
  const { port } = new URL(link);
  expect(page.url()).toMatch(new RegExp(`^http://page-[0-9a-f]{48}\\.localhost:${port}/$`));
  return page;
}

/** As the page's foot has it. */
async function pidOf(page: Page): Promise<string> {
  const fact = page.locator("footer div", { hasText: "PID" }).locator("dd");
  return (await fact.textContent()) ?? "";
}

async function otherPid(page: Page, before: string): Promise<string> {
  const fact = page.locator("footer div", { hasText: "PID" }).locator("dd");
  await fact.filter({ hasNotText: new RegExp(`^${before}$`) }).waitFor();
  return (await fact.textContent()) ?? "";
}
