/** `localhostess env` -> shell lines by which programs trust our names, on top of what they trusted before. */
import { stat } from "node:fs/promises";
import { basename } from "node:path";
import { powershellWord } from "../system/shell-words.ts";
import { ensureAuthority } from "../tls/authority.ts";
import { type Bundle, type Kept, keptOf, systemRoots, writeBundle } from "../tls/trust/bundle.ts";
import type { Machine } from "../tls/trust/store.ts";
import { failureOf } from "../tls/trust/words.ts";
import { writeTruststore } from "./java-options.ts";
import { authorityOptions, type MachineFlags, machineOf, served } from "./machine.ts";
import { type Settings, settingsOf } from "./settings.ts";
import { ourCertificates } from "./trust.ts";
import type { World } from "./world.ts";

export type Shell = "sh" | "fish" | "powershell";

export type EnvFlags = MachineFlags & { shell?: Shell };

type Variable = {
  name: string;
  /** What the file stands for: all that is trusted, or more than is trusted anyway. */
  file: "all" | "more";
};

const variables: readonly Variable[] = [
  // OpenSSL's own, so Ruby, Python's ssl, and many more.
  { name: "SSL_CERT_FILE", file: "all" },
  { name: "CURL_CA_BUNDLE", file: "all" },
  { name: "GIT_SSL_CAINFO", file: "all" },
  { name: "REQUESTS_CA_BUNDLE", file: "all" },
  // Node's and Bun's.
  { name: "NODE_EXTRA_CA_CERTS", file: "more" },
  { name: "DENO_CERT", file: "more" },
];

type Job = {
  settings: Settings;
  machine: Machine;
  ours: readonly string[];
  note(text: string): void;
};

export async function env(flags: EnvFlags, world: World): Promise<number> {
  const settings = await served(await settingsOf(flags, world));
  const machine = machineOf(flags, world);
  const made = await ensureAuthority(authorityOptions("names", settings));
  if (made.kind === "broken") throw new Error(made.problems.join("; "));
  const job: Job = {
    settings,
    machine,
    ours: await ourCertificates(settings),
    note: (text) => void world.err.write(`${world.err.colors.yellow(text)}\n`),
  };
  const values = await valuesOf(job);
  if (settings.json) {
    world.out.write(`${JSON.stringify(Object.fromEntries(values), undefined, 2)}\n`);
    return 0;
  }
  const shell = shellOf(flags.shell, world);
  for (const [name, value] of values) world.out.write(`${assignment(shell, { name, value })}\n`);
  return 0;
}

/** For services of the daemon: what names a bundle, where there is an authority. Java's variable makes it talk, so it is not among them. */
export async function bundleVariables(
  settings: Settings,
  { world, note }: { world: World; note(text: string): void },
): Promise<Record<string, string>> {
  const ours = await ourCertificates(settings);
  if (ours.length === 0) return {};
  const job: Job = { settings, machine: machineOf({}, world), ours, note };
  return Object.fromEntries(await bundlesOf(job));
}

async function bundlesOf(job: Job): Promise<Map<string, string>> {
  const values = new Map<string, string>();
  for (const variable of variables) {
    const bundle = await bundleFor(variable, job);
    if (bundle !== undefined) values.set(variable.name, bundle.path);
  }
  return values;
}

/** In the order of the table. */
async function valuesOf(job: Job): Promise<Map<string, string>> {
  const values = await bundlesOf(job);
  const java = await writeTruststore(job);
  if (java !== undefined) values.set("JAVA_TOOL_OPTIONS", java);
  return values;
}

/** Undefined where the variable is better left as it is. */
async function bundleFor(variable: Variable, job: Job): Promise<Bundle | undefined> {
  const { machine, settings, ours, note } = job;
  const set = machine.env[variable.name] || (await settingOf(variable, job));
  if (set !== undefined) {
    const about = await stat(set).catch(() => undefined);
    if (about?.isDirectory()) {
      // Its certificates would have to be copied with their names, and followed ever after.
      note(`${variable.name} is a folder, ${set}, and stays as it is: add ours to it yourself`);
      return undefined;
    }
    try {
      const kept = await keptOf(set, settings.stateDirectory);
      const whole = variable.file === "all" && kept.kind === "nothing" ? undefined : kept;
      if (whole !== undefined) return await write(whole);
    } catch (error) {
      note(`${variable.name}=${set} is of no use (${(error as Error).message}), so it is not kept`);
    }
  }
  return await write(
    variable.file === "all" ? await systemRoots(machine.root) : { kind: "nothing" },
  );

  async function write(kept: Kept): Promise<Bundle> {
    return await writeBundle(kept, { ours, stateDirectory: settings.stateDirectory });
  }
}

/** Git's variable would beat git's own setting, and hide the file that a person has named there. */
async function settingOf({ name }: Variable, { machine }: Job): Promise<string | undefined> {
  if (name !== "GIT_SSL_CAINFO") return undefined;
  const argv = ["git", "-C", machine.home, "config", "--type=path", "--get", "http.sslCAInfo"];
  const result = await machine.run(argv as [string, ...string[]]);
  // It fails where there is no such setting, and where there is no git.
  if (failureOf("git", result) !== undefined || result.kind !== "done") return undefined;
  return result.stdout.trim() || undefined;
}

function shellOf(asked: Shell | undefined, { env: { SHELL } }: World): Shell {
  return asked ?? (basename(SHELL ?? "") === "fish" ? "fish" : "sh");
}

/** Each in the only quotes of its shell within which nothing else has a meaning. */
export function assignment(shell: Shell, { name, value }: { name: string; value: string }): string {
  if (shell === "powershell") return `$env:${name} = ${powershellWord(value)}`;
  if (shell === "fish") return `set -gx ${name} '${value.replace(/[\\']/g, "\\$&")}';`;
  return `export ${name}='${value.replaceAll("'", `'\\''`)}'`;
}
