/** `localhostess untrust` -> no certificate authority of ours in any trust store of this machine. */
import { join } from "node:path";
import {
  type CertificateAuthorityOptions,
  forgetCertificateAuthority,
  forgetReplaced,
  loadCertificateAuthority,
  replacedCertificates,
} from "../../tls/certificate-authority.ts";
import { certificateFile } from "../../tls/certificate-file.ts";
import { certificateAuthorityDirectory } from "../../tls/certificate-authority-paths.ts";
import type { Certificate } from "../../tls/trust/store.ts";
import { removeFromAll, trustStores } from "../../tls/trust/stores.ts";
import { certificateAuthorityOptions, type MachineFlags, machineOf } from "../shared/machine.ts";
import { allWell, rowOf, type StoreRow, tellRow, type Whose } from "./outcomes.ts";
import { Failure } from "../shared/failure.ts";
import { printJson } from "../shared/json-output.ts";
import { settingsOf } from "../shared/settings.ts";
import { certificateOf, refreshBundles, refuseSudo } from "./trust.ts";
import type { World } from "../shared/world.ts";

export type UntrustFlags = MachineFlags & { forget?: boolean };

/** The authority itself is kept, so that `trust` can install it again, unless `forget` is set. */
export async function untrust(flags: UntrustFlags, world: World): Promise<number> {
  const settings = await settingsOf(flags, world, { withoutConfig: true });
  refuseSudo(world);
  const stores = await trustStores(machineOf(flags, world));
  const rows: StoreRow[] = [];
  const add = (row: StoreRow): void => {
    rows.push(row);
    if (!settings.json) tellRow(row, world.out);
  };
  const remove = (certificate: Certificate, whose: Whose): Promise<boolean> =>
    removeFromAll(stores, {
      certificate,
      report(store, outcome) {
        if (whose === "replaced" && outcome.kind === "already") return;
        add(rowOf({ store: store.name, authority: whose, action: "remove" }, outcome));
      },
    });
  const broken: string[] = [];
  let known = 0;
  for (const kind of ["names", "bare"] as const) {
    const options = certificateAuthorityOptions(kind, settings);
    // The key is deleted first: a store that keeps the certificate can then do no harm.
    const forgotten = flags.forget ? await forgetCertificateAuthority(options) : undefined;
    if (forgotten?.kind === "broken") broken.push(...forgotten.problems);
    if (forgotten?.kind === "forgotten") {
      const store = `the key in ${certificateAuthorityDirectory(settings.stateDirectory, kind)}`;
      add(rowOf({ store, authority: kind, action: "forget" }, { kind: "done" }));
    }
    const own = forgotten?.kind === "forgotten" ? forgotten.fingerprints : [];
    const loaded = flags.forget ? undefined : await loadCertificateAuthority(options);
    if (loaded?.kind === "broken") broken.push(...loaded.problems);
    const certificate =
      loaded?.kind === "ready"
        ? certificateOf(loaded.ca)
        : forgotten?.kind === "forgotten"
          ? undefined
          : await leftover(options);
    if (certificate !== undefined) {
      known += 1;
      await remove(certificate, kind);
    }
    for (const replaced of await replacedCertificates(options)) {
      known += 1;
      const whose = own.includes(replaced.fingerprint) ? kind : "replaced";
      if (await remove(replaced, whose)) await forgetReplaced(replaced);
    }
  }
  // Shells that have read `env` keep using the same files.
  if (flags.forget) await refreshBundles(settings);
  if (settings.json) printJson(world, rows);
  else if (known === 0 && broken.length === 0) {
    world.err.write(
      `${world.err.colors.dim("there is no certificate authority, so there is nothing to remove")}\n`,
    );
  }
  if (broken.length > 0) throw new Failure("broken_authority", broken.join("; "));
  return allWell(rows) ? 0 : 1;
}

/** The certificate of an authority that cannot be used any more: an expired one is still in the stores. */
export async function leftover(
  options: CertificateAuthorityOptions,
): Promise<Certificate | undefined> {
  const path = join(
    certificateAuthorityDirectory(options.stateDirectory, options.kind),
    "certificate.pem",
  );
  // Without a certificate, no store can be searched for it.
  const pem = await certificateFile(path).catch(() => undefined);
  return pem?.includes("-----BEGIN CERTIFICATE-----") ? { pem, path } : undefined;
}
