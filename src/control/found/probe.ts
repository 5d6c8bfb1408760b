/** A record and the credential -> whether its daemon runs, is the one in the record, and has our protocol. */
import { type Clock, systemClock } from "../../system/clock.ts";
import { ask } from "./client.ts";
import { type Handshake, handshakeName, handshakePath, socketAuthority } from "./handshake.ts";
import { authorityOf, httpRequest } from "./http-request.ts";
import { clientProof, daemonProof, newNonce, proofField, sameSecret } from "./proof.ts";
import { protocol } from "./protocol.ts";
import { endpointOf, type Registration, registrationOf } from "./registration.ts";

/** The socket is in a folder of ours alone, so that whoever listens there is a process of ours. */
export type Door = "socket" | "port";

export type Probed =
  | { kind: "healthy"; handshake: Handshake; by: Door }
  /** Nobody listens at either place. */
  | { kind: "dead"; why: string }
  /** Somebody accepts connections, and says nothing in time: a daemon that is stopped, hangs, or has too much to do. */
  | { kind: "silent"; why: string; by: Door }
  /** A process that does not know our credential answers. */
  | { kind: "stranger"; why: string; by: Door }
  /** A daemon answers that knows our credential, and is not the one in the record. */
  | { kind: "another"; why: string; handshake: Handshake }
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
  const isTheOne = bySocket.kind === "healthy" || bySocket.kind === "other-protocol";
  if (isTheOne || left <= 0) return late(bySocket, deadline);
  const byPort = late(
    await probePort(registration, credential, { deadline: left, clock }),
    deadline,
  );
  if (bySocket.kind === "dead") return byPort;
  // Anybody may have the port, so that an answer without a proof there is nothing against one at the socket.
  return proofs.includes(byPort.kind) ? byPort : bySocket;
}

/** Answers of a daemon that has proved the credential. */
const proofs: readonly Probed["kind"][] = ["healthy", "other-protocol", "another"];

/** With the time that was given for both. */
function late(probed: Probed, deadline: number): Probed {
  return probed.kind === "silent" ? { ...probed, why: `no answer within ${deadline} ms` } : probed;
}

async function probeSocket(
  registration: Registration,
  credential: string,
  deadline: number,
): Promise<Probed> {
  const nonce = newNonce();
  const authority = socketAuthority(registration.socket);
  const proof = `${nonce}.${clientProof(credential, { nonce, authority })}`;
  const answer = await ask<Record<string, unknown> | null>(
    registration.socket,
    { [handshakeName]: { proof } },
    { deadline },
  );
  if (answer.kind === "failed") {
    const { why, by } = answer;
    if (by === "nobody") return { kind: "dead", why };
    return by === "silence" ? { kind: "silent", why, by: "socket" } : stranger(why, "socket");
  }
  const handshake = handshakeOf(answer.value?.[handshakeName]);
  if (handshake === undefined) return stranger(notOurs, "socket");
  return judged(handshake, { registration, credential, nonce, by: "socket" });
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
  const { kind } = answer;
  if (kind === "silent") {
    const { why } = answer;
    return answer.late ? { kind, why, by: "port" } : { kind: "dead", why };
  }
  if (kind === "strange") return stranger(answer.why, "port");
  if (answer.status !== 200) {
    return stranger(`it answers ${answer.status} to our credential`, "port");
  }
  const handshake = handshakeOf(jsonIn(answer.body));
  if (handshake === undefined) return stranger(notOurs, "port");
  return judged(handshake, { registration, credential, nonce, by: "port" });
}

const notOurs = "it does not answer as a daemon does";

function stranger(why: string, by: Door): Probed {
  return { kind: "stranger", why, by };
}

type Known = { registration: Registration; credential: string; nonce: string; by: Door };

function judged(
  handshake: Handshake & { proof: string },
  { registration, credential, nonce, by }: Known,
): Probed {
  if (!sameSecret(handshake.proof, daemonProof(credential, { ...handshake, nonce }))) {
    return stranger("it does not know our credential", by);
  }
  if (handshake.id !== registration.id || handshake.pid !== registration.pid) {
    return { kind: "another", why: "it is another daemon than the record's", handshake };
  }
  if (handshake.protocol !== protocol) {
    return { kind: "other-protocol", protocol: handshake.protocol, handshake };
  }
  return { kind: "healthy", handshake, by };
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
