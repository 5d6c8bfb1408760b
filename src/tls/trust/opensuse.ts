/** openSUSE and SLES -> their trust store, by their own `update-ca-certificates`. */
import { join } from "node:path";
import { anchorStore } from "./anchors.ts";
import { exists } from "./exists.ts";
import type { Machine, TrustStore } from "./store.ts";

export async function opensuseStores(machine: Machine): Promise<TrustStore[]> {
  if (machine.platform !== "linux" || !(await exists(join(machine.root, "/etc/pki/trust")))) {
    return [];
  }
  return [
    anchorStore(
      {
        name: "system (/etc/pki/trust/anchors)",
        directory: "/etc/pki/trust/anchors",
        extension: ".pem",
        refresh: ["/usr/sbin/update-ca-certificates"],
        bundle: "/var/lib/ca-certificates/ca-bundle.pem",
      },
      machine,
    ),
  ];
}
