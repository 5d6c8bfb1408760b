/** A certificate authority and a subject -> a leaf: a short-lived key and certificate for one name. */
import type { Clock } from "../system/clock.ts";
import { DAY, type Pair, type Signer, signLeaf } from "./certificate.ts";
import type { Subject } from "./server-name.ts";

/**
 * PEM of the leaf alone: clients that trust the certificate authority have its certificate (RFC 8446 section 4.4.2).
 */
export type Leaf = Pair & {
  /** When the leaf should be replaced. Milliseconds since the Unix epoch. */
  renewAt: number;
  /** When clients stop accepting the leaf. Milliseconds since the Unix epoch. */
  expiresAt: number;
};

/** For clients whose clocks are behind ours: containers, and virtual machines that slept. */
const slack = DAY;
const lifetime = 90 * DAY;

/** @throws Error if the certificate authority's key cannot sign. */
export async function mintLeaf(
  subject: Subject,
  options: { signer: Signer; clock: Clock },
): Promise<Leaf> {
  const now = options.clock.wall();
  // A leaf that outlives its certificate authority would be refused anyway, but with a less helpful error.
  const expiresAt = Math.min(now + lifetime, options.signer.certificate.notAfter.getTime());
  const pair = await signLeaf(options.signer, {
    dns: dnsNames(subject),
    addresses: subject.addresses ? ["127.0.0.1", "::1"] : [],
    validity: { from: now - slack, to: expiresAt },
  });
  return { ...pair, expiresAt, renewAt: now + ((expiresAt - now) * 2) / 3 };
}

/**
 * The name, and one level under it. No wildcard right under a top-level label (`*.localhost`, `*.api`), because clients
 * refuse it: OpenSSL requires two labels after the star, browsers require more than a public suffix.
 */
function dnsNames({ name }: Subject): string[] {
  if (name === "") return ["localhost"];
  return name.includes(".") ? [name, `*.${name}`] : [name];
}
