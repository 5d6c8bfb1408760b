/** The same servers in a real Chromium: by subdomain, and by bare name through the PAC file. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Page } from "playwright-core";
import { type Browser, openBrowser } from "../support/browser.ts";
import { lacking } from "../support/debian.ts";
import { type Program, startProgram } from "../support/program.ts";
import {
  edit,
  messageModule,
  type NamedServer,
  neededBy,
  type ServerKind,
  serverKinds,
  startServer,
  startServers,
  uniqueName,
} from "../support/servers.ts";
import { describeWith } from "../support/with-programs.ts";

const kinds = serverKinds.filter((kind) => lacking(neededBy[kind]) === "");
/** A browser on a busy machine with two cores. */
const patience = 120_000;

const addresses = {
  "its subdomain": (name: string) => `http://${name}.localhost:${program.port}/`,
  "its bare name": (name: string) => `http://${name}/`,
};
const roads = Object.keys(addresses) as (keyof typeof addresses)[];

let program: Program;

describeWith(["chromium"])("in Chromium", () => {
  let browser: Browser;
  let page: Page;
  const servers = new Map<ServerKind, NamedServer>();

  beforeAll(async () => {
    program = await startProgram();
    const [started, opened] = await Promise.allSettled([
      startServers(kinds),
      openBrowser({ port: program.port }),
    ]);
    if (started.status === "fulfilled") {
      kinds.forEach((kind, at) => {
        servers.set(kind, started.value[at]!);
      });
    }
    if (opened.status === "fulfilled") browser = opened.value;
    for (const outcome of [started, opened]) {
      if (outcome.status === "rejected") throw outcome.reason;
    }
    page = await browser.context.newPage();
    page.setDefaultTimeout(patience / 2);
  }, 2 * patience);

  afterAll(async () => {
    await browser?.close();
    await Promise.all([...servers.values()].map((server) => server.end()));
    await program?.stop();
  }, patience);

  for (const road of roads) {
    test.each(kinds)(
      `%s is shown at ${road}`,
      async (kind) => {
        const { name, text } = servers.get(kind)!;
        const address = addresses[road](name);
        const response = await page.goto(address);
        expect(response!.status()).toBe(200);
        await page.getByRole("heading", { name: text, exact: true }).waitFor();
        expect(page.url()).toBe(address);
      },
      patience,
    );

    test.skipIf(!kinds.includes("vite"))(
      `an edit changes the page of Vite at ${road} without loading it again`,
      async () => {
        // Its own: Vite may overlook an edit that follows another at once.
        await using vite = await startServer("vite");
        await using tab = await browser.context.newPage();
        tab.setDefaultTimeout(patience / 2);
        const said: string[] = [];
        const sockets: string[] = [];
        tab.on("console", (message) => said.push(message.text()));
        tab.on("websocket", (socket) => sockets.push(socket.url()));
        const connected = tab.waitForEvent("console", (message) =>
          message.text().includes("[vite] connected."),
        );
        await Promise.all([connected, tab.goto(addresses[road](vite.name))]);
        await tab.getByRole("heading", { name: vite.text, exact: true }).waitFor();
        expect(await tab.evaluate(headingColor)).toBe("rgb(0, 0, 128)");
        await tab.evaluate("globalThis.sameDocument = true");

        await edit(vite, { file: "message.js", text: messageModule(`by ${road}`) });
        await tab.getByRole("heading", { name: `by ${road}`, exact: true }).waitFor();
        await edit(vite, { file: "style.css", text: "h1 { color: rgb(128, 0, 0); }\n" });
        await tab.waitForFunction(`${headingColor} === "rgb(128, 0, 0)"`);

        expect(await tab.evaluate("globalThis.sameDocument")).toBe(true);
        // A client that cannot reach its own page's host goes to Vite's port directly, and says so.
        const saidByVite = said.filter((text) => text.startsWith("[vite]")).join("\n");
        expect(saidByVite).not.toMatch(/fallback|fail|error/i);
        expect(sockets).toHaveLength(1);
        expect(new URL(sockets[0]!).host).toBe(new URL(tab.url()).host);
      },
      patience,
    );
  }

  test(
    "the front page lists the servers, and each link leads to one",
    async () => {
      for (const [, { name, text }] of servers) {
        await page.goto(`http://localhost:${program.port}/`);
        await page.getByRole("link", { name, exact: true }).click();
        await page.getByRole("heading", { name: text, exact: true }).waitFor();
        expect(page.url()).toBe(addresses["its subdomain"](name));
      }
    },
    patience,
  );

  describe("the front page", () => {
    /** Where a person wants to look at them: LOCALHOSTESS_TEST_SCREENSHOTS=<dir>. */
    const kept = process.env.LOCALHOSTESS_TEST_SCREENSHOTS;
    let folder: string;

    beforeAll(async () => {
      folder = kept ?? (await mkdtemp(join(tmpdir(), "localhostess-screenshots-")));
    });

    afterAll(async () => {
      if (kept === undefined) await rm(folder, { recursive: true, force: true });
    });

    const backgrounds = new Map<string, string>();

    test.each([
      [360, "light"],
      [360, "dark"],
      [1440, "light"],
      [1440, "dark"],
    ] as const)(
      "fits a window %i pixels wide, %s",
      async (width, colorScheme) => {
        await page.setViewportSize({ width, height: 900 });
        await page.emulateMedia({ colorScheme });
        await page.goto(`http://localhost:${program.port}/`);
        await page.screenshot({
          path: join(folder, `front-${width}-${colorScheme}.png`),
          fullPage: true,
        });
        expect(await page.evaluate("document.documentElement.scrollWidth")).toBe(width);
        backgrounds.set(
          colorScheme,
          await page.evaluate("getComputedStyle(document.body).backgroundColor"),
        );
      },
      patience,
    );

    test("is not the same in the dark", () => {
      expect(backgrounds.get("dark")).not.toBe(backgrounds.get("light"));
    });
  });

  test(
    "a name that nobody has gets a page that shows the server as soon as it listens",
    async () => {
      const name = uniqueName("late");
      const address = addresses["its subdomain"](name);
      // The page before could reload itself at the same moment, and its answer would be taken for this one.
      await page.goto("about:blank");
      const response = (await page.goto(address)) ?? (await page.reload());
      expect(response!.status()).toBe(404);
      await page.getByRole("heading", { name: `No server is named ${name}` }).waitFor();
      await using server = await startServer("bun", name);
      await page.getByRole("heading", { name: server.text, exact: true }).waitFor();
      expect(page.url()).toBe(address);
    },
    patience,
  );

  test(
    "a bare name that nobody has is not answered by us",
    async () => {
      const failure = await page.goto(`http://${uniqueName("nobody")}/`).catch((error) => error);
      expect(String(failure)).toContain("net::ERR_");
    },
    patience,
  );
});

const headingColor = 'getComputedStyle(document.querySelector("h1")).color';
