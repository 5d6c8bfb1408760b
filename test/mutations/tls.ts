/** Guards of the authority, its files and what trusts it -> how each could be lost. */
import type { Fault } from "./fault.ts";

export const tls: readonly Fault[] = [
  {
    name: "the authority may sign for mail, clients and programs, too",
    file: "src/tls/certificate.ts",
    find: "    new ExtendedKeyUsageExtension([ExtendedKeyUsage.serverAuth]),\n    await SubjectKeyIdentifierExtension.create(keys.publicKey),\n    nameConstraints",
    replace: "    await SubjectKeyIdentifierExtension.create(keys.publicKey),\n    nameConstraints",
    tests: ["test/tls/purposes.test.ts"],
  },
];
