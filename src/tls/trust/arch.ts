/** Arch Linux and its derivatives -> their trust store, by p11-kit's `trust`. */
import { join } from "node:path";
import type { Anchors } from "./anchors.ts";
import { exists } from "./exists.ts";
import type { Machine } from "./store.ts";

export async function archAnchors(machine: Machine): Promise<Anchors | undefined> {
  const source = "/etc/ca-certificates/trust-source";
  if (machine.platform !== "linux" || !(await exists(join(machine.root, source)))) return undefined;
  return {
    name: `system (${source}/anchors)`,
    directory: `${source}/anchors`,
    extension: ".crt",
    // The package's own script, which builds all bundles of `trust extract` that programs read.
    refresh: ["/usr/bin/update-ca-trust"],
    bundle: "/etc/ca-certificates/extracted/tls-ca-bundle.pem",
  };
}
