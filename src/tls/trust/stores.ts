/** A machine -> all its trust stores, and operations on all of them. */
import { type Anchors, anchorStore } from "./anchors.ts";
import { archAnchors } from "./arch.ts";
import { debianAnchors, debianWithout } from "./debian.ts";
import { fedoraAnchors } from "./fedora.ts";
import { keychainStores } from "./keychain.ts";
import { nssStores } from "./nss.ts";
import { opensuseAnchors } from "./opensuse.ts";
import type { Certificate, Machine, TrustStore } from "./store.ts";
import { windowsStores } from "./windows.ts";

/** Distributions with a folder for a person's own authorities. */
const folders: readonly ((machine: Machine) => Promise<Anchors | undefined>)[] = [
  debianAnchors,
  fedoraAnchors,
  archAnchors,
  opensuseAnchors,
];

/** The system's own stores, for all of its users. */
export async function systemAnchors(machine: Machine): Promise<Anchors[]> {
  return (await Promise.all(folders.map((find) => find(machine)))).filter(
    (its) => its !== undefined,
  );
}

async function systemStores(machine: Machine): Promise<TrustStore[]> {
  return (await systemAnchors(machine)).map((anchors) => anchorStore(anchors, machine));
}

const finders: readonly ((machine: Machine) => Promise<TrustStore[]>)[] = [
  systemStores,
  debianWithout,
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
