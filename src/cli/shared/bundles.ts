/** Our certificate authorities -> bundle files, and the environment variables that make programs trust them. */
import { stat } from "node:fs/promises";
import { loadCertificateAuthority } from "../../tls/certificate-authority.ts";
import {
  type Bundle,
  type Kept,
  keptOf,
  systemRoots,
  writeBundle,
} from "../../tls/trust/bundle.ts";
import type { Machine } from "../../tls/trust/store.ts";
import { failureOf } from "../../tls/trust/failure-text.ts";
import { certificateAuthorityOptions, machineOf } from "./machine.ts";
import type { Settings } from "./settings.ts";
import type { World } from "./world.ts";

type Variable = {
  name: string;
  /** The file replaces the trusted certificates (`all`), or adds to them (`more`). */
  file: "all" | "more";
};

const variables: readonly Variable[] = [
  // OpenSSL reads this one, and so do Ruby, Python's ssl and many more.
  { name: "SSL_CERT_FILE", file: "all" },
  { name: "CURL_CA_BUNDLE", file: "all" },
  { name: "GIT_SSL_CAINFO", file: "all" },
  { name: "REQUESTS_CA_BUNDLE", file: "all" },
  // Node and Bun read this one.
  { name: "NODE_EXTRA_CA_CERTS", file: "more" },
  { name: "DENO_CERT", file: "more" },
];

export type BundleJob = {
  settings: Settings;
  machine: Machine;
  ours: readonly string[];
  note(text: string): void;
};

/** The authorities that exist, as PEM. A broken one is left out; other verbs report it. */
export async function ourCertificates(settings: Settings): Promise<string[]> {
  const loaded = await Promise.all(
    (["names", "bare"] as const).map((kind) =>
      loadCertificateAuthority(certificateAuthorityOptions(kind, settings)),
    ),
  );
  return loaded.flatMap((its) => (its.kind === "ready" ? [its.ca.pem] : []));
}

/**
 * For services of the daemon: the variables that name a bundle, where there is a certificate authority. Java's is left
 * out, because it makes every JVM print a line.
 */
export async function bundleVariables(
  settings: Settings,
  { world, note }: { world: World; note(text: string): void },
): Promise<Record<string, string>> {
  const ours = await ourCertificates(settings);
  if (ours.length === 0) return {};
  const job: BundleJob = { settings, machine: machineOf({}, world), ours, note };
  return Object.fromEntries(await bundlesOf(job));
}

export async function bundlesOf(job: BundleJob): Promise<Map<string, string>> {
  const values = new Map<string, string>();
  for (const variable of variables) {
    const bundle = await bundleFor(variable, job);
    if (bundle !== undefined) values.set(variable.name, bundle.path);
  }
  return values;
}

/** Undefined where the variable has to stay as it is. */
async function bundleFor(variable: Variable, job: BundleJob): Promise<Bundle | undefined> {
  const { machine, settings, ours, note } = job;
  const set = machine.env[variable.name] || (await settingOf(variable, job));
  if (set !== undefined) {
    const about = await stat(set).catch(() => undefined);
    if (about?.isDirectory()) {
      // Its certificates would have to be copied with their names, and kept up to date.
      note(
        `${variable.name} is a folder, ${set}, and is left unchanged: add the certificates to it yourself`,
      );
      return undefined;
    }
    try {
      const kept = await keptOf(set, settings.stateDirectory);
      const whole = variable.file === "all" && kept.kind === "nothing" ? undefined : kept;
      if (whole !== undefined) return await write(whole);
    } catch (error) {
      note(
        `${variable.name}=${set} cannot be used (${(error as Error).message}), so its certificates are left out`,
      );
    }
  }
  return await write(
    variable.file === "all" ? await systemRoots(machine.root) : { kind: "nothing" },
  );

  async function write(kept: Kept): Promise<Bundle> {
    return await writeBundle(kept, { ours, stateDirectory: settings.stateDirectory });
  }
}

/** Git's variable overrides git's own setting, and would hide the file that it names. */
async function settingOf({ name }: Variable, { machine }: BundleJob): Promise<string | undefined> {
  if (name !== "GIT_SSL_CAINFO") return undefined;
  const argv = ["git", "-C", machine.home, "config", "--type=path", "--get", "http.sslCAInfo"];
  const result = await machine.run(argv as [string, ...string[]]);
  // The command fails where there is no such setting, and where there is no git.
  if (failureOf("git", result) !== undefined || result.kind !== "done") return undefined;
  return result.stdout.trim() || undefined;
}
