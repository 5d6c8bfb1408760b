/** The state directory -> where an authority is in it. */
import { join } from "node:path";
import type { CertificateAuthorityKind } from "./server-name.ts";

export function certificateAuthorityDirectory(
  stateDirectory: string,
  kind: CertificateAuthorityKind,
): string {
  return join(stateDirectory, kind === "names" ? "authority" : "authority-bare");
}

/** The key and its certificate in one file: two files could be one of the old pair and one of the new. */
export function certificateAuthorityPath(
  stateDirectory: string,
  kind: CertificateAuthorityKind,
): string {
  return join(certificateAuthorityDirectory(stateDirectory, kind), "authority.pem");
}
