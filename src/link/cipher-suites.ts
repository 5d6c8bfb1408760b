/** The cipher suites that we accept in TLS 1.2, as OpenSSL names them: with AEAD and forward secrecy alone. */

/**
 * Mozilla's "intermediate" list: RFC 9325 section 4.2 recommends these, and RFC 9113 appendix A forbids all others in
 * HTTP/2. TLS 1.3 has no others.
 */
export const cipherSuites = [
  "ECDHE-ECDSA-AES128-GCM-SHA256",
  "ECDHE-RSA-AES128-GCM-SHA256",
  "ECDHE-ECDSA-AES256-GCM-SHA384",
  "ECDHE-RSA-AES256-GCM-SHA384",
  "ECDHE-ECDSA-CHACHA20-POLY1305",
  "ECDHE-RSA-CHACHA20-POLY1305",
].join(":");
