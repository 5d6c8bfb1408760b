/** The server name of a ClientHello -> the subject of the certificate for that client, or none. */
import { classifyHost } from "../routes/host.ts";

/** Which of the two certificate authorities signs: the one for names under our suffixes, or the one for bare names. */
export type CertificateAuthorityKind = "names" | "bare";

export type Subject = {
  /** Lower case, without a trailing dot. Two equal names get the same leaf. */
  name: string;
  signer: CertificateAuthorityKind;
  /** Whether the leaf also covers the loopback addresses, for a client that sent no server name. */
  addresses: boolean;
  /** The configured domain of the name; undefined under `localhost`, which every certificate authority may sign for. */
  tld?: string | undefined;
  /**
   * The requested bare name of a service for which no certificate authority signs. The certificate of `name` tells the
   * client the name to use instead.
   */
  insteadOf?: string;
};

export type Ours = {
  /** Domains besides `localhost`: lower case, without leading or trailing dots. */
  tlds: readonly string[];
  /** Whether there is a certificate authority for names such as `api`. */
  bareNames: boolean;
  /** Whether a service has this bare name. */
  isService(name: string): boolean;
};

/**
 * A client that connects to an address sends no server name (RFC 6066 section 3), and its leaf has the addresses. The
 * leaf for the name `localhost` has none: Bun's own client refuses any leaf with addresses if its certificate authority
 * has constraints on addresses ("unsupported name constraint type", Bun 1.4.5).
 */
const loopback: Subject = { name: "", signer: "names", addresses: true };

/** RFC 1035 section 2.3.4, without the trailing dot. */
const longestName = 253;
const longestLabel = 63;

/** Undefined for a name that is not ours: the client gets no certificate, but the alert `unrecognized_name`. */
export function subjectOf(serverName: string | undefined, ours: Ours): Subject | undefined {
  if (serverName === undefined || serverName === "") return loopback;
  // Checked before anything whose cost grows with the length.
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
