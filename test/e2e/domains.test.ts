/** Names under a configured domain, and a bare name by https, in a real Chromium that has our PAC file. */
import { expect, test } from "bun:test";
import { session } from "../cli/cli.ts";
import { temporarySystem } from "../cli/temporary-system.ts";
import { openBrowser } from "../support/browser.ts";
import { edit, messageModule, neededBy, startServer } from "../support/servers.ts";
import { describeWith } from "../support/with-programs.ts";

describeWith(["chromium", "certutil", ...neededBy.vite])("names in Chromium", () => {
  test("a Vite page under .test is trusted and updated in place; https under the bare name is explained", async () => {
    await using system = await temporarySystem();
    await using vite = await startServer("vite");
    await using proxy = session(["server", "start", "--port", "0", "--tld", "test"], {
      env: system.env,
      terminal: false,
    });
    const said = await proxy.until((text) => text.includes(`+ ${vite.name}`));
    const port = Number(said.match(/localhost:(\d+)\/proxy\.pac/)![1]);
    expect((await system.run(["trust"])).code).toBe(0);

    const browser = await openBrowser({ port, home: system.home });
    try {
      for (const [index, scheme] of ["http", "https"].entries()) {
        const page = await browser.context.newPage();
        const connected = page.waitForEvent("console", (message) =>
          message.text().includes("[vite] connected."),
        );
        await Promise.all([connected, page.goto(`${scheme}://${vite.name}.test/`)]);
        await page.evaluate("globalThis.sameDocument = true");
        await edit(vite, { file: "message.js", text: messageModule(`update ${index}`) });
        await page.getByRole("heading", { name: `update ${index}`, exact: true }).waitFor();
        expect(await page.evaluate("globalThis.sameDocument")).toBe(true);
        await page.close();
      }

      const page = await browser.context.newPage();
      await expect(page.goto(`https://${vite.name}/`)).rejects.toThrow(
        /ERR_CERT_COMMON_NAME_INVALID/,
      );
      // What the browser itself says then names the name that works.
      const shown = await page.locator("body").textContent();
      expect(shown).toContain(`${vite.name}.localhost`);
      await page.locator("#details-button").click();
      await page.locator("#proceed-link").click();
      await page.getByRole("link", { name: `https://${vite.name}.localhost:${port}/` }).waitFor();
      expect(await page.locator("body").textContent()).toContain("localhostess trust --bare-names");
      await page.getByRole("link", { name: `https://${vite.name}.localhost:${port}/` }).click();
      await page.getByRole("heading", { name: "update 1", exact: true }).waitFor();
    } finally {
      await browser.close();
    }
    proxy.signal("SIGTERM");
    await proxy.ended();
  }, 120_000);
});
