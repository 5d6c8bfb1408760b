/** Certificates of authorities for the trust stores of a test, each with its file. */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { DAY, signCertificateAuthority } from "../../../src/tls/certificate.ts";
import type { Certificate } from "../../../src/tls/trust/store.ts";

let made = 0;

/** All with the same subject, as one that was renewed has, and each newer than the one before. */
export async function certificateIn(directory: string): Promise<Certificate> {
  const now = Date.now() + made++ * 1000;
  const { certificate: pem } = await signCertificateAuthority({
    commonName: "localhostess ada@engine",
    validity: { from: now - DAY, to: now + DAY },
    permitted: ["localhost"],
  });
  const path = join(directory, `it's ${crypto.randomUUID()}.pem`);
  await writeFile(path, pem);
  return { pem, path };
}
