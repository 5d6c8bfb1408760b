/** A record and the credential -> whether the daemon that it tells of is there, is that one, and speaks as we do. */
import { type Clock, systemClock } from "../system/clock.ts";
import { type Handshake, handshakePath } from "./handshake.ts";
import { authorityOf, httpRequest } from "./http-request.ts";
import { daemonProof, newNonce, proofField, sameSecret } from "./proof.ts";
import { protocol } from "./protocol.ts";
import { endpointOf, type Registration, registrationOf } from "./registration.ts";

export type Probed =
  | { kind: "healthy"; handshake: Handshake }
  /** Nothing accepts, or nothing comes back in time. */
  | { kind: "dead"; why: string }
  /** Something answers that is not the daemon of this record. */
  | { kind: "stranger"; why: string }
  /** The daemon of this record, of a version that we cannot talk with. */
  | { kind: "other-protocol"; protocol: string; handshake: Handshake };

export type ProbeOptions = {
  /** Milliseconds. */
  deadline?: number;
  clock?: Clock;
};

/** Milliseconds: everything is on this machine, so what hangs longer does not work. */
export const probeDeadline = 1_000;

/**
 * One round trip. The credential itself is not sent: whoever listens there may have taken the port since the
 * record was written.
 */
export async function probe(
  registration: Registration,
  credential: string,
  { deadline = probeDeadline, clock = systemClock }: ProbeOptions = {},
): Promise<Probed> {
  const endpoint = endpointOf(registration.url);
  if (endpoint === undefined) return { kind: "dead", why: "its address is not on loopback" };
  const nonce = newNonce();
  const authority = authorityOf(endpoint);
  const answer = await httpRequest({
    ...endpoint,
    method: "GET",
    path: handshakePath,
    fields: { Authorization: proofField(credential, { nonce, authority }) },
    deadline,
    clock,
  });
  if (answer.kind === "silent") return { kind: "dead", why: answer.why };
  const stranger = (why: string): Probed => ({ kind: "stranger", why });
  if (answer.kind === "strange") return stranger(answer.why);
  if (answer.status !== 200) return stranger(`it answers ${answer.status} to our credential`);
  const handshake = handshakeOf(answer.body);
  if (handshake?.proof === undefined) return stranger("it does not answer as a daemon does");
  if (!sameSecret(handshake.proof, daemonProof(credential, { ...handshake, nonce }))) {
    return stranger("it does not know our credential");
  }
  if (handshake.id !== registration.id || handshake.pid !== registration.pid) {
    return stranger("it is another daemon than the record's");
  }
  if (handshake.protocol !== protocol) {
    return { kind: "other-protocol", protocol: handshake.protocol, handshake };
  }
  return { kind: "healthy", handshake };
}

function handshakeOf(body: string): Handshake | undefined {
  let value: unknown;
  try {
    value = JSON.parse(body);
  } catch {
    // Not ours, and what else it is does not matter.
    return undefined;
  }
  const facts = registrationOf(value);
  if (facts === undefined) return undefined;
  const { proof, listening } = value as { proof?: unknown; listening?: unknown };
  if (typeof proof !== "string") return undefined;
  return { ...facts, proof, listening: listening !== false };
}
