/** `localhostess trust` -> our certificate authority in every trust store of this machine, or their state. */
import { listed } from "../../text/list.ts";
import {
  type CertificateAuthority,
  ensureCertificateAuthority,
  forgetReplaced,
  loadCertificateAuthority,
  renewCertificateAuthority,
  replacedCertificates,
} from "../../tls/certificate-authority.ts";
import type { CertificateAuthorityKind } from "../../tls/server-name.ts";
import { renewBundles } from "../../tls/trust/bundle.ts";
import { exists } from "../../tls/trust/exists.ts";
import type { Certificate, TrustStore } from "../../tls/trust/store.ts";
import { removeFromAll, trustStores } from "../../tls/trust/stores.ts";
import { ourCertificates } from "../shared/bundles.ts";
import { refreshTruststore } from "./java-options.ts";
import {
  certificateAuthorityOptions,
  type MachineFlags,
  machineOf,
  served,
} from "../shared/machine.ts";
import { allWell, rowOf, type StoreRow, tellRow, type Whose } from "./outcomes.ts";
import { Failure } from "../shared/failure.ts";
import { printJson } from "../shared/json-output.ts";
import { type Settings, settingsOf, UsageError } from "../shared/settings.ts";
import type { World } from "../shared/world.ts";

export type TrustFlags = MachineFlags & { status?: boolean; renew?: boolean; bareNames?: boolean };

type Work = {
  settings: Settings;
  stores: readonly TrustStore[];
  /** Keeps a row, and prints it at once: a store may take a while. */
  add(row: StoreRow): void;
};

export async function trust(flags: TrustFlags, world: World): Promise<number> {
  const settings = await served(await settingsOf(flags, world), world);
  if (flags.status && flags.renew) {
    throw new UsageError(["--status and --renew cannot be combined"]);
  }
  refuseSudo(world);
  const rows: StoreRow[] = [];
  const stores = await trustStores(machineOf(flags, world));
  const work: Work = {
    settings,
    stores,
    add(row) {
      rows.push(row);
      if (!settings.json) tellRow(row, world.out);
    },
  };
  if (flags.status) await look(work, world);
  else if (flags.renew) await renew(flags.bareNames ? "bare" : "names", { work, world });
  else await install(flags.bareNames ? ["names", "bare"] : ["names"], { work, world });
  if (settings.json) printJson(world, rows);
  else if (stores.length === 0) {
    world.err.write("no known trust store was found on this machine; try: localhostess env\n");
  }
  return allWell(rows) ? 0 : 1;
}

/**
 * The certificate authority belongs to the person: under sudo it would be created in root's home, or root would own
 * files in the person's.
 */
export function refuseSudo({ env }: World): void {
  if (process.getuid?.() !== 0 || !env.SUDO_UID) return;
  throw new UsageError([
    "run it as yourself, without sudo: it prints the commands that require root",
  ]);
}

async function look(work: Work, world: World): Promise<void> {
  for (const kind of ["names", "bare"] as const) {
    const options = certificateAuthorityOptions(kind, work.settings);
    const loaded = await loadCertificateAuthority(options);
    if (loaded.kind === "broken") throw new Failure("broken_authority", loaded.problems.join("; "));
    if (loaded.kind === "ready") {
      await checkAll(work, { whose: kind, certificate: certificateOf(loaded.ca) });
    } else if (kind === "names") {
      const text = "there is no certificate authority yet; create one with: localhostess trust";
      world.err.write(`${world.err.colors.dim(text)}\n`);
      for (const { name } of work.stores) {
        work.add(rowOf({ store: name, authority: kind, action: "check" }, { kind: "absent" }));
      }
    }
    for (const certificate of await replacedCertificates(options)) {
      await checkAll(work, { whose: "replaced", certificate });
    }
  }
}

async function checkAll(
  { stores, add }: Work,
  { whose, certificate }: { whose: Whose; certificate: Certificate },
): Promise<void> {
  const checks = await Promise.all(stores.map((store) => store.check(certificate)));
  for (const [index, check] of checks.entries()) {
    // A replaced authority that is absent is not worth a row.
    if (whose === "replaced" && check.kind !== "trusted") continue;
    const about = { store: stores[index]!.name, authority: whose, action: "check" } as const;
    const fix = whose === "replaced" ? { fix: "localhostess trust" } : {};
    add({ ...rowOf(about, check), ...fix });
  }
}

type Doing = { work: Work; world: World };

async function install(
  kinds: readonly CertificateAuthorityKind[],
  { work, world }: Doing,
): Promise<void> {
  for (const kind of kinds) {
    const made = await ensureCertificateAuthority(certificateAuthorityOptions(kind, work.settings));
    if (made.kind === "broken") throw new Failure("broken_authority", made.problems.join("; "));
    await installCertificateAuthority(made.ca, { work, world });
  }
}

async function renew(kind: CertificateAuthorityKind, { work, world }: Doing): Promise<void> {
  const options = certificateAuthorityOptions(kind, work.settings);
  if (kind === "bare" && (await loadCertificateAuthority(options)).kind === "absent") {
    throw new Failure(
      "not_found",
      "there is no certificate authority for bare names; create one with: localhostess trust --bare-names",
    );
  }
  const made = await renewCertificateAuthority(options);
  if (made.kind === "broken") throw new Failure("broken_authority", made.problems.join("; "));
  await installCertificateAuthority(made.ca, { work, world });
  // Shells that have read `env` keep using the same files.
  await refreshBundles(work.settings);
}

/** Writes the current authorities, and no others, into every file that `env` has created. */
export async function refreshBundles(settings: Settings): Promise<void> {
  const ours = await ourCertificates(settings);
  for (const bundle of await renewBundles(settings.stateDirectory, ours)) {
    const truststore = bundle.path.replace(/\.pem$/, ".p12");
    if (await exists(truststore)) await refreshTruststore(truststore, bundle.pem);
  }
}

/** Installs the new authority before it removes the old one, so that one is always trusted. */
async function installCertificateAuthority(
  ca: CertificateAuthority,
  { work, world }: Doing,
): Promise<void> {
  if (!work.settings.json) {
    const { colors, write } = world.err;
    write(`${colors.dim(`${ca.commonName}, ${describe(ca)}`)}\n`);
  }
  for (const store of work.stores) {
    const about = { store: store.name, authority: ca.kind, action: "install" } as const;
    work.add(rowOf(about, await store.install(certificateOf(ca))));
  }
  await removeReplaced(ca.kind, work);
}

/** Certificates that cannot be removed are remembered for the next time. */
async function removeReplaced(kind: CertificateAuthorityKind, work: Work): Promise<void> {
  for (const replaced of await replacedCertificates(
    certificateAuthorityOptions(kind, work.settings),
  )) {
    const gone = await removeFromAll(work.stores, {
      certificate: replaced,
      report(store, outcome) {
        if (outcome.kind === "already") return;
        work.add(rowOf({ store: store.name, authority: "replaced", action: "remove" }, outcome));
      },
    });
    if (gone) await forgetReplaced(replaced);
  }
}

export function certificateOf({ pem, certificatePath }: CertificateAuthority): Certificate {
  return { pem, path: certificatePath };
}

function describe({ permitted, expiresAt }: CertificateAuthority): string {
  const names =
    permitted === undefined
      ? "which may sign for any name"
      : `only for ${listed(permitted)} and names under ${permitted.length === 1 ? "it" : "them"}`;
  return `${names}, until ${new Date(expiresAt).toISOString().slice(0, 10)}`;
}
