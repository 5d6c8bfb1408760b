/** The Authorization field of `GET /v1/handshake` -> this daemon's identity, for clients with the credential. Pure. */
import { daemonProof, provedNonce, sameSecret } from "./proof.ts";
import type { Registration } from "./protocol.ts";

export const handshakePath = "/v1/handshake";
/** The command on the socket: `{"Handshake": {"proof": "<nonce>.<code>"}}`. */
export const handshakeName = "Handshake";

/** The text that a client of the socket signs in place of host and port. */
export function socketAuthority(path: string): string {
  return `unix:${path}`;
}

export type Handshake = Registration & {
  /** The daemon's own proof, for a client that has only proved the credential. */
  proof?: string;
  /** False while the daemon waits for the proxy's port, which its predecessor still has. */
  listening?: boolean;
};

export type HandshakeOptions = {
  credential: string;
  facts: Registration & { addresses?: readonly string[] };
  /** Host and port, as in the request. */
  authority: string;
};

/** Undefined: the client has proved nothing, and gets nothing. */
export function handshake(
  authorization: string | null | undefined,
  { credential, facts, authority }: HandshakeOptions,
): Handshake | undefined {
  if (!authorization) return undefined;
  const { id, pid, protocol, version, url, socket, startedAt, port } = facts;
  const { httpPort, httpsPort, tlds, addresses } = facts;
  // The facts have more than a handshake reveals. Undefined fields are left out of the JSON.
  const body: Handshake = {
    ...{ id, pid, protocol, version, url, socket, startedAt, port, tlds },
    ...(httpPort === undefined ? {} : { httpPort }),
    ...(httpsPort === undefined ? {} : { httpsPort }),
    ...(addresses?.length === 0 ? { listening: false } : {}),
  };
  const bearer = /^bearer ([^\s]+)$/i.exec(authorization)?.[1];
  if (bearer !== undefined) return sameSecret(bearer, credential) ? body : undefined;
  const nonce = provedNonce(authorization, { credential, authority });
  if (nonce === undefined) return undefined;
  return { ...body, proof: daemonProof(credential, { nonce, id, pid, protocol }) };
}
