/** A machine -> all its trust stores, and operations on all of them. */
import { archStores } from "./arch.ts";
import { debianStores } from "./debian.ts";
import { fedoraStores } from "./fedora.ts";
import { keychainStores } from "./keychain.ts";
import { nssStores } from "./nss.ts";
import { opensuseStores } from "./opensuse.ts";
import type { Certificate, Machine, TrustStore } from "./store.ts";
import { windowsStores } from "./windows.ts";

const finders: readonly ((machine: Machine) => Promise<TrustStore[]>)[] = [
  debianStores,
  fedoraStores,
  archStores,
  opensuseStores,
  keychainStores,
  windowsStores,
  nssStores,
];

/** The stores that exist on this machine, the system's first. */
export async function trustStores(machine: Machine): Promise<TrustStore[]> {
  return (await Promise.all(finders.map((find) => find(machine)))).flat();
}

/**
 * Removes a certificate from every store. Returns true if no store has it any more, so that it may be forgotten.
 * `report` is called for each store.
 */
export async function removeFromAll(
  stores: readonly TrustStore[],
  {
    certificate,
    report,
  }: {
    certificate: Certificate;
    report: (store: TrustStore, outcome: Awaited<ReturnType<TrustStore["remove"]>>) => void;
  },
): Promise<boolean> {
  let gone = true;
  // One after another, because more than one may ask the person something.
  for (const store of stores) {
    const outcome = await store.remove(certificate);
    if (outcome.kind === "failed" || outcome.kind === "needs you") gone = false;
    report(store, outcome);
  }
  return gone;
}
