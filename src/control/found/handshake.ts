/** The Authorization field of `GET /v1/handshake` -> who this daemon is, for whoever has the credential. Pure. */
import { daemonProof, provedNonce, sameSecret } from "./proof.ts";
import type { Registration } from "./protocol.ts";

export const handshakePath = "/v1/handshake";
/** By the socket: `{"Handshake": {"proof": "<nonce>.<code>"}}`. */
export const handshakeName = "Handshake";

/** What a client that dials the socket signs in the place of host and port. */
export function socketAuthority(path: string): string {
  return `unix:${path}`;
}

export type Handshake = Registration & {
  /** Of the daemon's own, to a client that has only proved the credential. */
  proof?: string;
  /** False while it waits for the proxy's port, which the daemon before it still has. */
  listening?: boolean;
};

export type HandshakeOptions = {
  credential: string;
  facts: Registration & { addresses?: readonly string[] };
  /** Host and port as the request has them. */
  authority: string;
};

/** Undefined: it is not known who asks, and nothing is told. */
export function handshake(
  authorization: string | null | undefined,
  { credential, facts, authority }: HandshakeOptions,
): Handshake | undefined {
  if (!authorization) return undefined;
  const { id, pid, protocol, version, url, socket, startedAt, port } = facts;
  const { httpPort, httpsPort, tlds, addresses } = facts;
  // The facts of a daemon are more than a handshake tells. What is undefined is not written.
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
