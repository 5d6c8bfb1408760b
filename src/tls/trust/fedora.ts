/** Fedora, RHEL and their derivatives -> their trust store, by `update-ca-trust`. */
import { join } from "node:path";
import { anchorStore } from "./anchors.ts";
import { exists } from "./exists.ts";
import type { Machine, TrustStore } from "./store.ts";

export async function fedoraStores(machine: Machine): Promise<TrustStore[]> {
  const source = "/etc/pki/ca-trust/source";
  if (machine.platform !== "linux" || !(await exists(join(machine.root, source)))) return [];
  return [
    anchorStore(
      {
        name: `system (${source}/anchors)`,
        directory: `${source}/anchors`,
        extension: ".pem",
        refresh: ["/usr/bin/update-ca-trust", "extract"],
        bundle: "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
      },
      machine,
    ),
  ];
}
