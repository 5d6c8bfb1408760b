/** The result of a TLS handshake with a server -> what it says about that server. */

export type HandshakeVerdict =
  /** The connection is usable. The certificate does not matter, because the server is on the same machine. */
  | { kind: "secured" }
  /** The server speaks TLS, but refused this handshake. `why`: OpenSSL's words, in lower case. */
  | { kind: "refused"; why: string }
  /** The server answered with something that is not TLS. */
  | { kind: "plain" }
  /** The connection was closed or lost too early for a verdict. */
  | { kind: "lost" };

export function handshakeVerdict(success: boolean, error: Error | null): HandshakeVerdict {
  if (success) return { kind: "secured" };
  const code = (error as { code?: unknown } | null)?.code;
  if (code === "EPROTO") return refusal(error!.message);
  // Verdicts about certificates have names such as CERT_HAS_EXPIRED; the system's error codes are a single word.
  const system = typeof code !== "string" || /^E[A-Z0-9]+$/.test(code);
  return { kind: system ? "lost" : "secured" };
}

/**
 * `message` ends with OpenSSL's name for the error: `error:100000f7:SSL
 * routines:OPENSSL_internal:WRONG_VERSION_NUMBER`.
 */
function refusal(message: string): HandshakeVerdict {
  const name = message.slice(message.lastIndexOf(":") + 1);
  // In text of another protocol, the second and third octet are not a version of TLS.
  if (name === "WRONG_VERSION_NUMBER") return { kind: "plain" };
  return { kind: "refused", why: name.toLowerCase().replaceAll("_", " ") };
}
