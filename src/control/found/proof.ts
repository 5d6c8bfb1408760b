/** The credential and a nonce -> a proof of having the credential that does not reveal it. */
import { createHmac, timingSafeEqual } from "node:crypto";

/** Whether two texts are equal, in a time that does not depend on where they differ. */
export function sameSecret(given: string, secret: string): boolean {
  // Digests have one length; a new key for each comparison means that nobody can prepare them.
  const key = crypto.getRandomValues(new Uint8Array(32));
  const digest = (text: string) => createHmac("sha256", key).update(text).digest();
  return timingSafeEqual(digest(given), digest(secret));
}

/** 256 bits as hexadecimal digits. */
export function newNonce(): string {
  return Buffer.from(crypto.getRandomValues(new Uint8Array(32))).toString("hex");
}

function mac(credential: string, lines: readonly (string | number)[]): string {
  return createHmac("sha256", credential).update(lines.join("\n")).digest("hex");
}

/**
 * `authority`: the host and port that the client dialled. A stranger who relays the proof to the daemon, on another
 * port, gets nothing for it.
 */
export function clientProof(
  credential: string,
  { nonce, authority }: { nonce: string; authority: string },
): string {
  return mac(credential, ["localhostess client", nonce, authority]);
}

export type Claim = { nonce: string; id: string; pid: number; protocol: string };

export function daemonProof(credential: string, { nonce, id, pid, protocol }: Claim): string {
  return mac(credential, ["localhostess daemon", nonce, id, pid, protocol]);
}

/** The value of the Authorization field, in place of the credential. */
export function proofField(
  credential: string,
  { nonce, authority }: { nonce: string; authority: string },
): string {
  return `Proof ${nonce}.${clientProof(credential, { nonce, authority })}`;
}

/** The nonce of a field that proves the credential; undefined for every other. */
export function provedNonce(
  field: string,
  { credential, authority }: { credential: string; authority: string },
): string | undefined {
  const [, nonce, proof] = /^proof ([0-9a-f]{64})\.([0-9a-f]{64})$/i.exec(field) ?? [];
  if (nonce === undefined || proof === undefined) return undefined;
  return sameSecret(proof, clientProof(credential, { nonce, authority })) ? nonce : undefined;
}
