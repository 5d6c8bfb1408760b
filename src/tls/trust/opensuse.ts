/** openSUSE and SLES -> their trust store, by their own `update-ca-certificates`. */
import { join } from "node:path";
import type { Anchors } from "./anchors.ts";
import { exists } from "./exists.ts";
import type { Machine } from "./store.ts";

export async function opensuseAnchors(machine: Machine): Promise<Anchors | undefined> {
  if (machine.platform !== "linux" || !(await exists(join(machine.root, "/etc/pki/trust")))) {
    return undefined;
  }
  return {
    name: "system (/etc/pki/trust/anchors)",
    directory: "/etc/pki/trust/anchors",
    extension: ".pem",
    refresh: ["/usr/sbin/update-ca-certificates"],
    bundle: "/var/lib/ca-certificates/ca-bundle.pem",
  };
}
