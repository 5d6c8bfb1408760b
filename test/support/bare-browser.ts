/** A URL, and the names that lead to this machine -> the page in a real Chromium or Firefox, until it is closed. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { whereIs } from "./debian.ts";
import { writePreferences } from "./firefox-preferences.ts";

export const browserKinds = ["chromium", "firefox"] as const;

export type BrowserKind = (typeof browserKinds)[number];

export type BareOptions = {
  url: string;
  /** Names that are resolved to 127.0.0.1. */
  names: readonly string[];
  /** Origins that count as secure, though they are `http:`. */
  secure?: readonly string[];
  /** The URL of a PAC file. */
  pac?: string;
};

type Setup = BareOptions & { profile: string };

async function chromium({ profile, url, names, secure = [], pac }: Setup): Promise<string[]> {
  return [
    whereIs("chromium")!,
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-popup-blocking",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    `--user-data-dir=${profile}`,
    `--host-resolver-rules=${names.map((name) => `MAP ${name} 127.0.0.1`).join(", ")}`,
    ...(secure.length > 0
      ? [`--unsafely-treat-insecure-origin-as-secure=${secure.join(",")}`]
      : []),
    ...(pac === undefined ? [] : [`--proxy-pac-url=${pac}`]),
    url,
  ];
}

async function firefox({ profile, url, names, secure = [], pac }: Setup): Promise<string[]> {
  await writePreferences(profile, {
    ...(pac === undefined ? {} : { "network.proxy.type": 2, "network.proxy.autoconfig_url": pac }),
    "network.dns.localDomains": names.join(","),
    "dom.securecontext.allowlist": secure.map((origin) => new URL(origin).hostname).join(","),
    "dom.disable_open_during_load": false,
    "security.mixed_content.upgrade_display_content": false,
    // A question to a person, for whom the page waits.
    "security.warn_submit_secure_to_insecure": false,
  });
  return [whereIs("firefox")!, "--headless", "--no-remote", "--profile", profile, url];
}

/** The browser shows the URL in a profile of its own. Dispose of it to end the browser and remove the profile. */
export async function showInBrowser(
  kind: BrowserKind,
  options: BareOptions,
): Promise<AsyncDisposable> {
  const profile = await mkdtemp(join(tmpdir(), "localhostess-browser-"));
  const { NAME: _, ...env } = process.env;
  const command = await { chromium, firefox }[kind]({ ...options, profile });
  const child = Bun.spawn(command, {
    env: { ...env, HOME: profile },
    stdin: "ignore",
    stdout: "ignore",
    stderr: "ignore",
    // A group of its own, because a browser has many processes.
    detached: true,
  });
  return {
    async [Symbol.asyncDispose]() {
      try {
        process.kill(-child.pid, "SIGKILL");
      } catch (error) {
        // Nobody of the group is left.
        if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
      }
      await child.exited;
      await rm(profile, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
    },
  };
}
