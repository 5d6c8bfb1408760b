/** `localhostess env` -> shell commands that make programs trust https names, besides what they trusted before. */
import { basename } from "node:path";
import { powershellWord } from "../../text/shell-words.ts";
import { ensureCertificateAuthority } from "../../tls/certificate-authority.ts";
import { type BundleJob, bundlesOf, ourCertificates } from "../shared/bundles.ts";
import { writeTruststore } from "./java-options.ts";
import {
  certificateAuthorityOptions,
  type MachineFlags,
  machineOf,
  served,
} from "../shared/machine.ts";
import { Failure } from "../shared/failure.ts";
import { printJson } from "../shared/json-output.ts";
import { settingsOf } from "../shared/settings.ts";
import type { World } from "../shared/world.ts";

export type Shell = "sh" | "fish" | "powershell";

export type EnvFlags = MachineFlags & { shell?: Shell };

export async function env(flags: EnvFlags, world: World): Promise<number> {
  const settings = await served(await settingsOf(flags, world), world);
  const machine = machineOf(flags, world);
  const made = await ensureCertificateAuthority(certificateAuthorityOptions("names", settings));
  if (made.kind === "broken") throw new Failure("broken_authority", made.problems.join("; "));
  const job: BundleJob = {
    settings,
    machine,
    ours: await ourCertificates(settings),
    note: (text) => void world.err.write(`${world.err.colors.yellow(text)}\n`),
  };
  const values = await valuesOf(job);
  if (settings.json) {
    printJson(world, Object.fromEntries(values));
    return 0;
  }
  // A person reads it, and no shell.
  if (world.out.columns() !== undefined) {
    world.err.write(`${world.err.colors.dim(noProxy)}\n`);
  }
  const shell = shellOf(flags.shell, world);
  for (const [name, value] of values) world.out.write(`${assignment(shell, { name, value })}\n`);
  return 0;
}

const noProxy =
  "http_proxy is not among these: our proxy reaches services and nothing else, so set it for one command only";

/** The variables in the order of the table. */
async function valuesOf(job: BundleJob): Promise<Map<string, string>> {
  const values = await bundlesOf(job);
  const java = await writeTruststore(job);
  if (java !== undefined) values.set("JAVA_TOOL_OPTIONS", java);
  return values;
}

function shellOf(asked: Shell | undefined, { env: { SHELL } }: World): Shell {
  return asked ?? (basename(SHELL ?? "") === "fish" ? "fish" : "sh");
}

/** Each value in the quotes of its shell within which no other character has a meaning. */
export function assignment(shell: Shell, { name, value }: { name: string; value: string }): string {
  if (shell === "powershell") return `$env:${name} = ${powershellWord(value)}`;
  if (shell === "fish") return `set -gx ${name} '${value.replace(/[\\']/g, "\\$&")}';`;
  return `export ${name}='${value.replaceAll("'", `'\\''`)}'`;
}
