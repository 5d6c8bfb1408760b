/** Debian, Ubuntu and Alpine -> their trust store, by `update-ca-certificates`. */
import { join } from "node:path";
import type { Anchors } from "./anchors.ts";
import { installCommand } from "./install-command.ts";
import { exists } from "./exists.ts";
import type { Machine, TrustStore } from "./store.ts";

const program = "/usr/sbin/update-ca-certificates";
const name = "system (/usr/local/share/ca-certificates)";

export async function debianAnchors(machine: Machine): Promise<Anchors | undefined> {
  const has = (path: string) => exists(join(machine.root, path));
  // openSUSE has a program of the same name that uses other folders.
  if (machine.platform !== "linux" || (await has("/etc/pki/trust"))) return undefined;
  if (!(await has(program))) return undefined;
  return {
    name,
    directory: "/usr/local/share/ca-certificates",
    extension: ".crt",
    refresh: [program],
    // Without `--fresh`, a link to the removed certificate stays in /etc/ssl/certs.
    refreshAfterRemoval: [program, "--fresh"],
    bundle: "/etc/ssl/certs/ca-certificates.crt",
  };
}

/** Where the program is missing: a store that cannot be used yet. */
export async function debianWithout(machine: Machine): Promise<TrustStore[]> {
  const has = (path: string) => exists(join(machine.root, path));
  if (machine.platform !== "linux" || (await has("/etc/pki/trust")) || (await has(program))) {
    return [];
  }
  if (!(await has("/etc/debian_version")) && !(await has("/etc/alpine-release"))) return [];
  const missing = {
    why: "update-ca-certificates is not installed",
    fix: `${await installCommand("ca-certificates", machine)}, then this again`,
  };
  return [
    {
      name,
      check: async () => ({ kind: "unavailable", ...missing }),
      install: async () => ({ kind: "failed", ...missing }),
      // A store that does not exist cannot hold a certificate.
      remove: async () => ({ kind: "already" }),
    },
  ];
}
