/**
 * https in a real Chromium: trusted by our own command, over HTTP/2, with Vite's updates; and refused after the
 * other command.
 */
import { expect, test } from "bun:test";
import { daemonInFront } from "../cli/cli.ts";
import { temporarySystem } from "../cli/temporary-system.ts";
import { openBrowser } from "../support/browser.ts";
import { edit, messageModule, neededBy, startServer } from "../support/servers.ts";
import { describeWith } from "../support/with-programs.ts";

describeWith(["chromium", "certutil", ...neededBy.vite])("https in Chromium", () => {
  test("a Vite page comes over h2 without a warning, is updated in place, and is refused after untrust", async () => {
    await using system = await temporarySystem();
    await using vite = await startServer("vite");
    await using proxy = await daemonInFront(system.env, `+ ${vite.name}`);
    const said = proxy.output();
    const port = Number(said.match(/localhost:(\d+)\/proxy\.pac/)![1]);
    const address = `https://${vite.name}.localhost:${port}/`;
    expect((await system.run(["trust"])).code).toBe(0);

    const browser = await openBrowser({ port, home: system.home });
    try {
      const page = await browser.context.newPage();
      const connected = page.waitForEvent("console", (message) =>
        message.text().includes("[vite] connected."),
      );
      await Promise.all([connected, page.goto(address)]);
      await page.getByRole("heading", { name: vite.text, exact: true }).waitFor();
      expect(await page.evaluate("isSecureContext")).toBe(true);
      const protocols = await page.evaluate(
        `performance.getEntriesByType("resource").concat(performance.getEntriesByType("navigation")).map((entry) => entry.nextHopProtocol)`,
      );
      expect(new Set(protocols as string[])).toEqual(new Set(["h2"]));

      await page.evaluate("globalThis.sameDocument = true");
      await edit(vite, { file: "message.js", text: messageModule("by https") });
      await page.getByRole("heading", { name: "by https", exact: true }).waitFor();
      expect(await page.evaluate("globalThis.sameDocument")).toBe(true);
    } finally {
      await browser.close();
    }

    expect((await system.run(["untrust"])).code).toBe(0);
    const later = await openBrowser({ port, home: system.home });
    try {
      const page = await later.context.newPage();
      await expect(page.goto(address)).rejects.toThrow(/ERR_CERT_AUTHORITY_INVALID/);
    } finally {
      await later.close();
    }
    proxy.signal("SIGTERM");
    await proxy.ended();
  }, 120_000);
});
