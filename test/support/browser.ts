/** A proxy's port into a real Chromium that uses its PAC file, with a profile of its own. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type BrowserContext, chromium } from "playwright-core";
import { whereIs } from "./debian.ts";

export type Browser = {
  context: BrowserContext;
  close(): Promise<void>;
};

/** `home`: whose trust store it has; one without any unless said otherwise. `more`: of its options. */
export async function openBrowser({
  port,
  home,
  more = [],
}: {
  port: number;
  home?: string;
  more?: readonly string[];
}): Promise<Browser> {
  const profile = await mkdtemp(join(tmpdir(), "localhostess-chromium-"));
  const remove = () => rm(profile, { recursive: true, force: true, maxRetries: 5 });
  const { NAME: _name, ...inherited } = process.env;
  try {
    const context = await chromium.launchPersistentContext(join(profile, "profile"), {
      executablePath: whereIs("chromium")!,
      headless: true,
      // It shows pages of ours only, and its sandbox needs rights that containers rarely give.
      chromiumSandbox: false,
      args: [
        `--proxy-pac-url=http://localhost:${port}/proxy.pac`,
        "--disable-gpu",
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        ...more,
      ],
      // A person may have no home that can be written.
      env: { ...(inherited as Record<string, string>), HOME: home ?? profile },
      timeout: 30_000,
    });
    return {
      context,
      async close() {
        await context.close();
        await remove();
      },
    };
  } catch (error) {
    await remove();
    throw error;
  }
}
