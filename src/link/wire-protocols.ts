/** Names of application protocols -> TLS's list of them, in the form that Bun takes. RFC 7301 section 3.1. */

/** ProtocolNameList without its length: each name after one octet with the name's length. */
export function wireProtocols(protocols: readonly string[]): string {
  return protocols.map((name) => String.fromCharCode(name.length) + name).join("");
}
