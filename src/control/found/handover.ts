/** A running daemon that has proved itself -> what it hands to the one that replaces it: the shells of `up`. */
import type { Clock } from "../../system/clock.ts";
import { ask } from "./client.ts";
import type { Found } from "./connect.ts";
import { socketAuthority } from "./handshake.ts";
import { clientProof, daemonProof, newNonce, sameSecret } from "./proof.ts";

/** The request on the socket: `{"Handover": {"proof": "<nonce>.<code>"}}`. There is no such route of the HTTP API. */
export const handoverName = "Handover";

/** Milliseconds: the next daemon does not wait for one that hangs. */
const patience = 2_000;

type Reply = { proof?: unknown; shells?: unknown };

/** Undefined where it is not told, for any reason: the services say so. Never rejects. */
export async function askHandover(
  { registration, credential }: Extract<Found, { kind: "healthy" }>,
  clock: Clock,
): Promise<unknown> {
  const { id, pid, protocol, socket } = registration;
  const nonce = newNonce();
  const proof = `${nonce}.${clientProof(credential, { nonce, authority: socketAuthority(socket) })}`;
  const late = Promise.withResolvers<undefined>();
  const cancel = clock.after(patience, () => late.resolve(undefined));
  const asked = ask<Record<string, Reply | undefined> | null>(
    socket,
    { [handoverName]: { proof } },
    { deadline: patience },
  );
  const answer = await Promise.race([asked, late.promise]);
  cancel();
  if (answer?.kind !== "reply") return undefined;
  const reply = answer.value?.[handoverName];
  // Another process may have put its socket there since the probe.
  const expected = daemonProof(credential, { nonce, id, pid, protocol });
  const proved = typeof reply?.proof === "string" && sameSecret(reply.proof, expected);
  return proved ? reply.shells : undefined;
}
