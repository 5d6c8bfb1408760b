/** Fields of authentication -> whether they belong to a login that is bound to its connection. Pure. */
import { isToken, lowered } from "./bytes.ts";

/**
 * Schemes that log a connection in, not a request: who sends the next request on the same connection has the login
 * too. NTLM and Negotiate (RFC 4559), Nego2 (MS-N2HT), and those of Windows Remote Management.
 */
const boundSchemes = ["ntlm", "negotiate", "nego2", "kerberos", "credssp"].map((name) =>
  new TextEncoder().encode(name),
);

/** How far a request takes such a login. */
export const Login = {
  /** The request has no part in one. */
  none: 0,
  /** The request begins one. */
  first: 1,
  /** The request goes on with one, as far as its token tells. */
  later: 2,
} as const;

export type LoginStep = (typeof Login)[keyof typeof Login];

/** NTLMSSP's NEGOTIATE_MESSAGE in base64: the signature and the message's type (MS-NLMP section 2.2.1.1). */
const ntlmFirst = new TextEncoder().encode("TlRMTVNTUAAB");

/** A GSS-API token of a first message has the tag 0x60 (RFC 2743 section 3.1), which is `Y` in base64. */
const LETTER_Y = 89;

/** The step of the Authorization in bytes[start, end). No string is made. */
export function loginStep(bytes: Uint8Array, start: number, end: number): LoginStep {
  let at = start;
  while (at < end && isToken[bytes[at]!] === 1) at++;
  if (!isBoundScheme(bytes, start, at)) return Login.none;
  while (at < end && isToken[bytes[at]!] !== 1) at++;
  if (bytes[at] === LETTER_Y) return Login.first;
  if (end - at < ntlmFirst.length) return Login.later;
  for (let i = 0; i < ntlmFirst.length; i++) {
    if (bytes[at + i] !== ntlmFirst[i]) return Login.later;
  }
  return Login.first;
}

/**
 * Whether the WWW-Authenticate in bytes[start, end) offers such a login. Every word counts, also one within quotes: a
 * connection that is kept private for nothing costs less than a list that is read otherwise than the client reads it.
 */
export function offersBoundLogin(bytes: Uint8Array, start: number, end: number): boolean {
  let at = start;
  while (at < end) {
    while (at < end && isToken[bytes[at]!] !== 1) at++;
    const from = at;
    while (at < end && isToken[bytes[at]!] === 1) at++;
    if (isBoundScheme(bytes, from, at)) return true;
  }
  return false;
}

function isBoundScheme(bytes: Uint8Array, start: number, end: number): boolean {
  const length = end - start;
  next: for (let k = 0; k < boundSchemes.length; k++) {
    const name = boundSchemes[k]!;
    if (name.length !== length) continue;
    for (let i = 0; i < length; i++) if (lowered(bytes[start + i]!) !== name[i]) continue next;
    return true;
  }
  return false;
}
