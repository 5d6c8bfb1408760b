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
  {
    name: "`untrust --forget` leaves what a killed process had of the key",
    file: "src/tls/authority.ts",
    find: 'filter((name) => name.startsWith("authority.pem"))',
    replace: 'filter((name) => name === "authority.pem")',
    tests: ["test/cli/forget.test.ts"],
    only: "killed processes",
  },
  {
    name: "`untrust --forget` follows a link to somebody else's folder",
    file: "src/tls/authority.ts",
    find: 'const problems = ownershipProblems(directory, { stats: folder, wanted: "directory", identity });',
    replace: "const problems: string[] = [];",
    tests: ["test/cli/forget.test.ts"],
    only: "does not follow a link",
  },
  {
    name: "`untrust --forget` forgets the certificate that a store still has",
    file: "src/tls/authority.ts",
    find: "await record(directory, certificates);\n  // The copy first",
    replace: "// The copy first",
    tests: ["test/cli/forget.test.ts"],
    only: "keeps no key alive",
  },
  {
    name: "`trust --renew` loses sight of a trusted certificate whose key is lost",
    file: "src/tls/authority.ts",
    find: "await record(directory, [...(await certificatesOf(directory)), pair.certificate]);",
    replace: "await record(directory, [...(await certificatesIn(path)), pair.certificate]);",
    tests: ["test/cli/forget.test.ts"],
    only: "key is lost already",
  },
  {
    name: "a proxy that runs goes on signing with a key that was deleted",
    file: "src/tls/certificates.ts",
    find: "if (its?.ready === undefined || its.ready.print === print) return print;",
    replace: "if (its?.ready !== undefined || its === undefined) return print;",
    tests: ["test/cli/forget.test.ts"],
    only: "signs by the deleted key no more",
  },
];
