/** The PAC file as real browsers read it, on a network that has names without a dot of its own. */
import { expect, test } from "bun:test";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { whereIs } from "../support/debian.ts";
import { writePreferences } from "../support/firefox-preferences.ts";
import { startTestProxy } from "../support/test-proxy.ts";
import { describeWith } from "../support/with-programs.ts";

/** Milliseconds: a browser on a busy machine. */
const patience = 120_000;

/** A server that says whom it was asked for; its page has a picture from each of these hosts. */
function server(who: string, asked: string[], pictures: readonly string[] = []) {
  const images = pictures.map((host) => `<img src="http://${host}/picture">`).join("");
  return Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    fetch(request) {
      const { pathname, hostname } = new URL(request.url);
      if (pathname === "/picture") asked.push(`${who} for ${hostname}`);
      return new Response(`<!doctype html><title>${who}</title>${images}`, {
        headers: { "Content-Type": "text/html" },
      });
    },
  });
}

/** Options and preferences for a browser without network traffic of its own, where `names` are this machine. */
type Setup = { profile: string; pac: string; names: readonly string[]; url: string };

async function chromium({ profile, pac, names, url }: Setup): Promise<string[]> {
  return [
    whereIs("chromium")!,
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    `--user-data-dir=${profile}`,
    `--host-resolver-rules=${names.map((name) => `MAP ${name} 127.0.0.1`).join(", ")}`,
    `--proxy-pac-url=${pac}`,
    "--dump-dom",
    url,
  ];
}

async function firefox({ profile, pac, names, url }: Setup): Promise<string[]> {
  await writePreferences(profile, {
    "network.proxy.type": 2,
    "network.proxy.autoconfig_url": pac,
    "network.dns.localDomains": names.join(","),
  });
  const shot = join(profile, "shot.png");
  return [whereIs("firefox")!, "--headless", "--profile", profile, "--screenshot", shot, url];
}

/** Shows a URL once, with a profile of its own. */
async function show(
  command: (setup: Setup) => Promise<string[]>,
  facts: Omit<Setup, "profile">,
): Promise<void> {
  const profile = await mkdtemp(join(tmpdir(), "localhostess-pac-"));
  try {
    const { NAME: _, ...env } = process.env;
    const child = Bun.spawn(await command({ ...facts, profile }), {
      env: { ...env, HOME: profile },
      stdin: "ignore",
      stdout: "ignore",
      stderr: "ignore",
      timeout: patience / 2,
    });
    await child.exited;
  } finally {
    await rm(profile, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
  }
}

for (const [program, command] of [
  ["chromium", chromium],
  ["firefox", firefox],
] as const) {
  describeWith([program])(program, () => {
    test(
      "goes to us for a service, also one that came later, to the network for a name that it has, and finds *.localhost by itself",
      async () => {
        const asked: string[] = [];
        const [api, late, network] = ["api", "late", "network"].map((who) => server(who, asked));
        let page: Bun.Server<undefined> | undefined;
        try {
          await using proxy = await startTestProxy({ services: { api: { port: api!.port! } } });
          const hosts = ["api", "late", `wiki:${network!.port}`, `api.localhost:${proxy.port}`];
          page = server("page", asked, hosts);
          const text = await (await fetch(`http://127.0.0.1:${proxy.port}/proxy.pac`)).text();
          // A browser keeps what it has read.
          const pac = `data:application/x-ns-proxy-autoconfig;base64,${btoa(text)}`;
          proxy.setServices({ api: { port: api!.port! }, late: { port: late!.port! } });
          // The network has a server named like a service: the service wins.
          await show(command, {
            pac,
            names: ["wiki", "api"],
            url: `http://127.0.0.1:${page.port}/`,
          });
          expect(asked.sort()).toEqual([
            // By both names; our back ends are told only the one.
            "api for api.localhost",
            "api for api.localhost",
            "late for late.localhost",
            "network for wiki",
          ]);
        } finally {
          for (const its of [api, late, network, page]) its?.stop(true);
        }
      },
      patience,
    );
  });
}
