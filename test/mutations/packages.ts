/** What installs the program, and takes it away -> how each guard of it could be lost. */
import type { Fault } from "./fault.ts";

const launcher = ["test/cli/launcher-package.test.ts"];
const deb = ["test/packages/deb.test.ts"];

export const packages: readonly Fault[] = [
  {
    name: "a package's launcher asks a stranger's uname",
    file: "bin/localhostess",
    find: "$(PATH=$search/usr/bin:/bin uname -sm)",
    replace: "$(uname -sm)",
    tests: launcher,
  },
  {
    name: "Alpine takes the program for glibc",
    file: "bin/localhostess",
    find: '  id="$id-musl $id"\n',
    replace: '  id="$id $id-musl"\n',
    tests: launcher,
  },
  {
    name: "a try of a program reads the folder",
    file: "bin/localhostess",
    find: 'BUN_BE_BUN=1 "$1" $apart --revision',
    replace: 'BUN_BE_BUN=1 "$1" --revision',
    tests: launcher,
  },
  {
    name: "a torn hosts file is written",
    file: "scripts/packages/debian/postrm",
    find: "if ($new =~ $marker) {",
    replace: "if (0) {",
    tests: deb,
  },
  {
    name: "a hosts file gets another mode",
    file: "scripts/packages/debian/postrm",
    find: "chmod($its[2] & 07777, $out) && ",
    replace: "",
    tests: deb,
  },
  {
    name: "a purge leaves the mode that setup has asked for",
    file: "scripts/packages/debian/postrm",
    find: 'then dpkg-statoverride --remove "$hosts"; fi',
    replace: "then :; fi",
    tests: deb,
  },
  {
    name: "a new version's helper has no capability",
    file: "scripts/packages/debian/postinst",
    find: "if ! setcap cap_net_bind_service=ep",
    replace: "if ! true cap_net_bind_service=ep",
    tests: deb,
  },
  {
    name: "the umask decides about the modes in a package",
    file: "scripts/packages/folder.ts",
    find: "    await chmod(file, programs.includes(path) ? runnable : forAll);\n",
    replace: "",
    tests: deb,
  },
];
