/** The world of a command -> the machine whose trust stores are used, and its certificate authority. */
import { isAbsolute } from "node:path";
import { systemClock } from "../../system/clock.ts";
import { runCommand } from "../../system/command.ts";
import type { CertificateAuthorityOptions } from "../../tls/certificate-authority.ts";
import { processIdentity } from "../../tls/identity.ts";
import type { CertificateAuthorityKind } from "../../tls/server-name.ts";
import type { Machine } from "../../tls/trust/store.ts";
import { definedOf } from "./defined.ts";
import { isWsl } from "./is-wsl.ts";
import { type Flags, type Settings, UsageError } from "./settings.ts";
import { daemonIfUsable } from "./daemon-here.ts";
import type { World } from "./world.ts";

/** `root`: a directory that is used as `/`, so that a test changes nothing of the system. */
export type MachineFlags = Flags & { root?: string };

/** Milliseconds for a command that sets no deadline of its own. */
const usualDeadline = 10_000;
/** Bytes: four times all roots of a system as text. */
const longestOutput = 1024 * 1024;

/** Behind PATH, which has no sbin for ordinary users on some systems. */
const systemPath = "/usr/sbin:/usr/bin:/sbin:/bin";

/** @throws UsageError where `--root` cannot be meant. */
export function machineOf({ root }: MachineFlags, world: World): Machine {
  if (root !== undefined && !isAbsolute(root)) {
    throw new UsageError([`--root: expected an absolute path, got ${root}`]);
  }
  const env = definedOf(world.env);
  return {
    platform: world.platform,
    root: root ?? "/",
    home: world.home,
    env,
    // Another root is a test's own directory, which it may change.
    privileged: root !== undefined || process.getuid?.() === 0,
    wsl: isWsl(),
    run: (argv, options) =>
      runCommand(argv, {
        // LC_ALL: what they say is read by us, or shown beside our own words.
        env: { ...env, PATH: [env.PATH, systemPath].filter(Boolean).join(":"), LC_ALL: "C" },
        deadline: options?.deadline ?? usualDeadline,
        limit: longestOutput,
      }),
  };
}

/** With the domains that the running proxy serves, where one runs: an authority is made for those. */
export async function served(settings: Settings, world: World): Promise<Settings> {
  const proxy = await daemonIfUsable(settings, world);
  return proxy === undefined ? settings : { ...settings, tlds: proxy.tlds };
}

export function certificateAuthorityOptions(
  kind: CertificateAuthorityKind,
  settings: Settings,
): CertificateAuthorityOptions {
  return {
    stateDirectory: settings.stateDirectory,
    kind,
    clock: systemClock,
    identity: processIdentity(),
    tlds: settings.tlds,
  };
}
