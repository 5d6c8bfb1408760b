/** A record and the credential -> whether its daemon runs, is the one in the record, and has our protocol. */
import { type Clock, systemClock } from "../../system/clock.ts";
import { ask } from "./client.ts";
import { type Handshake, handshakeName, handshakePath, socketAuthority } from "./handshake.ts";
import { authorityOf, httpRequest } from "./http-request.ts";
import { clientProof, daemonProof, newNonce, proofField, sameSecret } from "./proof.ts";
import { protocol } from "./protocol.ts";
import { endpointOf, type Registration, registrationOf } from "./registration.ts";

export type Probed =
  | { kind: "healthy"; handshake: Handshake }
  /** The connection is refused, or nothing comes back in time. */
  | { kind: "dead"; why: string }
  /** Another process answers. */
  | { kind: "stranger"; why: string }
  /** The daemon of this record answers, with another protocol. */
  | { kind: "other-protocol"; protocol: string; handshake: Handshake };

export type ProbeOptions = {
  /** Milliseconds. */
  deadline?: number;
  clock?: Clock;
};

/** Milliseconds. Everything is on this machine, so a daemon that takes longer does not work. */
export const probeDeadline = 1_000;

/**
 * Tries the socket first, which other users cannot fill with connections, then the port, as the socket may belong to
 * the next daemon. The credential itself is not sent: another process may have taken the place since the record was
 * written.
 */
export async function probe(
  registration: Registration,
  credential: string,
  { deadline = probeDeadline, clock = systemClock }: ProbeOptions = {},
): Promise<Probed> {
  const end = clock.now() + deadline;
  const bySocket = await probeSocket(registration, credential, deadline);
  const left = end - clock.now();
  // The time ran out before the port answered.
  const late: Probed = { kind: "dead", why: `no answer within ${deadline} ms` };
  if (bySocket?.kind === "healthy" || left <= 0) return bySocket ?? late;
  const byPort = await probePort(registration, credential, { deadline: left, clock });
  return byPort.kind === "dead" && clock.now() >= end ? late : byPort;
}

/** Undefined if the process that answers there is not the daemon of this record, for any reason. */
async function probeSocket(
  registration: Registration,
  credential: string,
  deadline: number,
): Promise<Probed | undefined> {
  const nonce = newNonce();
  const authority = socketAuthority(registration.socket);
  const proof = `${nonce}.${clientProof(credential, { nonce, authority })}`;
  const answer = await ask<Record<string, unknown> | null>(
    registration.socket,
    { [handshakeName]: { proof } },
    { deadline },
  );
  if (answer.kind === "failed") return undefined;
  const handshake = handshakeOf(answer.value?.[handshakeName]);
  return handshake === undefined
    ? undefined
    : judged(handshake, { registration, credential, nonce });
}

async function probePort(
  registration: Registration,
  credential: string,
  { deadline, clock }: { deadline: number; clock: Clock },
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
  if (answer.kind === "strange") return stranger(answer.why);
  if (answer.status !== 200) return stranger(`it answers ${answer.status} to our credential`);
  const handshake = handshakeOf(jsonIn(answer.body));
  if (handshake === undefined) return stranger("it does not answer as a daemon does");
  return judged(handshake, { registration, credential, nonce });
}

function stranger(why: string): Probed {
  return { kind: "stranger", why };
}

type Known = { registration: Registration; credential: string; nonce: string };

function judged(
  handshake: Handshake & { proof: string },
  { registration, credential, nonce }: Known,
): Probed {
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

function jsonIn(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    // Not our daemon; anything else does not matter.
    return undefined;
  }
}

function handshakeOf(value: unknown): (Handshake & { proof: string }) | undefined {
  const facts = registrationOf(value);
  if (facts === undefined) return undefined;
  const { proof, listening } = value as { proof?: unknown; listening?: unknown };
  if (typeof proof !== "string") return undefined;
  return { ...facts, proof, listening: listening !== false };
}
