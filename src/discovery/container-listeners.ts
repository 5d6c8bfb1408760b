/** A listening process -> whether it only passes on to containers, for a port that an engine has published. Pure. */
import { programOf } from "../text/short-command.ts";

/** A name that a person would give such a process is the container's, which is named by its engine. */
const programs: ReadonlySet<string> = new Set([
  // Docker, with root and without.
  ...["docker-proxy", "rootlesskit", "rootlesskit-docker-proxy", "vpnkit", "com.docker.backend"],
  // Podman.
  ...[
    "rootlessport",
    "rootlessport-child",
    "conmon",
    "slirp4netns",
    "pasta",
    "pasta.avx2",
    "gvproxy",
  ],
  // Machines on macOS: OrbStack, Lima and Colima, Rancher Desktop.
  ...["OrbStack Helper", "OrbStack", "limactl", "lima-guestagent", "host-switch", "steve"],
]);

export function isContainerListener({ command }: { command: string }): boolean {
  return (
    programs.has(programOf(command)) ||
    // The path of a program of macOS has spaces.
    /\/(?:OrbStack|Docker)\.app\//.test(command) ||
    // Lima forwards with ssh.
    /^(?:\S*\/)?ssh: .*\/\.(?:lima|colima)\/|^(?:\S*\/)?ssh .*\/\.(?:lima|colima)\//.test(command)
  );
}
