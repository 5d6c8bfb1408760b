/** How a TLS handshake of ours as a client went into what it says about the server. */

export type HandshakeVerdict =
  /** The connection can be used. Whose certificate it is does not matter on the same machine. */
  | { kind: "secured" }
  /** It speaks TLS, but not with us. `why`: OpenSSL's words, in lower case. */
  | { kind: "refused"; why: string }
  /** It said something that is no TLS. */
  | { kind: "plain" }
  /** It closed, or was lost, before it had said enough. */
  | { kind: "lost" };

export function handshakeVerdict(success: boolean, error: Error | null): HandshakeVerdict {
  if (success) return { kind: "secured" };
  const code = (error as { code?: unknown } | null)?.code;
  if (code === "EPROTO") return refusal(error!.message);
  // Verdicts on certificates have names such as CERT_HAS_EXPIRED; the system's errors are one word.
  const system = typeof code !== "string" || /^E[A-Z0-9]+$/.test(code);
  return { kind: system ? "lost" : "secured" };
}

/** `message` ends with what OpenSSL calls it, as in `error:100000f7:SSL routines:OPENSSL_internal:WRONG_VERSION_NUMBER`. */
function refusal(message: string): HandshakeVerdict {
  const name = message.slice(message.lastIndexOf(":") + 1);
  // A record of another protocol's letters has no version of TLS in its second and third octet.
  if (name === "WRONG_VERSION_NUMBER") return { kind: "plain" };
  return { kind: "refused", why: name.toLowerCase().replaceAll("_", " ") };
}
