/** The credential and a nonce -> what proves to the other side that one has it, without telling it. */
import { createHmac, timingSafeEqual } from "node:crypto";

/** Whether two texts are the same, in a time that does not tell where they differ. */
export function sameSecret(given: string, secret: string): boolean {
  // Digests have one length, and a key of their own for each comparison keeps them from being prepared.
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
 * `authority`: the host and port that the client speaks to. A stranger who passes the proof on to the
 * daemon, on another port, gets nothing for it.
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

/** What goes into the Authorization field in the credential's place. */
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
