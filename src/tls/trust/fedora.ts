/** Fedora, RHEL and their derivatives -> their trust store, by `update-ca-trust`. */
import { join } from "node:path";
import type { Anchors } from "./anchors.ts";
import { exists } from "./exists.ts";
import type { Machine } from "./store.ts";

export async function fedoraAnchors(machine: Machine): Promise<Anchors | undefined> {
  const source = "/etc/pki/ca-trust/source";
  if (machine.platform !== "linux" || !(await exists(join(machine.root, source)))) return undefined;
  return {
    name: `system (${source}/anchors)`,
    directory: `${source}/anchors`,
    extension: ".pem",
    refresh: ["/usr/bin/update-ca-trust", "extract"],
    bundle: "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
  };
}
