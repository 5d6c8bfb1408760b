/** PEM text -> the certificates in it, and the hashes by which stores identify them. */
import { createHash, X509Certificate } from "node:crypto";

const block = /-----BEGIN CERTIFICATE-----([A-Za-z0-9+/=\s]+)-----END CERTIFICATE-----/g;

/** Base64 without white space: equal for equal certificates, however their lines are broken. */
export function bodiesOf(text: string): string[] {
  return [...text.matchAll(block)].map(([, body]) => body!.replace(/\s+/g, ""));
}

/** The single certificate in a text. @throws Error if there is none. */
export function bodyOf(pem: string): string {
  const [body] = bodiesOf(pem);
  if (body === undefined) throw new Error("there is no certificate in the text");
  return body;
}

export function pemOf(body: string): string {
  const lines = body.replace(/.{64}(?=.)/g, "$&\n");
  return `-----BEGIN CERTIFICATE-----\n${lines}\n-----END CERTIFICATE-----\n`;
}

/** The hash of the DER: 64 hexadecimal digits, lower case. */
export function sha256Of(pem: string): string {
  return hashOf(pem, "sha256");
}

/** The hash by which Windows and the macOS keychain identify a certificate: 40 hexadecimal digits, upper case. */
export function sha1Of(pem: string): string {
  return hashOf(pem, "sha1").toUpperCase();
}

/** The common name of the subject; undefined if it has none. */
export function commonNameOf(pem: string): string | undefined {
  return new X509Certificate(pem).subject?.match(/^CN=(.*)$/m)?.[1];
}

function hashOf(pem: string, algorithm: "sha1" | "sha256"): string {
  return createHash(algorithm)
    .update(Buffer.from(bodyOf(pem), "base64"))
    .digest("hex");
}
