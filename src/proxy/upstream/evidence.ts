/** Knowledge of a process and a new observation -> the knowledge from then on. Pure: this table decides. */

/** Observations that show whether a process speaks TLS, and which version of HTTP. */
export const evidence = [
  /** A TLS alert in reply to plain bytes. */
  "alert",
  /** An answer of HTTP/1 to a plain request. */
  "plain answer",
  /**
   * Plain bytes in reply to a ClientHello: a process may change from TLS to plain HTTP, as Vite does when its settings
   * change.
   */
  "plain handshake",
  /** The process was asked whether it speaks TLS, and the reply was yes, or no. */
  "asked: yes",
  "asked: no",
  /** Frames of HTTP/2 in reply to a plain request of HTTP/1.1. */
  "frames",
  /** The process behaved oddly and was asked for HTTP/2 in plain text; the reply was frames, or no frames. */
  "asked: frames",
  "asked: no frames",
  /** No frames in reply to the preface of HTTP/2 on which a request was to follow. */
  "no frames",
  /** An answer of HTTP/1 inside TLS. */
  "secured answer",
  /** Inside TLS, a process takes no HTTP/1.1: frames were the reply to it, or the handshake failed over it. */
  "no http/1.1",
  /** Inside TLS, HTTP/2 was offered before HTTP/1.1, and the process did not choose it. */
  "no h2",
] as const;

export type Evidence = (typeof evidence)[number];

/** The knowledge of a process. */
export const known = [
  "unknown",
  /** Plain text; which HTTP has not been shown. We speak HTTP/1.1. */
  "cleartext",
  /** HTTP/1 in plain text. */
  "plain",
  /** HTTP/2 alone, in plain text. */
  "h2c",
  /** TLS; which HTTP has not been shown. We speak HTTP/1.1. */
  "tls",
  /** HTTP/1 inside TLS. */
  "https",
  /** HTTP/2 alone, inside TLS. */
  "h2",
] as const;

export type Known = (typeof known)[number];

/**
 * The transitions of what we know. A plain answer that arrived while the process was asked still holds, and so does
 * TLS. Nothing but TLS begins like an alert, and nothing but HTTP/2 like frames, so that these two always count.
 */
export const learned: Readonly<Record<Evidence, Readonly<Record<Known, Known>>>> = {
  alert: same({ unknown: "tls", cleartext: "tls", plain: "tls", h2c: "tls" }),
  "plain answer": same({ unknown: "plain", cleartext: "plain" }),
  "plain handshake": same({
    unknown: "cleartext",
    tls: "cleartext",
    https: "cleartext",
    h2: "cleartext",
  }),
  "asked: yes": same({ unknown: "tls" }),
  "asked: no": same({ unknown: "cleartext" }),
  frames: same({
    unknown: "h2c",
    cleartext: "h2c",
    plain: "h2c",
    tls: "h2c",
    https: "h2c",
    h2: "h2c",
  }),
  "asked: frames": same({ unknown: "h2c", cleartext: "h2c" }),
  "asked: no frames": same({ unknown: "plain", cleartext: "plain" }),
  "no frames": same({ h2c: "cleartext" }),
  "secured answer": same({ unknown: "https", cleartext: "https", tls: "https" }),
  "no http/1.1": same({
    unknown: "h2",
    cleartext: "h2",
    plain: "h2",
    h2c: "h2",
    tls: "h2",
    https: "h2",
  }),
  "no h2": same({
    unknown: "https",
    cleartext: "https",
    plain: "https",
    h2c: "https",
    tls: "https",
    h2: "https",
  }),
};

/** A row in which everything else stays as it is. */
function same(changes: Partial<Record<Known, Known>>): Record<Known, Known> {
  const row = Object.fromEntries(known.map((its) => [its, its])) as Record<Known, Known>;
  return { ...row, ...changes };
}
