/** A version -> the texts that Debian asks of a package. */

export type ControlOptions = {
  version: string;
  architecture: string;
  /** KiB of the installed files. */
  size: number;
};

/** The name under which changes are recorded. The domain is one that can never exist. */
const maintainer = "localhostess <packages@localhostess.invalid>";

export function control({ version, architecture, size }: ControlOptions): string {
  return `Package: localhostess
Version: ${version.replace("-", "~")}
Architecture: ${architecture}
Maintainer: ${maintainer}
Installed-Size: ${size}
Depends: libc6 (>= 2.17), libcap2-bin
Suggests: libnss-myhostname, libnss3-tools
Section: devel
Priority: optional
Description: names instead of ports for every server on a machine
 A server that is started with a NAME in its environment gets a URL with that
 name: NAME=api gives http://api.localhost/. A daemon of each user finds such
 servers and passes requests on, also with TLS. It also runs the services of a
 project from one file, together with their databases.
 .
 The package has the program, the helper that lets listed users have the ports
 80 and 443, and a unit for systemd's manager of each user. Nothing of it runs
 until a user starts it.
`;
}

/** The day of a version -> the package's own record, which names the version alone: CHANGELOG.md has the words. */
export function changelog({ version, epoch }: { version: string; epoch: number }): string {
  const day = new Date(epoch * 1_000).toUTCString().replace("GMT", "+0000");
  return `localhostess (${version}) unstable; urgency=medium

  * Version ${version}: CHANGELOG.md of the project has the words.

 -- ${maintainer}  ${day}
`;
}

export function copyright(license: string): string {
  const body = license
    .trim()
    .split("\n")
    .map((line) => (line.trim() === "" ? " ." : ` ${line}`));
  return `Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/
Upstream-Name: localhostess

Files: *
Copyright: the contributors of localhostess
License: MIT
Comment: The program contains Bun (MIT, with JavaScriptCore under the LGPL-2+), and the npm packages that the
 release's list of components names. The helpers contain musl (MIT).

License: MIT
${body.join("\n")}
`;
}

/** Findings of lintian that are as they have to be, each with its reason. */
export const overrides = `# Bun's compiler puts the program behind the runtime; to strip it would take that away.
localhostess: unstripped-binary-or-object [usr/bin/localhostess]
# The runtime has these libraries in it, of versions that it was tested with.
localhostess: embedded-library
# Bun is linked so, and is published as it is.
localhostess: hardening-no-pie [usr/bin/localhostess]
localhostess: hardening-no-relro [usr/bin/localhostess]
# Static on purpose: no loader reads the environment of the user who starts them.
localhostess: shared-library-lacks-prerequisites [usr/libexec/localhostess/localhostess-helper]
localhostess: shared-library-lacks-prerequisites [usr/libexec/localhostess/localhostess-hosts]
# The package has no bug in Debian that its first upload closes.
localhostess: initial-upload-closes-no-bugs [usr/share/doc/localhostess/changelog.gz:1]
`;
