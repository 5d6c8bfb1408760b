/** Names of application protocols into TLS's list of them, as Bun wants it. RFC 7301 section 3.1. */

/** ProtocolNameList without its length: each name behind one octet of its own. */
export function wireProtocols(protocols: readonly string[]): string {
  return protocols.map((name) => String.fromCharCode(name.length) + name).join("");
}
