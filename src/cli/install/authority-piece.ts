/** Trust stores -> those that have a certificate authority of ours, and its key, as one piece. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { certificateAuthorityDirectory } from "../../tls/certificate-authority-paths.ts";
import { replacedCertificates } from "../../tls/certificate-authority.ts";
import type { Certificate } from "../../tls/trust/store.ts";
import { trustStores } from "../../tls/trust/stores.ts";
import { certificateAuthorityOptions, machineOf } from "../shared/machine.ts";
import { exitCode } from "../shared/exit-code.ts";
import { untrust } from "../trust/untrust.ts";
import { leftover } from "../trust/untrust.ts";
import type { Found, Here } from "./piece.ts";
import { quiet } from "./quiet.ts";

export async function authorityPiece({ flags, settings, world }: Here): Promise<Found> {
  const certificates: Certificate[] = [];
  const folders: string[] = [];
  for (const kind of ["names", "bare"] as const) {
    const options = certificateAuthorityOptions(kind, settings);
    const folder = certificateAuthorityDirectory(settings.stateDirectory, kind);
    if (existsSync(join(folder, "authority.pem"))) folders.push(folder);
    const its = await leftover(options);
    certificates.push(
      ...(its === undefined ? [] : [its]),
      ...(await replacedCertificates(options)),
    );
  }
  if (certificates.length + folders.length === 0) return { pieces: [], notes: [] };
  const stores = await trustStores(machineOf(flags, world));
  const having: string[] = [];
  for (const store of stores) {
    const checks = await Promise.all(certificates.map((its) => store.check(its)));
    if (checks.some(({ kind }) => kind === "trusted")) having.push(store.name);
  }
  return {
    pieces: [
      {
        ...{ id: "authority", what: "the certificate authority", isData: false },
        details: [
          ...having.map((name) => `in the trust store: ${name}`),
          ...folders.map((folder) => `its key in ${folder}`),
        ],
        async remove() {
          const code = await untrust({ ...flags, json: false, forget: true }, quiet(world));
          if (code === exitCode.done) return;
          throw new Error(
            "a trust store still has it; localhostess untrust says which, and how to remove it",
          );
        },
      },
    ],
    notes: [],
  };
}
