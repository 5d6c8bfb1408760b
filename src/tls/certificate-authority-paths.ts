/** The state directory -> the paths of a certificate authority in it. */
import { join } from "node:path";
import type { CertificateAuthorityKind } from "./server-name.ts";

export function certificateAuthorityDirectory(
  stateDirectory: string,
  kind: CertificateAuthorityKind,
): string {
  return join(stateDirectory, kind === "names" ? "authority" : "authority-bare");
}

/** Key and certificate share one file: of two files, one could be old and the other new. */
export function certificateAuthorityPath(
  stateDirectory: string,
  kind: CertificateAuthorityKind,
): string {
  return join(certificateAuthorityDirectory(stateDirectory, kind), "authority.pem");
}
