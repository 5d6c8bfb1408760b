/** The server name of a ClientHello -> the certificate that its client gets, or none. */
import { classifyHost } from "../routes/host.ts";

/** Which of the two authorities signs: the one for names under our suffixes, or the one for bare names. */
export type CertificateAuthorityKind = "names" | "bare";

export type Subject = {
  /** Lower case, without a final dot: two that are equal get the same leaf. */
  name: string;
  signer: CertificateAuthorityKind;
  /** Whether its leaf also is for the loopback addresses: what a client gets that named no server. */
  addresses: boolean;
  /** The configured domain that it is under; undefined under `localhost`, which every authority may sign for. */
  tld?: string | undefined;
  /** The bare name of a service that was asked for, which no authority signs for: its client is told of this name by the certificate. */
  insteadOf?: string;
};

export type Ours = {
  /** Domains besides `localhost`, lower case, without dots at their ends. */
  tlds: readonly string[];
  /** Whether there is an authority for names such as `api`. */
  bareNames: boolean;
  /** Whether a service has this bare name. */
  isService(name: string): boolean;
};

/**
 * A client that dials an address names no server (RFC 6066 section 3), and its leaf has the addresses. The leaf for
 * the name `localhost` has none: Bun's own client refuses a leaf that has any, whatever it asked for, when its
 * authority's constraints speak of addresses ("unsupported name constraint type", Bun 1.4.5).
 */
const loopback: Subject = { name: "", signer: "names", addresses: true };

/** RFC 1035 section 2.3.4, without the final dot. */
const longestName = 253;
const longestLabel = 63;

/** Undefined for a name that is not ours: no certificate, but the alert `unrecognized_name`. */
export function subjectOf(serverName: string | undefined, ours: Ours): Subject | undefined {
  if (serverName === undefined || serverName === "") return loopback;
  // Before anything that costs more for a longer text.
  if (serverName.length > longestName + 1) return undefined;
  const name = serverName.toLowerCase().replace(/\.$/, "");
  if (name.length > longestName) return undefined;
  if (name.split(".").some((label) => label.length > longestLabel)) return undefined;
  if (name === "::1") return loopback;
  const host = classifyHost(name, ours.tlds);
  if (host.kind === "foreign") return undefined;
  if (host.kind === "own") {
    return name === "localhost" ? { name, signer: "names", addresses: false } : loopback;
  }
  if (host.domain === "localhost") return { name, signer: "names", addresses: false };
  if (host.domain !== "") return { name, signer: "names", addresses: false, tld: host.domain };
  if (ours.bareNames) return { name, signer: "bare", addresses: false };
  if (!ours.isService(name)) return undefined;
  return { name: `${name}.localhost`, signer: "names", addresses: false, insteadOf: name };
}
