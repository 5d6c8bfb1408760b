/** The reason why a TLS connection ends -> the alert record that says so. RFC 8446 section 6. */

/** The values of AlertDescription that we send. */
export const Alert = {
  unexpectedMessage: 10,
  recordOverflow: 22,
  illegalParameter: 47,
  accessDenied: 49,
  decodeError: 50,
  protocolVersion: 70,
  unrecognizedName: 112,
} as const;

export type Alert = (typeof Alert)[keyof typeof Alert];

/** A fatal alert in plain text, for a client that has only sent its ClientHello: nothing is encrypted yet. */
export function fatalAlert(alert: Alert): Uint8Array {
  return Uint8Array.of(21, 3, 3, 0, 2, 2, alert);
}
