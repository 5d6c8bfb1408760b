/** `localhostess browser [name]` -> a Chromium that trusts https names, with a temporary profile. */
import { listed } from "../../text/list.ts";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { originOf } from "../../routes/service-row.ts";
import { searchPath, whereIs } from "../../system/search-path.ts";
import {
  ensureCertificateAuthority,
  loadCertificateAuthority,
} from "../../tls/certificate-authority.ts";
import { installCommand } from "../../tls/trust/install-command.ts";
import { exists } from "../../tls/trust/exists.ts";
import { nssStore } from "../../tls/trust/nss.ts";
import type { Certificate, Machine } from "../../tls/trust/store.ts";
import { Failure } from "../shared/failure.ts";
import { printJsonLine } from "../shared/json-output.ts";
import { looker, portsOf, withCheckouts } from "../shared/look.ts";
import { pacText } from "../shared/pac-text.ts";
import { certificateAuthorityOptions, machineOf, served } from "../shared/machine.ts";
import { present, reach, targetOf, tellAbsent, tellComing } from "../shared/reach.ts";
import { type Flags, type Settings, settingsOf } from "../shared/settings.ts";
import { daemonFor } from "../shared/daemon-here.ts";
import { certificateOf } from "./trust.ts";
import type { World } from "../shared/world.ts";

const programs = [
  "chromium",
  "chromium-browser",
  "google-chrome",
  "google-chrome-stable",
  "brave-browser",
  "microsoft-edge",
];

/** Options for a first start without questions and without network traffic. */
const quiet = [
  "--no-first-run",
  "--no-default-browser-check",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

export async function browser(
  words: readonly string[],
  { flags, world }: { flags: Flags; world: World },
): Promise<number> {
  const settings = await served(await settingsOf(flags, world), world);
  const [name, own] = words[0]?.startsWith("-") ? [undefined, words] : [words[0], words.slice(1)];
  const { tlds } = settings;
  const sight = await withCheckouts(await looker(settings)());
  const target = await targetOf(name ?? "localhost", { sight, world });
  const machine = machineOf({}, world);
  if (machine.platform !== "linux") {
    throw new Failure(
      "unsupported",
      "on this system Chromium uses the system's trust store, not that of a profile; try: localhostess trust",
    );
  }
  const program = await chromium(machine);
  if (target.kind === "name") {
    const reached = present(reach(target.name, sight));
    if (reached.kind === "absent" && reached.turn === "down") {
      tellAbsent(reached.supervised, world);
      return 1;
    }
    tellComing(reached, world);
  }
  // The daemon is started last, when nothing else can fail.
  const daemon = await daemonFor(flags, world);
  const { port, urlPorts } = portsOf(settings, daemon);
  const running = daemon !== undefined && daemon.port === port;
  const pac = await pacText({ port, tlds, running });
  const host = target.kind === "own" ? "localhost" : `${target.name}.localhost`;
  const url = `${originOf(host, { scheme: "https", port: urlPorts.https })}${target.path}`;

  const certificates = await ours(settings);
  const home = await mkdtemp(join(tmpdir(), "localhostess-browser-"));
  try {
    await trustIn(home, { certificates, machine });
    if (settings.json) printJsonLine(world, { url, program });
    return await show(
      [program, ...quiet, `--user-data-dir=${join(home, "profile")}`, pacOption(pac), ...own, url],
      { home, world },
    );
  } finally {
    await removeProfile(home);
  }
}

/** Milliseconds, and how often. */
const pause = 100;
const attempts = 20;

/** The browser's last processes may still be writing, and make the folder again after it was removed. */
async function removeProfile(home: string): Promise<void> {
  for (let attempt = 1; attempt <= attempts; attempt++) {
    await rm(home, { recursive: true, force: true, maxRetries: 10, retryDelay: pause });
    await Bun.sleep(pause);
    if (!existsSync(home)) return;
  }
}

async function chromium({ env }: Machine): Promise<string> {
  const found = programs.flatMap((name) => whereIs(name, env.PATH) ?? []);
  // A snap has its own home and /tmp, and would not see the profile.
  const program = found.find((path) => !path.startsWith("/snap/"));
  if (program !== undefined) return program;
  throw new Failure(
    "no_browser",
    found.length > 0
      ? `${found[0]} is a snap, which can only read its own files; install Chrome or Chromium as a package`
      : `PATH has no ${listed(programs, { conjunction: "or" })}; localhostess trust makes every browser trust the certificates`,
  );
}

async function ours(settings: Settings): Promise<Certificate[]> {
  const names = await ensureCertificateAuthority(certificateAuthorityOptions("names", settings));
  if (names.kind === "broken") throw new Failure("broken_authority", names.problems.join("; "));
  const bare = await loadCertificateAuthority(certificateAuthorityOptions("bare", settings));
  return [names.ca, ...(bare.kind === "ready" ? [bare.ca] : [])].map(certificateOf);
}

/**
 * Chromium's own option for this, `--ignore-certificate-errors-spki-list`, compares the certificates that the server
 * sends, which do not include the authority; so Chromium gets a home in which the authority is trusted.
 */
async function trustIn(
  home: string,
  { certificates, machine }: { certificates: readonly Certificate[]; machine: Machine },
): Promise<void> {
  const directory = join(home, ".pki/nssdb");
  for (const certificate of certificates) {
    const database = { name: "its own profile", directory, made: await exists(directory) };
    const outcome = await nssStore(database, machine).install(certificate);
    if (outcome.kind === "failed") {
      const fix =
        outcome.why === "certutil is not installed"
          ? await installCommand("certutil", machine)
          : outcome.fix;
      throw new Error(
        `the browser cannot be made to trust the certificates: ${outcome.why}; ${fix}`,
      );
    }
  }
}

/** The option holds the PAC file itself: one that is fetched would be missing if the proxy starts later. */
function pacOption(pac: string): string {
  const text = Buffer.from(pac).toString("base64");
  return `--proxy-pac-url=data:application/x-ns-proxy-autoconfig;base64,${text}`;
}

async function show(
  argv: readonly string[],
  { home, world }: { home: string; world: World },
): Promise<number> {
  const config = join(home, "config");
  await mkdir(config);
  // Downloads are deleted with the profile, so they must not go to the usual folder.
  await writeFile(join(config, "user-dirs.dirs"), `XDG_DOWNLOAD_DIR="${home}"\n`);
  const child = Bun.spawn([...argv], {
    env: {
      ...world.env,
      PATH: searchPath(world.env.PATH),
      HOME: home,
      XDG_CONFIG_HOME: config,
      XDG_DATA_HOME: join(home, "data"),
      XDG_CACHE_HOME: join(home, "cache"),
    },
    stdin: "ignore",
    // With --json, stdout has JSON only.
    stdout: world.json === undefined ? "inherit" : 2,
    stderr: "inherit",
    // On Ctrl-C we end the browser and then remove its profile.
    detached: true,
  });
  let interrupted = false;
  const cancel = world.onSignal(() => {
    interrupted = true;
    try {
      process.kill(-child.pid, "SIGTERM");
    } catch {
      // The browser has just exited by itself.
    }
  });
  try {
    const code = await child.exited;
    return code === 0 || interrupted ? 0 : 1;
  } finally {
    cancel();
  }
}
